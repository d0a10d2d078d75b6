/**
 * The way between the tabs and the API: it takes time, loses answers and breaks down, as planned
 * beforehand. What may be sent, and what must come of it, is left to world.ts.
 */
import type { Answer, ModelApi } from './model.ts'

import { TIME_TO_LAND } from '@/auth/tabs/reload.ts'

export type Endpoint = 'login' | 'refresh' | 'logout' | 'notes'

/**
 * What becomes of a call. `unreachable`: it never gets to the API. `lost`: the API does it, and the
 * answer gets lost. `torn`: as well, but its cookie arrives. `silence`: no answer, ever. `nonsense`:
 * 200, but not what the contract says. A number: the API answers with this status.
 */
export type Outcome = 'honest' | 'unreachable' | 'lost' | 'torn' | 'silence' | 'nonsense' | number

/** For the next call to an endpoint. Delays are milliseconds, to the API and back. */
export interface Plan {
  endpoint: Endpoint
  outcome: Outcome
  there: number
  back: number
  /** Seconds. */
  retryAfter?: number
}

export interface Call<Tab> {
  tab: Tab
  endpoint: Endpoint
  url: string
  token: string | null
  body: unknown
  sentAt: number
  /** From the call of `fetch` until its promise settles. */
  underWay: boolean
}

/** The browser profile keeps the cookie: the pages never see it. */
export interface CookieJar {
  cookie: string | null
}

/** Does something when so many milliseconds have passed. */
export type Later = (ms: number, task: () => void) => void

export interface Watcher<Tab> {
  sent(call: Call<Tab>): void
  /** Just before the page gets the answer, or the error of the network. */
  answered(call: Call<Tab>, answer: Answer | Error): void
  /** The API has replaced the refresh token, and the page will not hear of it. */
  lostRotation(): void
  /** The page has aborted the call. */
  abandoned(call: Call<Tab>, reason: unknown): void
}

export class Network<Tab extends { closed: boolean }> {
  plans: Plan[] = []
  /** Whether the broken route answers 401 to every token, as it does until it is repaired. */
  isRouteBroken = true
  /** Of the answer to a sign-in only the cookie has arrived: no tab knows whose it is. */
  isSignInTorn = false
  readonly calls = new Set<Call<Tab>>()
  /** Refreshes whose page was closed before they settled (R16). */
  readonly orphans: Call<Tab>[] = []

  constructor(
    readonly api: ModelApi,
    readonly jar: CookieJar,
    readonly watcher: Watcher<Tab>,
    readonly later: Later,
  ) {}

  /** The `fetch` of one tab. */
  fetchOf(tab: Tab): typeof globalThis.fetch {
    return (input, { signal, headers, body } = {}) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        if (tab.closed) return
        const url = String(input)
        const endpoint = /\/auth\/(login|refresh|logout)$/.exec(url)?.[1] ?? 'notes'
        const token = new Headers(headers).get('authorization')?.replace('Bearer ', '') ?? null
        const sentAt = Date.now()
        const call: Call<Tab> = {
          tab,
          endpoint: endpoint as Endpoint,
          url,
          token,
          body,
          sentAt,
          underWay: true,
        }
        this.calls.add(call)
        this.watcher.sent(call)

        const settle = (how: () => void) => {
          if (!this.calls.delete(call)) return
          signal?.removeEventListener('abort', abort)
          call.underWay = false
          how()
        }
        const abort = () =>
          settle(() => {
            this.watcher.abandoned(call, signal!.reason)
            reject(signal!.reason)
          })
        signal?.addEventListener('abort', abort)

        this.#carry(call, (answer) => {
          if (isOrphan(call) && !isLate(call) && !(answer instanceof Error)) {
            this.jar.cookie = answer.cookie ?? this.jar.cookie
          }
          settle(() => {
            if (!(answer instanceof Error) && answer.cookie !== undefined) {
              this.jar.cookie = answer.cookie
            }
            this.watcher.answered(call, answer)
            if (answer instanceof Error) reject(answer)
            else resolve(responseOf(answer))
          })
        })
      })
  }

  /** The calls of a closed tab never settle: nobody is there any more. */
  close(tab: Tab): void {
    for (const call of this.calls) {
      if (call.tab !== tab) continue
      this.calls.delete(call)
      if (call.endpoint === 'refresh') this.orphans.push(call)
    }
  }

  #carry(call: Call<Tab>, deliver: (answer: Answer | Error) => void): void {
    const { cookie } = this.jar
    const plan = this.#planFor(call.endpoint)
    const { outcome, there, back } = plan
    const down = () => deliver(new TypeError('Failed to fetch'))
    this.later(there, () => {
      if (outcome === 'silence') return
      if (outcome === 'unreachable') return down()
      let answer: Answer
      if (typeof outcome === 'number') answer = this.#status(outcome, call, cookie, plan)
      else answer = this.#ask(call, cookie)
      if (isLoss(outcome) && call.endpoint === 'refresh' && answer.cookie) {
        this.watcher.lostRotation()
      }
      if (outcome === 'nonsense') answer = { status: 200, body: { hello: 'world' } }
      this.later(back, () => {
        if (outcome === 'torn' && call.underWay && !isLate(call)) this.#setCookie(call, answer)
        if (isLoss(outcome)) down()
        else deliver(answer)
      })
    })
  }

  #setCookie({ endpoint }: Call<Tab>, { cookie }: Answer): void {
    if (cookie === undefined) return
    this.jar.cookie = cookie
    if (endpoint === 'login') this.isSignInTorn = true
  }

  #planFor(endpoint: Endpoint): Plan {
    const place = this.plans.findIndex((plan) => plan.endpoint === endpoint)
    if (place >= 0) return this.plans.splice(place, 1)[0]!
    return { endpoint, outcome: 'honest', there: 5, back: 5 }
  }

  #ask({ endpoint, url, token, body }: Call<Tab>, cookie: string | null): Answer {
    if (endpoint === 'refresh') return this.api.refresh(cookie)
    if (endpoint === 'logout') return this.api.logout(cookie)
    if (endpoint === 'notes') {
      const isBroken = this.isRouteBroken && routeOf(url) === '/broken'
      return this.api.note(isBroken ? null : token)
    }
    const { username, password } = JSON.parse(body as string)
    return this.api.login(username, password)
  }

  #status(status: number, call: Call<Tab>, cookie: string | null, { retryAfter }: Plan): Answer {
    const refused = call.endpoint === 'refresh' && [400, 401, 403].includes(status)
    if (refused) return this.api.end(cookie, status)
    const headers = retryAfter ? { 'retry-after': String(retryAfter) } : undefined
    return { status, headers, body: { message: `Status ${status}` } }
  }
}

function isLoss(outcome: Outcome): boolean {
  return outcome === 'lost' || outcome === 'torn'
}

/** A refresh whose page was closed. It goes on all the same (R16). */
function isOrphan({ tab, endpoint }: Call<{ closed: boolean }>): boolean {
  return tab.closed && endpoint === 'refresh'
}

/**
 * Known limit (R16): the refresh of a closed page that takes longer than the next page waits for it. A
 * sign-in in between would lose its cookie to that answer, so no cookie of it arrives here.
 */
function isLate(call: Call<{ closed: boolean }>): boolean {
  return isOrphan(call) && Date.now() >= call.sentAt + TIME_TO_LAND
}

/** The path of a request of the stories. The fragment tells one request from another. */
function routeOf(url: string): string {
  return /\/(?:notes|broken)(?=#)/.exec(url)![0]
}

function responseOf({ status, body, headers }: Answer): Response {
  return status === 204 ? new Response(null, { status }) : Response.json(body, { status, headers })
}
