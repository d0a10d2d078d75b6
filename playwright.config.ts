import { existsSync } from 'node:fs'
import process from 'node:process'
import { chromium, defineConfig, devices } from '@playwright/test'
import { firefox } from '@playwright/test' // demo

const PORT = 4173
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
  // The mock's log and controls are one for all: journeys take turns.
  workers: 1,
  reporter: process.env.CI ? [['list'], ['html', { open: 'never' }]] : 'list',
  use: {
    ...devices['Desktop Chrome'],
    baseURL: `http://localhost:${PORT}`,
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
    { name: 'dev', testMatch: 'dev.spec.ts', use: { baseURL: `http://localhost:${DEV_PORT}` } }, // demo
    // demo:start
    {
      name: 'firefox',
      testMatch: /(?:lab|network|origins|refresh|session|tabs)\.spec\.ts/,
      // Downloads, keys, layout, crashes, sleep, what the console says of a missing file, and sign-ins
      // held back for seconds: Chromium's show them.
      grepInvert:
        /can be saved|by keyboard|nothing below|a chunk that|offline, a page|crashes|sleeps|frozen|24 tabs|over the first/,
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
    { name: 'webkit', testDir: './tests/proof/webkit' }, // demo
  ],
  webServer: [
    {
      command: `npm run build-only && npm run preview -- --port ${PORT} --strictPort`,
      url: `http://localhost:${PORT}`,
      env,
      reuseExistingServer: false,
    },
    {
      command: `npm run dev -- --port ${DEV_PORT} --strictPort`,
      url: `http://localhost:${DEV_PORT}`,
      env,
      reuseExistingServer: false,
    },
  ],
})
