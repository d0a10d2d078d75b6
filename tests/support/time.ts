/** Time as the tests tell it: nothing waits for the real clock. */
import { afterEach, beforeEach, vi } from 'vitest'

/** Use a fake clock in every test of this file. */
export function useFakeClock(): void {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })
}

/** Lets everything happen that is due within the next `ms` milliseconds. */
export async function elapse(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}

/** Watches a promise: what it came to, or `pending`. */
export function outcome<T>(promise: T | Promise<T>) {
  const seen: { state: 'pending' | 'fulfilled' | 'rejected'; value?: T; reason?: unknown } = {
    state: 'pending',
  }
  Promise.resolve(promise).then(
    (value) => Object.assign(seen, { state: 'fulfilled', value }),
    (reason: unknown) => Object.assign(seen, { state: 'rejected', reason }),
  )
  return seen
}
