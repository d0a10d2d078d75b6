/**
 * One session of one person in one tab, from sign-in or restore to its end. Here stands what a 401
 * leads to, the one refresh that all share, and what each failure of it means. The numbers (R1)
 * are those of docs/rules.md.
 */
import { BackOff } from './backoff.ts'
import type { Clock } from './backoff.ts'
import { isRefusal } from './errors.ts'
import type { EndReason, SessionEndedError } from './errors.ts'
import type { RefreshCause } from './events.ts'
import type { HeldGrant } from './grant.ts'
import { Refusals } from './refusals.ts'
import { unlessAborted } from './signals.ts'

/** What a session leaves to auth.ts. */
export interface SessionOwner extends Clock {
  /** Runs tasks one at a time, across tabs by a Web Lock (R1). What the last tab got is known then. */
  exclusive<T>(task: () => Promise<T>): Promise<T>
  /** Asks the API for a new grant and gives it to `session.hold`. */
  requestGrant(session: Session, cause: RefreshCause): Promise<void>
  /** The refresh failed temporarily: the other tabs pause as well. */
  refreshFailed(session: Session): void
  /** A request to `route` was sent again. `isRefused`: even a token fresh from a refresh got a 401. */
  replayed(session: Session, route: string, status: number, isRefused: boolean): void
  /** Signs the person out here and in the other tabs. All calls of the session reject with the error. */
  endInAllTabs(session: Session, reason: EndReason, cause: unknown): SessionEndedError
}

export class Session {
  readonly id: string
  grant: HeldGrant | null = null
  /** How many callers wait for the refresh that is under way. */
  waiting = 0
  /** False for a guess: the first refresh tells whether there is a session (`restore: 'always'`). */
  isKnown = false
  readonly backOff: BackOff
  readonly refusals: Refusals
  readonly #owner: SessionOwner
  readonly #ended = new AbortController()
  #rejectedToken: string | null = null
  #refresh: Promise<string> | null = null

  constructor(id: string, owner: SessionOwner) {
    this.id = id
    this.#owner = owner
    this.backOff = new BackOff(owner)
    this.refusals = new Refusals(owner)
  }

  /**
   * The access token for a request: the current one while it lives, else the next one.
   *
   * @throws SessionEndedError, or the failure of the refresh
   */
  tokenToSend(): string | Promise<string> {
    if (!this.isAlive()) return this.nextToken(this.#causeOfRefresh()) // R2
    if (this.#owner.now() >= renewsAt(this.grant!)) {
      this.nextToken('background').catch(() => {}) // The current token still works.
    }
    return this.grant!.accessToken
  }

  /**
   * After a 401, the token to send once more: the current one if the rejected one has been replaced
   * (R3), else the next one. Null if the 401 is the answer, because this route rejects even a token
   * fresh from a refresh. Each new token gives it another chance (R4).
   */
  tokenAfter401(rejected: string, route: string): string | Promise<string> | null {
    if (this.grant?.accessToken === rejected) {
      if (this.refusals.isExpected(route)) return null // refusals.ts remembers such routes.
      this.#rejectedToken = rejected
    }
    return this.tokenToSend()
  }

  /** The next token, by the one refresh that all callers share (R1). */
  async nextToken(cause: RefreshCause): Promise<string> {
    if (!this.#refresh) this.#throwIfBlocked()
    this.waiting += cause === 'background' ? 0 : 1
    this.#refresh ??= this.#runRefresh(cause).finally(() => {
      this.#refresh = null
      this.waiting = 0
    })
    return this.#refresh
  }

  /** As `nextToken`, for a person who asks to try again: sent even inside the back-off (R7). */
  nextTokenNow(cause: RefreshCause): Promise<string> {
    this.backOff.end()
    return this.nextToken(cause)
  }

  async #runRefresh(cause: RefreshCause): Promise<string> {
    const before = this.grant
    const isRenewed = () => this.grant !== before && this.isAlive()
    const refreshed = this.#owner.exclusive(async () => {
      this.#throwIfBlocked()
      if (isRenewed()) return // Another tab has refreshed meanwhile.
      const sentAt = this.#owner.now()
      try {
        await this.#owner.requestGrant(this, cause)
      } catch (error) {
        this.throwIfEnded() // R12
        if (isRefusal(error)) {
          // Without Web Locks, another tab may have used the same refresh token, and got the next one.
          if (isRenewed() && this.grant!.receivedAt > sentAt) return
          throw this.#owner.endInAllTabs(this, 'expired', error) // R8: 400, 401 or 403
        }
        // R7: temporary. For as long as `Retry-After` says, else for 1 s, doubling to 30 s, calls that
        // need a token reject with the error. The first one after that refreshes again (backoff.ts).
        this.backOff.start(error)
        this.#owner.refreshFailed(this)
        if (!isRenewed()) throw error
      }
    })
    await unlessAborted(this.signal, refreshed)
    this.throwIfEnded()
    return this.grant!.accessToken
  }

  #causeOfRefresh(): RefreshCause {
    if (!this.grant) return 'restore'
    return this.grant.accessToken === this.#rejectedToken ? 'unauthorized' : 'expiry'
  }

  /** A request was sent again. `awaited`: the token, if it came from a refresh that the request awaited. */
  noteReplay(route: string, status: number, awaited: string | null): void {
    // A late answer says nothing about the token that has come since.
    const isRefused = status === 401 && awaited === this.grant?.accessToken
    if (isRefused) this.refusals.refused(route)
    if (status !== 401) this.refusals.accepted(route)
    if (status !== 401 && awaited !== null) this.refusals.refreshHelped()
    this.#owner.replayed(this, route, status, isRefused)
  }

  /** Whether there is a token that is neither expired nor rejected. */
  isAlive(): boolean {
    if (!this.grant || this.grant.accessToken === this.#rejectedToken) return false
    return this.#owner.now() < this.grant.expiresAt
  }

  hold(grant: HeldGrant): void {
    const known = this.grant?.user
    // The same object while nothing about the person has changed, so that no watcher fires.
    const isSame = JSON.stringify(known) === JSON.stringify(grant.user)
    this.grant = { ...grant, user: isSame ? known! : grant.user }
    this.#rejectedToken = null
    this.refusals.tokenChanged()
    this.backOff.succeeded(grant.receivedAt)
  }

  #throwIfBlocked(): void {
    this.throwIfEnded()
    if (this.backOff.isOn()) throw this.backOff.failure!.error
  }

  /** Ends the session in this tab. Its calls reject with the error. */
  end(error: SessionEndedError): void {
    this.grant = null
    this.#ended.abort(error)
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
}

/** When the last stretch of a token's life begins: it is still sent, while the next one is fetched. */
export function renewsAt({ receivedAt, expiresAt }: HeldGrant): number {
  return expiresAt - Math.min(60_000, (expiresAt - receivedAt) / 5)
}
