import { expect, expectDashboard, signIn, test } from './fixtures.ts'

test('the dev server serves app and mock: sign in, expire, go on, sign out', async ({
  page,
  mock,
}) => {
  await signIn(page)
  await page.getByRole('banner').getByRole('link').first().click()
  await expect(page).toHaveURL('/')
  await mock.control('expire-access')
  await page.getByRole('navigation').getByRole('link', { name: 'Dashboard' }).click()
  await expectDashboard(page)
  expect(await mock.count('/api/auth/refresh')).toBe(1)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page).toHaveURL('/login')
})

test('R15: 5,000 calls leave no memory and no listeners behind', async ({ page, mock }) => {
  test.slow()
  await signIn(page)
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Performance.enable')
  const measure = async () => {
    await devtools.send('HeapProfiler.collectGarbage')
    const { metrics } = await devtools.send('Performance.getMetrics')
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]))
  }
  await call(page, 500)
  const before = await measure()
  for (let round = 0; round < 10; round += 1) {
    await mock.control('expire-access') // So that calls wait and are sent again as well.
    await call(page, 500)
  }
  const after = await measure()

  expect(await mock.count('/api/auth/refresh')).toBe(10)
  // A listener or a promise that stays costs more than 100 bytes a call.
  expect(after.JSHeapUsedSize! - before.JSHeapUsedSize!).toBeLessThan(500_000)
  expect(after.JSEventListeners).toBe(before.JSEventListeners)
})

/** Calls the API by the app's own client, a hundred calls at a time, half of them with a signal. */
async function call(page: Page, count: number): Promise<void> {
  const given = { module: '/src/api/client.ts', count }
  await page.evaluate(async ({ module, count }) => {
    const { api } = await import(module)
    // It outlives the calls, as that of a page does.
    const { signal } = ((globalThis as { outlives?: AbortController }).outlives ??=
      new AbortController())
    for (let done = 0; done < count; done += 100) {
      const calls = Array.from({ length: 100 }, (_, n) => api('/auth/me', n % 2 ? { signal } : {}))
      await Promise.all(calls)
    }
  }, given)
}
