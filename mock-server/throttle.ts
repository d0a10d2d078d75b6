/**
 * Slows down guessing: after a number of failures for one key, no more attempts for a while (S6).
 * Every key is remembered: the caller sees to it that there are not too many.
 */

const LIMIT = 5
const WINDOW = 60_000

/** Too many failures. `retryAfter` in whole seconds. */
export class TooManyAttemptsError extends Error {
  override readonly name = 'TooManyAttemptsError'
  readonly retryAfter: number

  constructor(retryAfter: number) {
    super(`Too many failed attempts. Try again in ${retryAfter} seconds.`)
    this.retryAfter = retryAfter
  }
}

type Key = string | number

interface Attempts {
  failures: number
  /** When all is forgotten, counted from the first attempt. Milliseconds since the epoch. */
  until: number
  pending: Set<Promise<unknown>>
}

export function createThrottle(now: () => number) {
  const attemptsByKey = new Map<Key, Attempts>()

  /**
   * Runs `attempt`, which resolves to whether it succeeded, unless too many have failed.
   *
   * @throws TooManyAttemptsError
   */
  async function guard(key: Key, attempt: () => Promise<boolean>): Promise<boolean> {
    const attempts = attemptsOf(key)
    // Those under way may fail yet: a burst waits for them, and gets no more guesses than a series.
    while (attempts.failures < LIMIT && attempts.failures + attempts.pending.size >= LIMIT) {
      await Promise.race(attempts.pending)
    }
    if (attempts.failures >= LIMIT) {
      throw new TooManyAttemptsError(Math.max(1, Math.ceil((attempts.until - now()) / 1000)))
    }

    const running = attempt()
    const settled = running.catch(() => {})
    attempts.pending.add(settled)
    try {
      const succeeded = await running
      attempts.failures = succeeded ? 0 : attempts.failures + 1
      return succeeded
    } finally {
      attempts.pending.delete(settled)
    }
  }

  function attemptsOf(key: Key): Attempts {
    const known = attemptsByKey.get(key)
    const left = known ? known.until - now() : 0 // More than WINDOW: the clock was set back.
    if (known && ((left > 0 && left <= WINDOW) || known.pending.size > 0)) return known

    const attempts = { failures: 0, until: now() + WINDOW, pending: new Set<Promise<unknown>>() }
    attemptsByKey.set(key, attempts)
    return attempts
  }

  return { guard, reset: () => attemptsByKey.clear() }
}
