/** A cold load of a protected page, with 150 ms for every round trip, as the browser timed it. */
import type { Page } from '@playwright/test'
import { expect, expectDashboard, signIn, test } from './fixtures.ts'

/** Milliseconds. */
const ROUND_TRIP = 150

interface Timing {
  path: string
  start: number
  end: number
}

test('a deep link with a live session: script, then refresh beside chunk, then data', async ({
  page,
}) => {
  await signIn(page)
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Network.setCacheDisabled', { cacheDisabled: true })
  const unlimited = { downloadThroughput: -1, uploadThroughput: -1 }
  const slow = { offline: false, latency: ROUND_TRIP, ...unlimited }
  await devtools.send('Network.emulateNetworkConditions', slow)
  await page.goto('/dashboard')
  await expectDashboard(page)

  const timings = await timingsOf(page)
  const [entry, refresh, chunk] = [/\/index-.*js/, /auth\/refresh/, /\/DashboardView-.*js/].map(
    (path) => timings.find((timing) => path.test(timing.path))!,
  ) as [Timing, Timing, Timing]
  const data = timings.filter(({ path }) => /api\/(?!auth\/refresh)/.test(path))
  const description = timings.map(({ path, start, end }) => `${start}–${end} ms ${path}`).join('\n')
  test.info().annotations.push({ type: 'timeline', description })

  // Both begin when the script runs, and neither waits for the other or for anything else.
  const between = (from: number, to: number) =>
    timings.filter(({ start, end }) => start >= from && end <= to).map(({ path }) => path)
  for (const { start } of [refresh, chunk]) expect(between(entry.end, start)).toEqual([])
  expect(chunk.start).toBeLessThan(refresh.end)
  expect(refresh.start).toBeLessThan(chunk.end)
  // Nothing goes over the wire between them and the data.
  const scripts = timings.filter(({ path }) => path.endsWith('.js'))
  const ready = Math.max(refresh.end, ...scripts.map(({ end }) => end))
  expect(data.length).toBeGreaterThan(0)
  for (const { start } of data) expect(between(ready, start)).toEqual([])
})

async function timingsOf(page: Page): Promise<Timing[]> {
  return page.evaluate(() =>
    performance.getEntriesByType('resource').map((entry) => {
      const { name, startTime, responseEnd } = entry as PerformanceResourceTiming
      const path = new URL(name).pathname
      return { path, start: Math.round(startTime), end: Math.round(responseEnd) }
    }),
  )
}
