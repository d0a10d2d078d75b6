import { existsSync } from 'node:fs'
import process from 'node:process'
import { chromium, defineConfig, devices } from '@playwright/test'
import { firefox } from '@playwright/test' // demo

/** One server for each worker: journeys that run side by side share no mock, nor its log. */
const PORTS = [4173, 4174]
const port = PORTS[Number(process.env.TEST_PARALLEL_INDEX ?? 0)]
const DEV_PORT = 5174
/** Whatever a project's .env says: the journeys go through the mock. */
const env = { VITE_API_BASE_URL: '', VITE_REFRESH_TOKEN_MODE: '', API_PROXY_TARGET: '' }

interface Browser {
  name: 'Chromium' | 'Firefox'
  projects: string[]
  /** Where Playwright's own is, if it is installed. */
  own: string
  /** Where a system has one. */
  system: string[]
}

/** `CHROMIUM_PATH` or `FIREFOX_PATH`, else Playwright's own, else the system's. */
function find({ name, projects, own, system }: Browser): string | undefined {
  const variable = `${name.toUpperCase()}_PATH`
  const wanted = process.env[variable]
  const found = (wanted ? [wanted] : [own, ...system]).find((path) => existsSync(path))
  if (found || !isNeeded(projects)) return found
  const install = `npx playwright install ${name.toLowerCase()}`
  console.error(
    wanted
      ? `No browser at ${variable}=${wanted}`
      : `No ${name} found: run \`${install}\`, or set ${variable} to one.`,
  )
  process.exit(1)
}

/** Whether this command runs one of these projects. Workers are not asked. */
function isNeeded(projects: string[]): boolean {
  const named = process.argv.filter((argument) => argument.startsWith('--project='))
  const isNamed = projects.some((project) => named.includes(`--project=${project}`))
  return process.env.TEST_WORKER_INDEX === undefined && (named.length === 0 || isNamed)
}

const inFolders = (...names: string[]) =>
  names.flatMap((name) => ['/usr/bin', '/usr/local/bin', '/snap/bin'].map((at) => `${at}/${name}`))

const chromiumPath = find({
  name: 'Chromium',
  projects: ['preview', 'dev', 'screenshots'],
  own: chromium.executablePath(),
  system: [
    ...inFolders('chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  ],
})
// demo:start
const firefoxPath = find({
  name: 'Firefox',
  projects: ['firefox'],
  own: firefox.executablePath(),
  system: [
    ...inFolders('firefox-esr', 'firefox'),
    '/Applications/Firefox.app/Contents/MacOS/firefox',
    'C:\\Program Files\\Mozilla Firefox\\firefox.exe',
  ],
})

const isOwnFirefox = firefoxPath === firefox.executablePath()

if (isNeeded(['webkit']) && !existsSync('/usr/bin/WebKitWebDriver')) {
  console.error('No WebKitGTK found: run `apt-get install webkit2gtk-driver xvfb openbox dbus`.')
  process.exit(1)
}
// demo:end

export default defineConfig({
  testDir: './tests/e2e',
  outputDir: './test-results',
  forbidOnly: !!process.env.CI,
  // No journey is about speed, and the machine may be slow.
  timeout: 60_000,
  expect: { timeout: 10_000 },
  // On a shared machine; what needs it is reported as flaky.
  retries: process.env.CI ? 1 : 0,
  workers: PORTS.length,
  fullyParallel: true,
  reporter: process.env.CI ? [['list'], ['html', { open: 'never' }]] : 'list',
  use: {
    ...devices['Desktop Chrome'],
    baseURL: `http://localhost:${port}`,
    trace: 'on-first-retry',
    launchOptions: {
      executablePath: chromiumPath,
      // Chromium's sandbox does not start as root, as in most containers.
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
  projects: [
    {
      name: 'preview',
      testIgnore: 'dev.spec.ts', // demo
    },
    // demo:start
    {
      name: 'dev',
      testMatch: 'dev.spec.ts',
      workers: 1,
      use: { baseURL: `http://localhost:${DEV_PORT}` },
    },
    {
      name: 'firefox',
      grep: /@every-engine/,
      workers: 1, // Six tabs of it keep a machine busy.
      timeout: 300_000,
      expect: { timeout: 60_000 }, // Six tabs of it are slow.
      use: {
        browserName: 'firefox',
        userAgent: undefined,
        // As Mozilla ships it, unlike Playwright's own.
        channel: isOwnFirefox ? undefined : 'moz-firefox',
        launchOptions: {
          executablePath: isOwnFirefox ? firefoxPath : './tests/e2e/firefox.mjs',
          args: [],
          env: { ...process.env, FIREFOX_PATH: firefoxPath },
        },
      },
    },
    // demo:end
    { name: 'screenshots', testMatch: 'screenshots.ts' }, // demo
    { name: 'webkit', testDir: './tests/proof/webkit', workers: 1 }, // demo
  ],
  webServer: [
    // Started one after the other, so that all but the first find the build.
    ...PORTS.map((port, index) => ({
      command: `${index === 0 ? 'npm run build-only && ' : ''}npm run preview -- --port ${port} --strictPort`,
      url: `http://localhost:${port}`,
      env,
      reuseExistingServer: false,
    })),
    {
      command: `npm run dev -- --port ${DEV_PORT} --strictPort`,
      url: `http://localhost:${DEV_PORT}`,
      env,
      reuseExistingServer: false,
    },
  ],
})
