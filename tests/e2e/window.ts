/** A browser window whose tabs can fall asleep. */
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { BrowserContext, Page } from '@playwright/test'
import { test as base, expect, expectDashboard, expectHeading } from './fixtures.ts'
import { submitSignIn, watchConsole } from './fixtures.ts'

interface SleepFixtures {
  /**
   * A window of a browser of its own, whose tabs Playwright leaves as they are: one is in front, the
   * others are hidden and throttled, and can be frozen. Elsewhere each page counts as the one in front.
   */
  window: BrowserContext
}

export const test = base.extend<SleepFixtures>({
  window: async ({ playwright, launchOptions }, use) => {
    const port = await freePort()
    const browser = await playwright.chromium.launch({
      ...launchOptions,
      args: [...(launchOptions.args ?? []), `--remote-debugging-port=${port}`],
      ignoreDefaultArgs: [
        '--disable-background-timer-throttling',
        '--disable-renderer-backgrounding',
      ],
    })
    const endpoint = `http://127.0.0.1:${port}`
    const window = await playwright.chromium.connectOverCDP(endpoint, { noDefaults: true })
    const context = window.contexts()[0]!
    const said = watchConsole(context)
    await use(context)
    expect(said, 'warnings and errors in the console').toEqual([])
    await browser.close()
  },
})

/**
 * Signed-in tabs of one window, in the lab: one in front, and two behind that will sleep. Messages for
 * a tab that sleeps may be lost, here those for `deaf`: Chromium delivers them, others need not.
 */
export async function openWindow(window: BrowserContext) {
  const { baseURL } = base.info().project.use
  const [deaf, late, front] = [
    await window.newPage(),
    await window.newPage(),
    await window.newPage(),
  ]
  await deaf.addInitScript(loseMessagesInSleep)
  const tabs = [deaf, late, front]
  for (const tab of tabs) await tab.goto(`${baseURL}/login`)
  await submitSignIn(front)
  for (const tab of tabs) {
    await expectDashboard(tab)
    await tab.getByRole('link', { name: 'Lab' }).dispatchEvent('click')
    await expectHeading(tab, 'Refresh lab')
  }
  return { front, deaf, late }
}

function loseMessagesInSleep(): void {
  let asleep = false
  document.addEventListener('freeze', () => (asleep = true))
  document.addEventListener('resume', () => setTimeout(() => (asleep = false)))
  globalThis.BroadcastChannel = class extends BroadcastChannel {
    constructor(name: string) {
      super(name)
      this.addEventListener('message', (event) => asleep && event.stopImmediatePropagation())
    }
  }
}

/**
 * Freezes a tab behind another, as browsers do to save power. Returns what wakes it and brings it
 * to the front.
 *
 * @see https://developer.chrome.com/docs/web-platform/page-lifecycle-api
 */
export async function freeze(tab: Page, front: Page): Promise<() => Promise<void>> {
  await front.bringToFront()
  await expect.poll(() => tab.evaluate(() => document.visibilityState)).toBe('hidden')
  const devtools = await tab.context().newCDPSession(tab)
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
  return async () => {
    await devtools.send('Page.setWebLifecycleState', { state: 'active' })
    await tab.bringToFront()
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
