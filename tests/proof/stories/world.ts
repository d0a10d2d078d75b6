/**
 * A small world: one browser profile with up to three tabs, each with the real store and the real
 * API client, a network and an API. Things happen here; rules.ts watches that they are as they must.
 */
import { vi } from 'vitest'
import {
  SessionEndedError,
  createApiClient,
  createAuth,
  createCookieBackend,
} from '@/auth/index.ts'
import type { AuthBackend } from '@/auth/index.ts'
import { LEEWAY, ModelApi, people } from './model.ts'
import type { Person } from './model.ts'
import { Network } from './network.ts'
import type { Later } from './network.ts'
import { Profile } from './profile.ts'
import type { Page } from './profile.ts'
import { Routes } from './routes.ts'
import { MESSAGE_DELAY, Rules } from './rules.ts'

export interface Setup {
  /** How many tabs are open at first. */
  tabs: number
  locks: boolean
  /** Milliseconds that a message takes from tab to tab. */
  latency: number
  /** `false`: the API answers no refresh token twice (R16). */
  leeway: boolean
  signedIn: boolean
}

export type Session = NonNullable<ReturnType<ReturnType<typeof createAuth>['sessions']['current']>>

/** A tab from its opening to its closing or reload, and what has been seen of it. */
export class Tab {
  readonly auth
  readonly api
  awakeSince = Date.now()
  session: Session | null = null
  token: string | null = null
  /** Tokens that were answered with 401 here, and not only because their route refuses fresh ones. */
  readonly rejected = new Set<string>()
  /** The token that a 401 has made suspect, until a refresh has brought another or failed (R2, R4). */
  suspect: Suspicion | null = null
  /** Since when a request or a person wants another token than the one there is. */
  wantsSince: number | null = null
  /** Somebody has asked for a refresh while this was the token. */
  forced: string | null | undefined
  /** `route token`: rejected, and not accepted since. While refreshes fail, no more is sent (R2). */
  readonly rejectedBy = new Set<string>()
  /** Of these, those whose callers have been told that the refresh failed. */
  readonly lacking = new Set<string>()
  /** What is known of the routes in this session (R4). */
  routes = new Routes()
  /** A call that carries a suspect token: it must not leave while that is being replaced (R2). */
  doomed: { name: string; token: string } | null = null
  /** When the browser came online here: no failure before that holds a refresh back (R7). */
  onlineAt = -1
  /** The API has refused a refresh, and another tab without Web Locks may have had the next one. */
  refusal: Refusal | null = null
  /** An answer has just come that begins a session. */
  begins = false

  constructor(
    readonly name: string,
    readonly page: Page,
    network: Network<Tab>,
  ) {
    const fetch = network.fetchOf(this)
    const backend = outside(createCookieBackend({ fetch }))
    const { window } = page
    vi.stubGlobal('addEventListener', window.addEventListener.bind(window))
    this.auth = createAuth({ backend, tabs: page.tabs, random: () => 0 })
    vi.unstubAllGlobals()
    this.api = createApiClient({ auth: this.auth, fetch })
  }

  get closed(): boolean {
    return this.page.closed
  }

  get awake(): boolean {
    return !this.closed && !this.page.asleep
  }
}

/** One 401 is no verdict on a token. */
interface Suspicion {
  token: string
  at: number
  /** Whether a refresh must have begun because of it, or may have. */
  isSure: boolean
}

interface Refusal {
  session: Session
  sentAt: number
  at: number
}

export interface RequestOptions {
  method: 'GET' | 'POST'
  /** The broken route answers 401 to every token, until it is repaired. `elsewhere` is another origin. */
  to: 'api' | 'broken route' | 'api without a token' | 'elsewhere'
  abortable: boolean
}

export interface Request extends RequestOptions {
  name: string
  tab: Tab
  session: Session | null
  controller: AbortController
  begunAt: number
  sends: number
  /** It may have waited for a refresh before it was first sent. */
  mayHaveWaited: boolean
  /** What must come of its first 401 (R4): one more send after a refresh, the 401, or either. */
  after401: 'replay' | 'either' | 'final' | null
  /** The current token that its first 401 rejected. Its second send carries one fresh from a refresh. */
  rejectedToken: string | null
  body: unknown
  atNetwork: boolean
  /** What the network brought last: a status or an error. */
  answer: number | Error | null
  settled: boolean
}

/** A promise of the store: a sign-in, a sign-out, a refresh, a restore. */
interface Deed {
  what: string
  tab: Tab
  settled: boolean
  settledAt: number
  /** The person signed out before it was done. */
  cancelled: boolean
}

const { setImmediate } = globalThis

/** The same back end, called a moment later: rules.ts asks the store, which a back end must not do. */
function outside(backend: AuthBackend): AuthBackend {
  const later =
    <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    async (...args: Args) => {
      await Promise.resolve()
      return call(...args)
    }
  const { login, refresh, logout } = backend
  return { login: later(login), refresh: later(refresh), logout: later(logout) }
}

export class World {
  readonly api: ModelApi
  readonly profile: Profile
  readonly network: Network<Tab>
  readonly rules: Rules
  readonly places: (Tab | null)[] = [null, null, null]
  readonly requests: Request[] = []
  readonly deeds: Deed[] = []
  /** When another script cleared the storage, and with it what is known of refreshes under way. */
  wipedAt = -1

  /** What arrives in the same millisecond: one by one, as an event loop takes it. */
  readonly #due: (() => void)[] = []
  readonly #later: Later = (ms, task) => void setTimeout(() => this.#due.push(task), ms)

  constructor(readonly setup: Setup) {
    this.api = new ModelApi(setup.leeway ? LEEWAY : 0)
    this.profile = new Profile(setup, this.#later)
    this.rules = new Rules(this)
    this.network = new Network<Tab>(this.api, this.profile, this.rules, this.#later)
  }

  get tabs(): Tab[] {
    return this.places.filter((tab) => tab !== null)
  }

  /** Opens the tabs and signs ada in, as the setup says. */
  async begin(): Promise<void> {
    for (let place = 0; place < this.setup.tabs; place += 1) this.open(place)
    if (this.setup.signedIn) this.signIn(this.tabs[0]!, 'ada', 'right')
    await this.pass(50)
  }

  open(place: number): void {
    const tab = new Tab(`tab ${place + 1}`, this.profile.openPage(), this.network)
    this.places[place] = tab
    this.rules.opened(tab)
    tab.forced = null
    this.#track('restore', tab, tab.auth.restore(), { rejected: this.rules.isExcuse })
  }

  close(place: number): void {
    const tab = this.places[place]!
    this.profile.closePage(tab.page)
    this.network.close(tab)
    this.places[place] = null
    this.rules.closed(tab)
  }

  reload(tab: Tab): void {
    const place = this.places.indexOf(tab)
    this.close(place)
    this.open(place)
  }

  /** Another script clears localStorage. */
  wipe(): void {
    this.wipedAt = Date.now()
    this.profile.storage.clear()
    this.rules.wiped()
  }

  /** The network is back, and the browser tells every page that is awake. */
  online(): void {
    for (const tab of this.tabs) if (tab.awake) tab.onlineAt = Date.now()
    this.profile.online()
  }

  sleep(tab: Tab): void {
    tab.page.sleep()
  }

  wake(tab: Tab): void {
    tab.awakeSince = Date.now()
    tab.page.wake()
  }

  signIn(tab: Tab, person: Person, password: string): void {
    const deed = this.#track(`sign-in as ${person}`, tab, this.#login(tab, person, password), {
      fulfilled: () => {
        if (deed.cancelled) this.rules.broken('R12', `${tab.name} is signed in after a sign-out`)
        const user = tab.auth.user.value
        if (user?.id !== people[person].id) this.rules.broken('R6', `${tab.name} is not ${person}`)
      },
      rejected: (reason) =>
        deed.cancelled ? reason instanceof SessionEndedError : this.rules.isAnswer(reason, tab),
    })
  }

  #login(tab: Tab, username: Person, password: string): Promise<void> {
    return tab.auth.login({ username, password })
  }

  signOut(tab: Tab): void {
    const session = tab.auth.sessions.current()
    for (const deed of this.deeds) {
      if (deed.tab === tab && deed.what.startsWith('sign-in')) deed.cancelled = true
    }
    this.#track('sign-out', tab, tab.auth.logout(), { rejected: () => false })
    if (session) this.rules.mustEnd(session, 'R12')
    this.rules.signedOut()
    if (tab.auth.status.value !== 'anonymous') {
      this.rules.broken('R12', `${tab.name} is ${tab.auth.status.value} after its sign-out`)
    }
  }

  refresh(tab: Tab): void {
    tab.forced = tab.auth.accessToken.value
    tab.wantsSince ??= Date.now()
    const since = Date.now() // R7: a failure before that does not hold a person back.
    this.#track('refresh', tab, tab.auth.refresh(), {
      rejected: (reason) =>
        reason instanceof SessionEndedError || this.rules.isExcuse(reason, { tab, since }),
    })
  }

  request(tab: Tab, options: RequestOptions): void {
    const number = this.requests.length + 1
    const { method, to } = options
    const controller = new AbortController()
    const body = method === 'POST' ? { number } : undefined
    const request: Request = {
      ...options,
      name: `request ${number}`,
      tab,
      session: to === 'api without a token' ? null : tab.auth.sessions.current(),
      controller,
      begunAt: Date.now(),
      sends: 0,
      mayHaveWaited: false,
      after401: null,
      rejectedToken: null,
      body: undefined,
      atNetwork: false,
      answer: null,
      settled: false,
    }
    this.requests.push(request)
    this.rules.begun(request)
    const route = to === 'broken route' ? '/broken' : '/notes'
    const url = to === 'elsewhere' ? `https://elsewhere.example${route}` : route
    const signal = options.abortable ? controller.signal : undefined
    controller.signal.addEventListener('abort', () => this.rules.aborted(request))
    const auth = to === 'api without a token' ? false : undefined
    // Not in the query: a route is a method and an address with its query (R4).
    tab.api(`${url}#${number}`, { method, body, signal, auth, retry: 0 }).then(
      (value) => this.rules.fulfilled(request, value),
      (reason) => this.rules.rejected(request, reason),
    )
  }

  requestAt(url: string): Request {
    return this.requests[Number(/\d+$/.exec(url)![0]) - 1]!
  }

  /** Lets everything happen that is due within the next `ms` milliseconds, and watches it. */
  async pass(ms: number): Promise<void> {
    let over = false
    this.#later(ms, () => (over = true))
    await this.watch()
    while (!over) {
      vi.advanceTimersToNextTimer()
      await this.watch()
      while (this.#due.length > 0) {
        this.#due.shift()!()
        await this.watch()
      }
    }
  }

  /** Lets everything happen that waits for no time to pass, and watches it. */
  async watch(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.rules.observe()
  }

  /** All failures end, all tabs wake up, and a while later everything is settled and at one. */
  async end(): Promise<void> {
    this.network.plans = []
    if (!this.setup.locks) await this.pass(30_000) // Until nobody signs in or out.
    this.tabs.forEach((tab) => tab.awake || this.wake(tab))
    for (let rounds = 0; rounds < 12 && this.#unsettled().length > 0; rounds += 1) {
      await this.pass(15_000)
    }
    const [unsettled] = this.#unsettled()
    if (unsettled) this.rules.broken('R11', `${unsettled} never settles`)
    await this.pass(60_000)

    if (this.tabs.length === 0) this.open(0)
    // A sign-out that the API could not be told of is made up for by the next page.
    if (this.tabs[0]!.auth.status.value === 'anonymous') this.reload(this.tabs[0]!)
    await this.pass(1_000 + MESSAGE_DELAY)
    for (const tab of this.tabs) {
      if (tab.auth.status.value === 'restoring') {
        tab.forced = null
        this.#track('restore', tab, tab.auth.restore(), {})
      }
      this.request(tab, { method: 'GET', to: 'api', abortable: false })
      await this.pass(1_000 + MESSAGE_DELAY)
    }
    this.rules.agreed()
  }

  /** Whether another tab signs somebody in or out. */
  signsElsewhere(tab: Tab | null): boolean {
    const others = this.deeds.filter((deed) => deed.tab !== tab && !deed.tab.closed)
    return others.some(({ what, settled }) => !settled && what.startsWith('sign'))
  }

  /** Whether what this tab wants since then had to queue behind its own sign-in. */
  signedInSince(tab: Tab, since: number): boolean {
    const own = this.deeds.filter((deed) => deed.tab === tab && deed.what.startsWith('sign-in'))
    return own.some(({ settledAt }) => settledAt >= since)
  }

  /** Whether another tab asks for anything, or waits for it. */
  isBusyElsewhere(tab: Tab): boolean {
    const { network, requests, deeds } = this
    const waiting = [...requests, ...deeds].filter(({ settled }) => !settled)
    return [...waiting, ...network.calls].some((one) => one.tab !== tab && !one.tab.closed)
  }

  #unsettled(): string[] {
    const open = [...this.requests.map((r) => ({ ...r, what: r.name })), ...this.deeds]
    return open
      .filter(({ tab, settled }) => !settled && !tab.closed)
      .map(({ tab, what }) => `${what} in ${tab.name}`)
  }

  #track(
    what: string,
    tab: Tab,
    promise: Promise<void>,
    judge: { fulfilled?: () => void; rejected?: (reason: unknown) => boolean },
  ): Deed {
    const deed: Deed = { what, tab, settled: false, settledAt: Infinity, cancelled: false }
    this.deeds.push(deed)
    const settled = (judgement: () => void) => () => {
      deed.settled = true
      deed.settledAt = Date.now()
      if (!tab.closed) judgement()
    }
    promise.then(
      settled(() => judge.fulfilled?.()),
      (reason) =>
        settled(() => {
          // Whoever asks from now on begins to wait again.
          if (what.startsWith('re') && this.rules.isExcuse(reason)) this.rules.gaveUp(tab)
          if (judge.rejected?.(reason) === false) {
            this.rules.broken('R7', `${what} in ${tab.name} rejects with ${reason}`)
          }
        })(),
    )
    return deed
  }
}
