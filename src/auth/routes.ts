/**
 * Routes that answer 401 even to a new token, so that a refresh does not help. Such a route is closed for
 * a while: its 401 causes no refresh (R4).
 */
import { backOffTime } from './backoff.ts'
import type { Clock } from './backoff.ts'

/** How many routes are remembered, so that memory stays flat (R15). */
const MAX_ROUTES = 200

/** A time span in milliseconds since the epoch. A clock that was set back is outside. */
interface Span {
  from: number
  until: number
}

interface RouteState {
  /** The token that was fetched because of this route's 401, until the route has answered it. */
  freshToken: string | null
  /** The token that this route rejected, where the refresh for it has failed. */
  rejectedToken: string | null
  /** Whether the route has accepted a token since it last refused a fresh one. */
  accepts: boolean
  /** How many fresh tokens it has refused in a row. */
  refusals: number
  closed: Span
}

const NEVER: Span = { from: 0, until: 0 }
const UNKNOWN: RouteState = {
  freshToken: null,
  rejectedToken: null,
  accepts: false,
  refusals: 0,
  closed: NEVER,
}

/** The routes of one session. A route is a method and an address with its query. */
export class Routes {
  readonly #clock: Clock
  readonly #states = new Map<string, RouteState>()
  /** How many fresh tokens were refused, by whichever route, since a refresh last helped. */
  #refusals = 0
  #pause = NEVER

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Whether a 401 of this route is the answer, and no reason to refresh. Without the pause, an API that
   * refuses every token would cost a refresh for each of its routes.
   */
  isClosed(route: string): boolean {
    const state = this.#states.get(route)
    if (state && this.#isWithin(state.closed)) return true
    return !state?.accepts && this.#isWithin(this.#pause)
  }

  /** A refresh that this route's 401 led to has brought `token`. */
  refreshedFor(route: string, token: string): void {
    this.#state(route).freshToken = token
  }

  /** A refresh that this route's 401 to `token` led to has failed. */
  refreshFailedFor(route: string, token: string): void {
    this.#state(route).rejectedToken = token
  }

  /** Whether this route has rejected `token`, and the refresh for it has failed. */
  needsNewToken(route: string, token: string): boolean {
    return this.#states.get(route)?.rejectedToken === token
  }

  /** The route has answered a request that carried `token`. */
  answered(route: string, token: string, status: number): void {
    const isFresh = this.#states.get(route)?.freshToken === token
    if (status !== 401) this.#accepted(route, isFresh)
    else if (isFresh) this.#refusedFreshToken(this.#state(route))
  }

  #accepted(route: string, isFresh: boolean): void {
    Object.assign(this.#state(route), {
      accepts: true,
      refusals: 0,
      closed: NEVER,
      freshToken: null,
      rejectedToken: null,
    })
    if (!isFresh) return
    this.#refusals = 0
    this.#pause = NEVER
  }

  /** Once for each token, because other calls of the burst get their 401 for it too. */
  #refusedFreshToken(state: RouteState): void {
    state.freshToken = null
    state.accepts = false
    state.refusals += 1
    this.#refusals += 1
    const now = this.#clock.now()
    // No upper limit: a route that always answers 401 costs ever fewer refreshes.
    state.closed = { from: now, until: now + 1000 * 2 ** (state.refusals - 1) }
    this.#pause = { from: now, until: now + backOffTime(this.#refusals, this.#clock.random()) }
  }

  /** The state of a route, as the one that was used last. The one used longest ago is forgotten. */
  #state(route: string): RouteState {
    const state = this.#states.get(route)
    this.#states.delete(route)
    const { value: oldest } = this.#states.keys().next()
    if (this.#states.size >= MAX_ROUTES) this.#states.delete(oldest!)
    const used = state ?? { ...UNKNOWN }
    this.#states.set(route, used)
    return used
  }

  #isWithin({ from, until }: Span): boolean {
    const now = this.#clock.now()
    return now >= from && now < until
  }
}
