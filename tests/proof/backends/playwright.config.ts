/** The build with each example, behind nginx, against its real server. Run by .ci/backends. */
import { defineConfig } from '@playwright/test'
import root from '../../../playwright.config.ts'

export default defineConfig({
  testDir: '.',
  testMatch: '*.browser.ts',
  outputDir: '../../../test-results',
  timeout: root.timeout,
  expect: root.expect,
  retries: root.retries,
  workers: 1,
  reporter: 'list',
  use: { ...root.use, baseURL: 'http://localhost:8092', trace: 'off' },
})
