/**
 * Routes that answer 401 even to a token fresh from a refresh. They refuse the person, not the token,
 * and further refreshes would not help (R4).
 */
import { backOffTime } from './backoff.ts'
import type { Clock } from './backoff.ts'

/** How many routes are remembered, so that memory stays flat (R15). */
const MAX_ROUTES = 200

export class Refusals {
  readonly #clock: Clock
  /** Routes that refused the current token. */
  readonly #refusing = new Set<string>()
  /** Routes that have accepted a token in this session. */
  readonly #accepting = new Set<string>()
  #count = 0
  #at = 0
  #until = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether a 401 of this route is the answer, and no reason to refresh. */
  isExpected(route: string): boolean {
    if (this.#refusing.has(route)) return true
    const now = this.#clock.now()
    // If routes that never accepted a token keep refusing fresh ones, refreshes are spaced out.
    return !this.#accepting.has(route) && now >= this.#at && now < this.#until
  }

  /** The route refused a token fresh from a refresh. */
  refused(route: string): void {
    remember(this.#refusing, route)
    this.#accepting.delete(route)
    this.#count += 1
    this.#at = this.#clock.now()
    this.#until = this.#at + backOffTime(this.#count, this.#clock.random())
  }

  /** The same was seen in another tab. */
  refusedElsewhere(route: string): void {
    remember(this.#refusing, route)
  }

  accepted(route: string): void {
    remember(this.#accepting, route)
  }

  /** A refresh has helped: the route accepts the fresh token. */
  refreshHelped(): void {
    this.#count = 0
    this.#until = 0
  }

  /** A new token: all routes have another chance. */
  tokenChanged(): void {
    this.#refusing.clear()
  }
}

function remember(routes: Set<string>, route: string): void {
  if (routes.size >= MAX_ROUTES && !routes.has(route)) routes.clear()
  routes.add(route)
}
