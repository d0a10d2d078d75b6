/**
 * One session of one person in this tab, from sign-in or restore to its end: the access token, the
 * one refresh that all wait for, and the back-off after a failed one. How a refresh is done, and
 * which session is the current one, is left to shared-session.ts.
 */
import { retryAfter, unlessAborted } from './backend.ts'
import type { User } from './contract.ts'

/** Why a session came to its end. `replaced`: somebody signed in over it. */
export type SessionEnd = 'signed-out' | 'expired' | 'replaced'

/** What was asked for in a session that is over: there is no answer, and there will be none (R6). */
export class SessionEndedError extends Error {
  override readonly name = 'SessionEndedError'
  readonly reason: SessionEnd

  constructor(reason: SessionEnd, options?: ErrorOptions) {
    super(`The session has ended (${reason}). Sign in to go on.`, options)
    this.reason = reason
  }
}

/** A grant as it is kept, in milliseconds of the clock of `now`. */
export interface HeldGrant {
  user: User
  accessToken: string
  receivedAt: number
  expiresAt: number
}

/** The latest refresh failed for a reason that may pass. Until `until` no other is tried. */
export interface RefreshFailure {
  error: unknown
  count: number
  at: number
  until: number
}

export interface SessionOptions {
  id: string
  now: () => number
  random: () => number
  /** Brings the session a new grant by `hold`, or rejects. */
  refresh: (session: Session) => Promise<void>
}

export class Session {
  readonly id: string
  held: HeldGrant | null = null
  failure: RefreshFailure | null = null
  #rejected: string | null = null
  #flight: Promise<string> | null = null
  readonly #end = new AbortController()
  readonly #options: SessionOptions

  constructor(options: SessionOptions) {
    this.id = options.id
    this.#options = options
  }

  /**
   * What may I send now? The access token while it lives, else the next one, once it is there.
   *
   * @throws SessionEndedError, or the failure of the refresh
   */
  authorize(): string | Promise<string> {
    if (!this.isLive()) return this.refresh() // R2
    const held = this.held!
    const isLastStretch = this.#options.now() >= held.expiresAt - lastStretch(held)
    if (isLastStretch) this.refresh().catch(() => {})
    return held.accessToken
  }

  /** Whether there is a token, neither expired nor rejected. */
  isLive(): boolean {
    if (!this.held || this.held.accessToken === this.#rejected) return false
    return this.#options.now() < this.held.expiresAt
  }

  /**
   * This token was rejected, what next? The current one where it is another by now (R3), else the
   * next one.
   *
   * @throws SessionEndedError, or the failure of the refresh
   */
  renew(rejected: string): string | Promise<string> {
    if (this.held?.accessToken === rejected) this.#rejected = rejected
    return this.authorize()
  }

  /** The next token, by the one refresh for all. Rejects at once while backing off (R1, R7). */
  refresh(): Promise<string> {
    this.#flight ??= this.#fly().finally(() => (this.#flight = null))
    return this.#flight
  }

  async #fly(): Promise<string> {
    this.check()
    await unlessAborted(this.signal, this.#options.refresh(this))
    if (this.ended) throw this.ended
    return this.held!.accessToken
  }

  /** @throws the reason for which no refresh may be tried now */
  check(): void {
    if (this.ended) throw this.ended
    if (this.isPaused()) throw this.failure!.error
  }

  /** Whether a pause lasts. A clock that was set back ends it: it might last for days otherwise. */
  isPaused(): boolean {
    const now = this.#options.now()
    return !!this.failure && now >= this.failure.at && now < this.failure.until
  }

  hold(held: HeldGrant): void {
    this.held = held
    this.#rejected = null
    // Another tab's grant, if no newer than the failure, does not make up for it (R7).
    const at = this.failure?.at ?? 0
    if (held.receivedAt > at || this.#options.now() < at) this.failure = null
  }

  /** 1 s, doubling to 30 s, of which a random half is taken off so that a fleet spreads out. */
  fail(error: unknown): void {
    const at = this.#options.now()
    const count = (this.failure?.count ?? 0) + 1
    const backoff = Math.min(30_000, 1000 * 2 ** (count - 1)) * (1 - this.#options.random() / 2)
    this.pause({ error, count, at, until: at + (retryAfter(error, at) ?? backoff) })
  }

  /** Begins a pause, after a failure here or in another tab. Of two pauses the longer counts (R7). */
  pause(failure: RefreshFailure): void {
    const receivedAt = this.held?.receivedAt ?? 0
    const isOver = failure.at < receivedAt && receivedAt <= this.#options.now()
    if (isOver || (this.isPaused() && failure.until <= this.failure!.until)) return
    this.failure = failure
  }

  end(error: SessionEndedError): void {
    this.held = null
    this.#end.abort(error)
  }

  /** Aborts when the session ends. */
  get signal(): AbortSignal {
    return this.#end.signal
  }

  get ended(): SessionEndedError | null {
    return this.signal.aborted ? this.signal.reason : null
  }
}

/**
 * The last stretch of a token's life, in which it is still sent while the next one is on its way:
 * a minute, or a fifth of a life shorter than five minutes. In milliseconds.
 */
function lastStretch({ receivedAt, expiresAt }: HeldGrant): number {
  return Math.min(60_000, (expiresAt - receivedAt) / 5)
}

/** As another tab can be told of it: messages are cloned, and not everything that is thrown can be. */
export function portable(failure: RefreshFailure): RefreshFailure {
  const { name = 'Error', message = '', status } = Object(failure.error)
  const error = { name: `${name}`, message: `${message}`, status: Number(status) || undefined }
  return { ...failure, error }
}
