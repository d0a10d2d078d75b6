/**
 * What R4 says of the routes of one session in one tab. A refresh whose caller has aborted may have
 * brought a token for its route, or failed unseen: then a 401 may be the answer, or not.
 */
interface Route {
  /** The token that a refresh for this route has brought, until the route has answered it. */
  fresh: string | null
  /** A caller has aborted while it waited for such a token. */
  mayBeFresh: boolean
}

/** How long routes are closed, if as few or as many fresh tokens were refused as is possible. */
class Closures {
  readonly #routes = new Map<string, { refusals: number; until: number }>()
  readonly #accepting = new Set<string>()
  #refusals = 0
  #until = 0

  isClosed(route: string): boolean {
    const now = Date.now()
    if (now < (this.#routes.get(route)?.until ?? 0)) return true
    return now < this.#until && !this.#accepting.has(route)
  }

  /** Doubling from 1 s; for all routes together, no longer than after failures (R7). */
  refused(route: string): void {
    const refusals = (this.#routes.get(route)?.refusals ?? 0) + 1
    this.#refusals += 1
    this.#routes.set(route, { refusals, until: Date.now() + 1000 * 2 ** (refusals - 1) })
    this.#until = Date.now() + Math.min(30_000, 1000 * 2 ** (this.#refusals - 1))
    this.#accepting.delete(route)
  }

  accepted(route: string, helped: boolean): void {
    this.#routes.delete(route)
    this.#accepting.add(route)
    if (!helped) return
    this.#refusals = 0
    this.#until = 0
  }
}

export class Routes {
  readonly #routes = new Map<string, Route>()
  readonly #least = new Closures()
  readonly #most = new Closures()

  /** What must come of a 401 for the current token. */
  after401(route: string): 'replay' | 'either' | 'final' {
    if (this.#least.isClosed(route)) return 'final'
    return this.#most.isClosed(route) ? 'either' : 'replay'
  }

  /** A refresh that a 401 of this route led to has brought `token`. */
  refreshedFor(route: string, token: string): void {
    this.#route(route).fresh = token
  }

  /** A caller that waits for such a refresh has aborted. */
  lostSight(route: string): void {
    this.#route(route).mayBeFresh = true
  }

  answered(route: string, token: string, status: number): void {
    const known = this.#route(route)
    const isFresh = known.fresh === token
    const mayBeFresh = isFresh || known.mayBeFresh
    if (status !== 401) {
      this.#least.accepted(route, mayBeFresh)
      this.#most.accepted(route, isFresh)
    } else {
      if (isFresh) this.#least.refused(route)
      if (mayBeFresh) this.#most.refused(route)
    }
    if (isFresh || status !== 401) known.fresh = null
  }

  #route(route: string): Route {
    const known = this.#routes.get(route) ?? { fresh: null, mayBeFresh: false }
    this.#routes.set(route, known)
    return known
  }
}
