/** The demo from a plain static server, in two engines. Run by .ci/demo. */
import process from 'node:process'
import { defineConfig } from '@playwright/test'
import root from '../../../playwright.config.ts'
import { BASE, PORT } from './address.ts'

const url = `http://localhost:${PORT}${BASE}`
const firefox = root.projects!.find(({ name }) => name === 'firefox')!

export default defineConfig({
  testDir: '.',
  testMatch: '*.browser.ts',
  outputDir: '../../../test-results',
  timeout: 120_000,
  expect: { timeout: 30_000 },
  retries: root.retries,
  workers: 1,
  reporter: 'list',
  use: { ...root.use, baseURL: url, trace: 'off' },
  projects: [{ name: 'chromium' }, { name: 'firefox', grepInvert: /chromium:/, use: firefox.use }],
  webServer: {
    command: 'npx jiti tests/proof/demo/server.ts',
    cwd: process.cwd(),
    url,
    reuseExistingServer: false,
  },
})
