import type { Page } from '@playwright/test'
import {
  expect,
  expectDashboard,
  goHome,
  names,
  openPage,
  REFRESH,
  signIn,
  signOut,
  test,
} from './fixtures.ts'

test('the dev server serves app and mock: sign in, expire, go on, sign out', async ({
  page,
  mock,
}) => {
  await signIn(page)
  await goHome(page)
  await mock.control('expire-access')
  await openPage(page, 'Dashboard')
  await expectDashboard(page)
  expect(await mock.count(REFRESH)).toBe(1)
  await signOut(page)
  await expect(page).toHaveURL('/login')
})

test('the recipe for an upload reports its progress, through an expiry', async ({ page, mock }) => {
  await signIn(page)
  await mock.control('expire-access')
  const { size, shares } = await page.evaluate(async () => {
    // Served as it is, with the modules of the running app.
    const path = '/tests/proof/recipes/upload.ts'
    const { upload } = (await import(path)) as typeof import('../proof/recipes/upload.ts')
    const shares: number[] = []
    const file = new Blob([new Uint8Array(1_000_000)], { type: 'application/octet-stream' })
    const echo = await upload<{ body: { size: number } }>('/protected-resource', file, (share) =>
      shares.push(share),
    )
    return { size: echo.body.size, shares }
  })

  expect(size).toBe(1_000_000)
  expect(shares.at(-1)).toBe(1)
  expect(await mock.statuses('/api/protected-resource')).toEqual([401, 200])
  expect(await mock.count(REFRESH)).toBe(1)
})

test('the console reports what the policy of the build would block, and which line allows it', async ({
  browser,
  baseURL,
}) => {
  // In a context whose console is not watched.
  const page = await browser.newPage({ baseURL })
  const said: string[] = []
  page.on('console', (message) => said.push(message.text()))
  const reports = (of = '') =>
    said.filter((text) => /report-only/i.test(text) && text.includes(of)).length
  await signIn(page)
  await expect(page.locator('#__vue-devtools-container__')).toBeAttached()
  expect(reports(), 'of the app and Vue DevTools').toBe(0)

  const isShown = await page.evaluate(() => {
    const style = document.createElement('style')
    style.textContent = 'h1 { display: none }'
    const script = document.createElement('script')
    script.textContent = 'document.title = "inline"'
    document.head.append(style, script)
    document.querySelector('h1')!.innerHTML = 'From a <b>library</b>'
    return {
      title: document.title,
      display: getComputedStyle(document.querySelector('h1')!).display,
    }
  })
  expect(isShown).toEqual({ title: 'inline', display: 'none' })
  await expect.poll(() => reports('style-src')).toBe(1)
  await expect.poll(() => reports('script-src')).toBe(1)
  await expect.poll(() => reports('TrustedHTML')).toBe(1)
  const advice = (of: string) => said.filter((text) => text.includes(of)).length
  await expect.poll(() => advice('"injectedStyles: true" in headers.config.ts')).toBe(1)
  await expect.poll(() => advice('"injectedHtml: true" in headers.config.ts')).toBe(1)
  await expect.poll(() => advice('(script-src-elem). No line of headers.config.ts')).toBe(1)
  await page.close()
})

test('Vue DevTools have a tab with a timeline of the session', async ({
  browser,
  baseURL,
  mock,
}) => {
  // In a context whose console is not watched: the devtools load fonts of another origin.
  const page = await browser.newPage({ baseURL })
  await page.goto('/login')
  await expect(page.locator('#__vue-devtools-container__')).toBeAttached()
  await page.keyboard.press('Alt+Shift+D')
  const devtools = page.frameLocator('iframe')
  // The links of the devtools have no names, and its column of them may be folded.
  await devtools.locator('a[href*="custom-inspector-tab-view/auth"]').dispatchEvent('click')
  await devtools.getByText('Timeline', { exact: true }).click()
  await devtools.locator('.recording-btn').dispatchEvent('click')
  // By keyboard: the devtools lie over the button.
  await page.getByLabel(names.username).fill('demo')
  await page.getByLabel(names.password).fill('password')
  await page.getByLabel(names.password).press('Enter')
  await expectDashboard(page)
  await expect(devtools.locator('body')).toContainText('sign-in')

  await goHome(page)
  await mock.control('expire-access')
  await openPage(page, 'Dashboard')
  await expect(devtools.locator('body')).toContainText(/sign-in.*refresh.*replay/s)
  await page.close()
})

test('R15: 5,000 calls leave no memory and no listeners behind', async ({ page, mock }) => {
  await signIn(page)
  await page.evaluate(answerInPage)
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Performance.enable')
  const measure = async () => {
    await devtools.send('HeapProfiler.collectGarbage')
    const { metrics } = await devtools.send('Performance.getMetrics')
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]))
  }
  await callInRounds(page, 2)
  const before = await measure()
  await callInRounds(page, 10)
  const after = await measure()

  expect(await mock.count(REFRESH)).toBe(11)
  // A listener or a promise that stays costs more than 100 bytes a call.
  expect(after.JSHeapUsedSize! - before.JSHeapUsedSize!).toBeLessThan(500_000)
  expect(after.JSEventListeners).toBeLessThanOrEqual(before.JSEventListeners!)
})

/** Answers `/auth/me` without the network, so that only the client is measured. */
function answerInPage(): void {
  const send = globalThis.fetch
  let latest: string | null = null
  let refused: string | null = null
  globalThis.addEventListener('expire', () => (refused = latest))
  globalThis.fetch = async (input, init) => {
    const { url, headers } = new Request(input, { ...init, signal: null })
    if (!url.endsWith('/auth/me')) return send(input, init)
    latest = headers.get('authorization')
    return latest === refused ? new Response(null, { status: 401 }) : Response.json({})
  }
}

/** Rounds of 500 calls by the app's own client. In all but the first, the token is refused. */
async function callInRounds(page: Page, rounds: number): Promise<void> {
  const given = { module: '/src/api/client.ts', rounds }
  await page.evaluate(async ({ module, rounds }) => {
    const { api } = await import(module)
    // It outlives the calls, as that of a page does.
    const { signal } = new AbortController()
    for (let round = 0; round < rounds; round += 1) {
      globalThis.dispatchEvent(new Event('expire'))
      const calls = Array.from({ length: 500 }, (_, n) => api('/auth/me', n % 2 ? { signal } : {}))
      await Promise.all(calls)
    }
  }, given)
}
