import { existsSync } from 'node:fs'
import process from 'node:process'
import { chromium, defineConfig, devices } from '@playwright/test'

const PORT = 4173
const DEV_PORT = 5174
/** Whatever a project's .env says: the journeys go through the mock. */
const env = { VITE_API_BASE_URL: '', VITE_REFRESH_TOKEN_MODE: '', API_PROXY_TARGET: '' }

/** `CHROMIUM_PATH`, else Playwright's own, else the system's. */
function findChromium(): string {
  const system = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'].flatMap(
    (name) => ['/usr/bin', '/usr/local/bin', '/snap/bin'].map((folder) => `${folder}/${name}`),
  )
  const others = [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  ]
  const wanted = process.env.CHROMIUM_PATH
  const candidates = wanted ? [wanted] : [chromium.executablePath(), ...system, ...others]
  const found = candidates.find((path) => existsSync(path))
  if (found) return found
  console.error(
    wanted
      ? `No browser at CHROMIUM_PATH=${wanted}`
      : 'No Chromium found: run `npx playwright install chromium`, or set CHROMIUM_PATH to one.',
  )
  process.exit(1)
}

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
      executablePath: findChromium(),
      // Chromium's sandbox does not start as root, as in most containers.
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
  projects: [
    { name: 'preview', testIgnore: 'dev.spec.ts' },
    { name: 'dev', testMatch: 'dev.spec.ts', use: { baseURL: `http://localhost:${DEV_PORT}` } }, // demo
    { name: 'screenshots', testMatch: 'screenshots.ts' }, // demo
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
