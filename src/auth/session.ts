/**
 * One session of one person in one tab, from sign-in or restore to its end. This file decides what a call
 * does with the token, what a 401 leads to, the one refresh that all share, and what each failure of
 * it means. The numbers (R1) are those of docs/rules.md.
 *
 * | the token is…                              | a call…                                                       |
 * | ------------------------------------------ | ------------------------------------------------------------- |
 * | not here yet (after a reload)              | waits for the refresh                                         |
 * | alive                                      | is sent                                                       |
 * | in the last stretch of its life            | is sent, and a refresh starts beside it                       |
 * | past its lifetime                          | waits for the refresh                                         |
 * | rejected by a 401 of this call             | waits for the refresh, and is sent once more                  |
 * | rejected by another call's 401             | waits for the refresh; if that fails, is sent with this token |
 * | rejected, and the refresh for it failed    | as past its lifetime if its own route rejected it; else sent  |
 * | rejected, and no longer current            | is sent once more with the current token                      |
 * | rejected by a closed route                 | gets the 401                                                  |
 * | past its lifetime, after a failed refresh  | rejects with that failure during the pause, then waits        |
 * | gone: the session has ended                | rejects with SessionEndedError                                |
 *
 * A route is closed for 1 s, then 2 s, 4 s and so on, when it answers 401 even to the token that was
 * fetched for it, and open again with another answer to the same request (routes.ts).
 */
import { BackOff } from './backoff.ts'
import type { Clock, RefreshFailure } from './backoff.ts'
import type { SessionChange } from './changes.ts'
import { MissingRefreshTokenError, isRefusal } from './errors.ts'
import type { SessionEndedError } from './errors.ts'
import type { AuthEvent, RefreshCause } from './events.ts'
import type { HeldGrant } from './grant.ts'
import { Routes } from './routes.ts'
import { unlessAborted } from './signals.ts'

/** What a session asks of the rest. auth.ts and current.ts give it. */
export interface SessionContext extends Clock {
  /**
   * Runs tasks one at a time, across tabs by a Web Lock (R1). Before the task, what another tab brought
   * meanwhile is applied here, so that a tab that waited finds the new token (tabs/other-tabs.ts).
   */
  exclusive<T>(task: () => Promise<T>): Promise<T>
  /** Asks the API for the next grant. `id`: the session that it is for, another one for another person. */
  requestGrant(session: Session, cause: RefreshCause): Promise<{ id: string; grant: HeldGrant }>
  /** Applies a change that this session has caused, here and in the other tabs. */
  announce(change: SessionChange): void
  /** Resolves when `isDone`, or after the time that a message of another tab may take. */
  waitForOtherTabs(isDone: () => boolean): Promise<void>
  report(event: AuthEvent): void
}

export class Session {
  readonly id: string
  readonly #context: SessionContext
  readonly #ended = new AbortController()
  readonly #backOff: BackOff
  readonly #routes: Routes
  #grant: HeldGrant | null = null
  #refresh: Promise<string> | null = null
  /** How many calls wait for the refresh. */
  #waiting = 0
  /** The token that a 401 has rejected, while its replacement is under way. */
  #rejectedToken: string | null = null

  constructor(id: string, context: SessionContext) {
    this.id = id
    this.#context = context
    this.#backOff = new BackOff(context)
    this.#routes = new Routes(context)
  }

  /**
   * The access token for a request to `route`: the current one while it lives, else a promise of the
   * next one.
   *
   * @throws SessionEndedError, or the failure of the refresh
   */
  tokenToSend(route = ''): string | Promise<string> {
    const grant = this.#grant
    if (!grant || !this.isAlive()) return this.#nextOrLive(grant ? 'expiry' : 'restore') // R2
    const { accessToken } = grant
    if (this.#routes.needsNewToken(route, accessToken))
      return this.#nextTokenFor(route, accessToken) // R2
    const isRejected = accessToken === this.#rejectedToken
    if (this.#refresh && isRejected) return this.#nextOrLive('unauthorized') // R2
    if (this.#context.now() >= grant.renewAt) this.nextToken('background').catch(() => {})
    return accessToken
  }

  /**
   * After a 401, the token to send once more: the current one if the rejected one has been replaced
   * (R3), else a promise of the next one. Null if the 401 is the answer (R4). `receivedAt`: when the
   * rejected token was received. Default: the current one was rejected.
   */
  tokenAfter401(
    rejected: string,
    route: string,
    receivedAt?: number,
  ): string | Promise<string> | null {
    if (!this.#isCurrent(rejected, receivedAt)) return this.tokenToSend(route) // R3
    if (this.#routes.isClosed(route)) return null
    const next = this.#nextTokenFor(route, rejected)
    if (this.#refresh) this.#rejectedToken = rejected
    return next
  }

  /** The next token, for a route that has rejected this one. */
  async #nextTokenFor(route: string, rejected: string): Promise<string> {
    try {
      const token = await this.nextToken('unauthorized')
      this.#routes.refreshedFor(route, token)
      return token
    } catch (error) {
      this.#routes.refreshFailedFor(route, rejected)
      throw error
    }
  }

  /** What a route answered to a request with `token`. A late 401 says nothing about the next token. */
  noteAnswer(route: string, token: string, status: number, receivedAt?: number): void {
    if (status === 401 && !this.#isCurrent(token, receivedAt)) return
    this.#routes.answered(route, token, status)
  }

  /** Compares the time of receipt too, because an API may return the same token again. */
  #isCurrent(token: string, receivedAt = this.#grant?.receivedAt): boolean {
    return token === this.#grant?.accessToken && receivedAt === this.#grant.receivedAt
  }

  /** A request to `path` was sent again. */
  noteReplay(path: string, status: number): void {
    this.#context.report({ type: 'replay', path, status })
  }

  /** The next token, by the one refresh that all callers share (R1). */
  async nextToken(cause: RefreshCause): Promise<string> {
    if (!this.#refresh) {
      this.#throwIfPaused()
      this.#waiting = 0
      this.#refresh = this.#runRefresh(cause).finally(() => {
        this.#refresh = null
        this.#rejectedToken = null
      })
    }
    this.#waiting += cause === 'background' ? 0 : 1
    return this.#refresh
  }

  /** As `nextToken`, for a person who asks to try again: sent even during the pause (R7). */
  nextTokenNow(cause: RefreshCause): Promise<string> {
    this.endPause()
    return this.nextToken(cause)
  }

  async #runRefresh(cause: RefreshCause): Promise<string> {
    const before = this.#grant
    const isRenewed = () => this.#grant !== before && this.isGood()
    const refreshed = this.#context.exclusive(async () => {
      if (isRenewed()) return // Another tab has refreshed meanwhile.
      this.#throwIfPaused()
      const sentAt = this.#context.now()
      try {
        const { id, grant } = await this.#context.requestGrant(this, cause)
        this.throwIfEnded() // R12
        this.#context.announce({ type: 'granted', id, grant })
      } catch (error) {
        this.throwIfEnded() // R12
        // Without Web Locks, another tab may have used the same refresh token, and got the next one.
        const isRenewedSince = () => isRenewed() && this.#grant!.receivedAt > sentAt
        if (isRefusal(error)) await this.#refused(error, isRenewedSince)
        else this.#failed(error, isRenewed)
      }
    })
    await unlessAborted(this.signal, refreshed)
    this.throwIfEnded()
    return this.#grant!.accessToken
  }

  /** R8: the API has answered with a 4xx other than 408, 425 and 429, and not with an HTML page (errors.ts). */
  async #refused(error: unknown, isRenewedSince: () => boolean): Promise<void> {
    await this.#context.waitForOtherTabs(isRenewedSince)
    this.throwIfEnded()
    if (isRenewedSince()) return
    const onlyHere = error instanceof MissingRefreshTokenError
    this.#context.announce({
      type: 'ended',
      id: this.id,
      reason: 'expired',
      cause: error,
      onlyHere,
    })
    this.throwIfEnded()
  }

  /**
   * R7: a temporary failure, such as no network, a 5xx or the time limit of 10 s (a TimeoutError). A pause
   * begins: `Retry-After`, an hour at most, else 1 s, doubled with each failure up to 30 s and shortened at
   * random by up to half. During it, calls that need a new token reject with this error. No timer tries
   * again, but the first call after the pause. `refresh()`, `restore()` and the browser's `online` event
   * end it early (backoff.ts).
   */
  #failed(error: unknown, isRenewed: () => boolean): void {
    const failure = this.#backOff.next(error)
    this.#context.announce({ type: 'failed', id: this.id, failure })
    if (!isRenewed()) throw error
  }

  /**
   * A token for a call that no 401 has answered. If the refresh fails, the current one is sent if it is
   * alive: another route's 401 is no verdict on the token, and may be that route's alone (R4).
   */
  async #nextOrLive(cause: RefreshCause): Promise<string> {
    try {
      return await this.nextToken(cause)
    } catch (error) {
      this.throwIfEnded()
      if (!this.isAlive()) throw error
      return this.#grant!.accessToken
    }
  }

  /** Whether there is a token within its lifetime. If it was received in the future, the clock was set back. */
  isAlive(): boolean {
    if (!this.#grant) return false
    const now = this.#context.now()
    // The clocks of two tabs may differ by some milliseconds.
    return now >= this.#grant.receivedAt - 1000 && now < this.#grant.expiresAt
  }

  /** Whether there is a token within its lifetime that no 401 has just rejected. */
  isGood(): boolean {
    return this.isAlive() && this.#grant!.accessToken !== this.#rejectedToken
  }

  /** Whether refreshes are held back after a failure (R7). */
  isPaused(): boolean {
    return this.#backOff.isOn()
  }

  /** Lets the next call that needs a token refresh at once. */
  endPause(): void {
    this.#backOff.end()
  }

  get grant(): HeldGrant | null {
    return this.#grant
  }

  /** How many calls wait for the refresh that is under way. */
  get waiting(): number {
    return this.#waiting
  }

  /** Aborts when the session ends, with its SessionEndedError. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  get ended(): SessionEndedError | null {
    return this.signal.aborted ? this.signal.reason : null
  }

  throwIfEnded(): void {
    this.signal.throwIfAborted()
  }

  #throwIfPaused(): void {
    this.throwIfEnded()
    if (this.#backOff.isOn()) throw this.#backOff.failure!.error
  }

  // The changes. Only current.ts calls these.

  hold(grant: HeldGrant): void {
    const known = this.#grant?.user
    // The same object while nothing about the person has changed, so that no watcher fires.
    const isSame = JSON.stringify(known) === JSON.stringify(grant.user)
    this.#grant = { ...grant, user: isSame ? known! : grant.user }
    this.#rejectedToken = null
    this.#backOff.succeeded(grant.receivedAt)
  }

  pause(failure: RefreshFailure): void {
    this.#backOff.take(failure, this.#grant?.receivedAt ?? 0)
  }

  end(error: SessionEndedError): void {
    this.#grant = null
    this.#ended.abort(error)
  }
}
