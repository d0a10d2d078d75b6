/** How long the calls of a page took, as the page itself measures it: the same in every engine. */
import { expect } from '@playwright/test'

/** Milliseconds by which a refresh is delayed, so that the rest takes less. */
export const REFRESH_TAKES = 500

/** Calls that wait for a refresh take less than so many times as long as it: on a quiet machine, 1.2. */
const MUCH_LONGER = 4

/** In the page: follows a link of the header, and forgets what was measured before. */
export function followLink(path: string): void {
  performance.clearResourceTimings()
  document.querySelector<HTMLElement>(`header a[href="${path}"]`)!.click()
}

/** In the page: milliseconds of each refresh, and from the first call that was sent to the last answer. */
export function measureCalls(refreshPath: string) {
  const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[]
  const isRefresh = ({ name }: PerformanceEntry) => new URL(name).pathname === refreshPath
  const isCall = ({ name }: PerformanceEntry) => new URL(name).pathname.startsWith('/api/')
  const calls = entries.filter((entry) => isCall(entry) && !isRefresh(entry))
  const from = Math.min(...calls.map(({ startTime }) => startTime))
  return {
    refreshes: entries.filter(isRefresh).map((entry) => entry.responseEnd - entry.startTime),
    calls: Math.max(...calls.map(({ responseEnd }) => responseEnd)) - from,
  }
}

/**
 * One refresh served the calls of all tabs, and none took much longer than the refresh itself. The
 * bound is a ratio, as a slow machine draws out both.
 */
export function expectShortWaits(tabs: ReturnType<typeof measureCalls>[], round: number): void {
  const refreshes = tabs.flatMap((tab) => tab.refreshes)
  expect(refreshes, `refreshes of round ${round}`).toHaveLength(1)
  const longest = Math.max(...tabs.map(({ calls }) => calls))
  expect(longest / refreshes[0]!, `waits of round ${round}`).toBeLessThan(MUCH_LONGER)
}
