/** The pause after a failed refresh, so that a server that is down is not asked all the time (R7). */

/** Milliseconds. No server is waited for longer. */
export const MAX_RETRY_AFTER = 3_600_000

/**
 * Milliseconds that the server asks to wait by its `Retry-After` header, or null. A date counts by the
 * server's clock if it tells the time, because this one may be wrong.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function retryAfter(error: unknown, now: number): number | null {
  const { headers, response } = Object(error) as { headers?: Headers; response?: Response }
  const answered = headers ?? response?.headers
  const header = answered?.get?.('retry-after')
  if (!header) return null
  let wait = NaN
  if (/^\d+$/.test(header)) wait = Number(header) * 1000
  else if (header.endsWith('GMT')) {
    wait = Date.parse(header) - (Date.parse(answered!.get('date') ?? '') || now)
  }
  return wait > 0 ? wait : null
}

/**
 * Milliseconds to wait after the `count`-th failure in a row: 1 s, doubling to 30 s, minus up to half
 * of it by `random` (0 to 1), so that many clients do not return at the same moment.
 */
export function backOffTime(count: number, random: number): number {
  return Math.min(30_000, 1000 * 2 ** (count - 1)) * (1 - random / 2)
}

/** The last refresh failed temporarily. No other is sent before `until`. */
export interface RefreshFailure {
  error: unknown
  count: number
  at: number
  until: number
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now: () => number
  random: () => number
}

export class BackOff {
  failure: RefreshFailure | null = null
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The failure that `error` makes of the one before it. */
  next(error: unknown): RefreshFailure {
    const at = this.#clock.now()
    const count = (this.failure?.count ?? 0) + 1
    const asked = retryAfter(error, at) ?? backOffTime(count, this.#clock.random())
    return { error, count, at, until: at + Math.min(asked, MAX_RETRY_AFTER) }
  }

  /**
   * Takes up a failure of this tab or another, unless a token was received after it. Of two, the longer
   * pause counts.
   */
  take(failure: RefreshFailure, receivedAt: number): void {
    const isOver = failure.at < receivedAt && receivedAt <= this.#clock.now()
    if (isOver) return
    if (!this.isOn() || failure.until > this.failure!.until) this.failure = failure
  }

  /** Whether refreshes are held back. A clock that was set back ends this. */
  isOn(): boolean {
    const now = this.#clock.now()
    return !!this.failure && now >= this.failure.at && now < this.failure.until
  }

  /** Lets the next call refresh. The count of failures stays. */
  end(): void {
    if (this.failure) this.failure = { ...this.failure, until: this.failure.at }
  }

  /** A token has come. One of another tab that is no newer than the failure does not undo it. */
  succeeded(receivedAt: number): void {
    const failedAt = this.failure?.at ?? 0
    if (receivedAt > failedAt || this.#clock.now() < failedAt) this.failure = null
  }
}
