/**
 * What must always hold (docs/rules.md), checked at every call, at every answer and after every step.
 * The first rule that is broken is kept, with all that happened up to there.
 */
import { FetchError } from 'ofetch'
import { SessionEndedError } from '@/auth/index.ts'
import type { User } from '@/api/user.ts'
import { TIME_TO_LAND } from '@/auth/tabs/reload.ts'
import { LIFETIME } from './model.ts'
import type { Answer, Family } from './model.ts'
import type { Call, Watcher } from './network.ts'
import { Routes } from './routes.ts'
import type { Request, Session, Tab, World } from './world.ts'

interface Failure {
  id: string
  tab: Tab
  message: string
  at: number
  /** No refresh before that. */
  until: number
  /** And from then on there may be another. */
  latest: number
  /** How many in a row, for those who had not heard of a success. */
  count: number
  /** A refresh has succeeded since. */
  madeGoodAt: number | null
}

/** The last stretch of a token's life, in which a refresh is due: drawn with `random`, which is 0. */
const LAST_STRETCH = LIFETIME / 5 / 3
/** Milliseconds in which a tab may wait for its turn, without a call under way. */
const PATIENCE = 200
/** Milliseconds in which a tab may wait for a message. */
export const MESSAGE_DELAY = 1_000

/** What the stories are about. */
export const HAPPENINGS = [
  'a sign-in',
  'a refresh',
  'a refresh that failed',
  'a refresh that was refused',
  'a token of another tab',
  'a replay',
  'a closed route',
  'a rotation whose answer got lost',
  'a wiped storage',
  'another person',
] as const
type Happening = (typeof HAPPENINGS)[number]

export class Rules implements Watcher<Tab> {
  /** What has happened in this story, so that the stories as a whole leave nothing out. */
  readonly seen = new Set<Happening>()
  #broken: string | null = null
  readonly #start = Date.now()
  readonly #log: string[] = []
  /** Sessions that are over, by id: since when, and by which rule. */
  readonly #ends = new Map<string, { at: number; rule: string }>()
  /** Of which sign-in at the API the tokens of a session are, by its id. */
  readonly #families = new Map<string, Family>()
  /** Whose session it is, as its tab has seen it. */
  readonly #owners = new WeakMap<Session, User>()
  /** The session that was begun last, whether or not all tabs have heard of it. */
  #newest: Session | null = null
  /**
   * A refresh may bring the token of a sign-in that no tab has seen: without Web Locks, or if of its
   * answer only the cookie arrived.
   */
  #strangers = false
  readonly #deadlines = new Map<string, number>()
  readonly #sessions = new WeakMap<Call<Tab>, Session>()
  readonly #sentAt = new WeakMap<Call<Tab>, number>()
  /** Sessions in which a sign-in was sent that has got no answer, or only a failure, by their id. */
  readonly #doubted = new Map<string, Call<Tab>>()
  #failures: Failure[] = []
  /** What the network brought last for the sign-ins of a tab. */
  readonly #signInAnswers = new WeakMap<Tab, Answer | Error>()
  #latest: { id: string; tab: Tab; token: string; at: number } | null = null
  #lastEvent = Date.now()

  constructor(readonly world: World) {}

  broken(rule: string, what: string): void {
    this.#note(`${rule}: ${what}`)
    this.#broken ??= `${rule}: ${what}\n\nWhat happened:\n${this.#log.map((line) => `  ${line}`).join('\n')}\n`
  }

  /** @throws Error that names the rule that was broken */
  check(): void {
    if (this.#broken) throw new Error(this.#broken)
  }

  #note(what: string): void {
    this.#log.push(`${Date.now() - this.#start} ms  ${what}`)
  }

  // Calls

  sent(call: Call<Tab>): void {
    this.#lastEvent = Date.now()
    const { tab, endpoint, token } = call
    const session = tab.auth.sessions.current()
    if (session) this.#sessions.set(call, session)
    if (endpoint === 'notes') return this.#sentRequest(call, this.world.requestAt(call.url))

    this.#note(`${tab.name} calls ${endpoint}`)
    this.#sentAt.set(call, Date.now())
    const { locks } = this.world.setup
    for (const other of this.world.network.calls) {
      if (other === call || other.endpoint === 'notes' || (!locks && other.tab !== tab)) continue
      const rule = endpoint === 'refresh' && other.endpoint === 'refresh' ? 'R1' : 'R13'
      this.broken(rule, `${endpoint} while ${other.endpoint} of ${other.tab.name} is under way`)
    }
    if (endpoint === 'refresh') this.#sentRefresh(tab, session)
    if (endpoint === 'login' && session && !this.#doubted.has(session.id)) {
      this.#doubted.set(session.id, call)
    }
    if (token !== null) this.broken('R5', `${endpoint} carries an access token`)
  }

  #isRejectedBySome(tab: Tab, token: string): boolean {
    return [...tab.rejectedBy].some((entry) => entry.endsWith(` ${token}`))
  }

  #sentRefresh(tab: Tab, session: Session | null): void {
    if (!session) return this.broken('R12', `${tab.name} refreshes, and nobody is signed in`)
    if (this.#ends.has(session.id))
      this.broken('R13', `${tab.name} refreshes a session that is over`)
    const token = tab.auth.accessToken.value
    const now = Date.now()
    this.#checkOrphans(tab)
    const due = !token || now >= this.#deadline(token) - LAST_STRETCH
    const isRejected =
      !!token && (tab.suspect?.token === token || this.#isRejectedBySome(tab, token))
    if (!due && !isRejected && tab.forced !== token) {
      this.broken('R3', `${tab.name} refreshes, although its token is fresh and was not rejected`)
    }

    const { id, at, token: latest, tab: other } = this.#latest ?? {}
    const knows = at !== undefined && tab.wantsSince !== null && tab.wantsSince < at
    const good = latest && !tab.rejected.has(latest) && now < this.#deadline(latest) - LAST_STRETCH
    if (this.world.setup.locks && id === session.id && other !== tab && knows && good) {
      // Known limit: around an own sign-in, the task that found the lock contended may be another.
      const isBehind = this.world.signedInSince(tab, tab.wantsSince! - PATIENCE)
      if (tab.awake && tab.awakeSince < at && !isBehind) {
        this.broken(
          'R1',
          `${tab.name} refreshes again, and does not take the token of ${other!.name}`,
        )
      }
    }

    // Without Web Locks two tabs may fail at a time: then the failure told last counts.
    const failures = this.#failures.filter((failure) => failure.id === session.id)
    const isAskedFor = tab.forced === token // A person does not wait (R7).
    for (const failure of this.world.setup.locks ? failures : failures.slice(-1)) {
      if (isAskedFor || failure.at <= tab.onlineAt) continue
      const heard = failure.tab === tab || this.#hasHeard(tab, failure.at)
      if (heard && now < failure.until) {
        this.broken(
          'R7',
          `${tab.name} refreshes ${failure.until - now} ms too early after a failure`,
        )
      }
    }
  }

  /** R16: the refresh of a page that is gone is given time to land. */
  #checkOrphans(tab: Tab): void {
    const { network, setup, wipedAt, tabs } = this.world
    if (!setup.locks && tabs.length > 1) return // Another tab may have taken the mark away.
    for (const { sentAt } of network.orphans) {
      const early = sentAt + TIME_TO_LAND - Date.now()
      if (early > 0 && wipedAt < sentAt) {
        this.broken('R16', `${tab.name} refreshes ${early} ms before that of a closed page is over`)
      }
    }
  }

  #sentRequest({ tab, token, body }: Call<Tab>, request: Request): void {
    const { name, session } = request
    this.#note(`${tab.name} sends ${name} with ${token ?? 'no token'}`)
    if (request.settled) this.broken('R9', `${name} is sent after it was settled`)
    if (request.controller.signal.aborted) this.broken('R9', `${name} is sent after its abort`)
    if (request.sends === 2) this.broken('R4', `${name} is sent a third time`)
    if (request.sends === 1 && request.after401 === 'final') {
      this.broken('R4', `${name} is sent again, although its route refuses fresh tokens`)
    }
    if (request.sends === 1 && request.answer !== 401) this.broken('R4', `${name} is sent again`)
    if (request.sends === 1 && request.body !== body) this.broken('R10', `${name} has another body`)
    request.body = body
    request.sends += 1
    if (request.sends === 2) this.seen.add('a replay')
    request.atNetwork = true

    if (request.to === 'elsewhere' && token) this.broken('R5', `${token} goes to a foreign origin`)
    if (!session && token) this.broken('R6', `${name} was begun by nobody, and carries ${token}`)
    if (!session || request.to === 'elsewhere') return
    if (tab.auth.sessions.current() !== session) {
      this.broken('R6', `${name} is sent after the end of its session`)
    }
    if (!token) return this.broken('R6', `${name} carries no token`)
    if (!this.#belongs(token, session)) {
      this.broken('R6', `${name} carries ${token}, which is not of its session`)
    }
    if (tab.suspect?.token === token) {
      tab.doomed = { name, token }
      if (tab.suspect.isSure && !this.#mayHaveFailed(session, tab.suspect.at)) {
        this.broken('R2', `${name} carries ${token}, which is being replaced`)
      }
    }
    if (request.rejectedToken) tab.routes.refreshedFor(routeOf(request), token)
    else if (request.mayHaveWaited) tab.routes.lostSight(routeOf(request))
    if (Date.now() >= this.#deadline(token))
      this.broken('R2', `${token} is sent after its lifetime`)
  }

  answered(call: Call<Tab>, answer: Answer | Error): void {
    this.#lastEvent = Date.now()
    const { tab, endpoint, token } = call
    const status = answer instanceof Error ? answer.message : answer.status
    const grant = answer instanceof Error ? null : (answer.body as { accessToken?: string })
    this.#note(`${tab.name} gets ${status} for ${endpoint === 'notes' ? call.url : endpoint}`)
    if (endpoint === 'login') this.#signInAnswers.set(tab, answer)
    if (endpoint === 'login' && status === 401) this.#refusedSignIn(call)
    if (endpoint === 'notes') {
      const request = this.world.requestAt(call.url)
      request.atNetwork = false
      request.answer = answer instanceof Error ? answer : answer.status
      if (token) this.#judgeToken(call, token, answer)
    } else if (grant?.accessToken) {
      this.#deadlines.set(grant.accessToken, Date.now() + LIFETIME)
      if (endpoint === 'refresh') this.#refreshed(call, grant.accessToken)
      else tab.begins = true
    } else if (endpoint === 'refresh') {
      const refused = status === 400 || status === 401 || status === 403
      this.seen.add(refused ? 'a refresh that was refused' : 'a refresh that failed')
      if (!refused) this.#failed(call, answer)
      else {
        const session = this.#sessions.get(call)!
        tab.refusal = { session, sentAt: this.#sentAt.get(call)!, at: Date.now() }
        this.#judgeRefusal(tab)
      }
    }
  }

  /**
   * A refusal ends the session. Without Web Locks, another tab may have used the same refresh token and
   * got the next one: its message is given time to come.
   */
  #judgeRefusal(tab: Tab): void {
    const { refusal } = tab
    if (!refusal) return
    const { session, sentAt, at } = refusal
    const { locks } = this.world.setup
    const isRenewed = !locks && this.#isRenewed(tab, sentAt)
    const isOver = locks || Date.now() >= at + MESSAGE_DELAY
    if (!isRenewed && isOver) this.mustEnd(session, 'R8')
    if (isRenewed || isOver || this.isOver(session)) tab.refusal = null
  }

  #isRenewed(tab: Tab, since: number): boolean {
    const token = tab.auth.accessToken.value
    if (!token || tab.suspect?.token === token) return false
    const deadline = this.#deadline(token)
    return deadline - LIFETIME > since && Date.now() < deadline
  }

  /** What an answer of a route says about the token that it was sent with (R4). */
  #judgeToken({ tab, url }: Call<Tab>, token: string, answer: Answer | Error): void {
    if (answer instanceof Error) return
    const request = this.world.requestAt(url)
    const route = routeOf(request)
    const isCurrent = tab.auth.accessToken.value === token
    // A late 401 says nothing about the token that has come since (R3).
    if (answer.status !== 401 || isCurrent) tab.routes.answered(route, token, answer.status)
    // What is remembered of a route for a call that waits is remembered when its refresh has failed.
    if (answer.status !== 401 && !this.#waitsForAnother(tab, route, token)) {
      tab.rejectedBy.delete(`${route} ${token}`)
      tab.lacking.delete(`${route} ${token}`)
    }
    if (answer.status !== 401 || request.sends > 1) return
    request.after401 = isCurrent ? tab.routes.after401(route) : 'replay'
    if (request.after401 === 'final') return void this.seen.add('a closed route')
    tab.rejected.add(token)
    if (!isCurrent) return
    request.rejectedToken = token
    tab.rejectedBy.add(`${route} ${token}`)
    const isSure = request.after401 === 'replay'
    tab.suspect = { token, at: Date.now(), isSure: isSure || !!tab.suspect?.isSure }
    if (isSure) tab.wantsSince ??= Date.now()
  }

  /** Whether a call of this route waits for another token, because its 401 has rejected this one. */
  #waitsForAnother(tab: Tab, route: string, token: string): boolean {
    return this.world.requests.some(
      (request) =>
        request.tab === tab &&
        routeOf(request) === route &&
        request.rejectedToken === token &&
        request.sends === 1 &&
        !request.settled,
    )
  }

  /** Whether a refresh of this session may have failed since then, or held the next one back. */
  #mayHaveFailed({ id }: Session, since: number): boolean {
    return this.#failures.some(
      (failure) => failure.id === id && (failure.at >= since || failure.latest > since),
    )
  }

  /** It was answered, and leaves no doubt of its own. */
  #refusedSignIn(call: Call<Tab>): void {
    const { id } = this.#sessions.get(call) ?? {}
    if (id && this.#doubted.get(id) === call) this.#doubted.delete(id)
  }

  lostRotation(): void {
    this.seen.add('a rotation whose answer got lost')
  }

  wiped(): void {
    this.seen.add('a wiped storage')
  }

  abandoned(call: Call<Tab>, reason: unknown): void {
    this.#lastEvent = Date.now()
    const { tab, endpoint, url } = call
    this.#note(`${tab.name} gives up ${endpoint === 'notes' ? url : endpoint}`)
    if (endpoint === 'notes') this.world.requestAt(url).atNetwork = false
    const late = (reason as Error).name === 'TimeoutError'
    if (endpoint === 'refresh' && late) this.#failed(call, reason as Error)
    if (endpoint === 'login') this.#signInAnswers.set(tab, reason as Error)
  }

  #refreshed(call: Call<Tab>, token: string): void {
    this.seen.add('a refresh')
    const { id } = this.#sessions.get(call)!
    const { family } = this.world.api.accessTokens.get(token)!
    if (call.tab.token) this.#doubted.delete(id) // Whose it is has been compared.
    if (!this.#families.has(id)) this.#families.set(id, family)
    const known = this.#families.get(id)!
    const isOther = this.world.network.isSignInTorn ? known !== family : known.user !== family.user
    if (isOther) this.#strangers = !this.#areFamiliesSure()
    for (const failure of this.#failures) {
      if (failure.id === id) this.#makeGood(failure)
    }
    this.#latest = { id, tab: call.tab, token, at: Date.now() }
  }

  /** A refresh has succeeded: the failure before it is one for those alone who have not heard yet. */
  #makeGood(failure: Failure): void {
    const now = Date.now()
    failure.until = now
    const { latency, locks } = this.world.setup
    // Without Web Locks another tab may have failed while this one succeeded.
    if (locks) failure.latest = Math.min(failure.latest, now + latency + 1)
    failure.madeGoodAt ??= now
  }

  #failed(call: Call<Tab>, answer: Answer | Error): void {
    const at = Date.now()
    const { tab } = call
    const retryAfter = answer instanceof Error ? undefined : answer.headers?.['retry-after']
    const nonsense = !(answer instanceof Error) && answer.status === 200 && 'not a token grant'
    const message = nonsense || (answer instanceof Error ? answer.message : String(answer.status))
    const { id } = this.#sessions.get(call)!
    const { latency } = this.world.setup
    const before = this.#failures
      .filter((one) => one.id === id && (one.madeGoodAt ?? at) + latency >= at)
      .map(({ count }) => count)
    const count = Math.max(0, ...before) + 1
    const until = at + Number(retryAfter ?? 1) * 1000
    const latest = at + Number(retryAfter ?? Math.min(30, 2 ** (count - 1))) * 1000
    // Who waited has been told; who asks from now on begins to wait again.
    for (const other of this.world.tabs) other.wantsSince = null
    tab.suspect = null
    tab.forced = undefined
    this.#failures.push({ id, tab, message, at, until, latest, count, madeGoodAt: null })
  }

  // Requests

  begun(request: Request): void {
    const { name, tab, method, to, session } = request
    this.#note(`${tab.name} begins ${name} (${method} to ${to})`)
    const { token } = tab
    const rejection = `${routeOf(request)} ${token}`
    // A dead token is replaced whatever its route thinks of it.
    const lives = !!session && this.#isAlive(tab)
    if (lives && tab.lacking.has(rejection)) request.rejectedToken = token
    else request.mayHaveWaited = lives && tab.rejectedBy.has(rejection)
    const isDead = !token || tab.suspect?.token === token || Date.now() >= this.#deadline(token)
    if (session && isDead && to !== 'elsewhere') tab.wantsSince ??= Date.now()
  }

  aborted(request: Request): void {
    const { tab, sends, settled, rejectedToken } = request
    if (rejectedToken && sends <= 1 && !settled) tab.routes.lostSight(routeOf(request))
  }

  fulfilled(request: Request, value: unknown): void {
    const { name, tab, session, answer, controller } = request
    request.settled = true
    if (tab.closed) return
    if (controller.signal.aborted) this.broken('R9', `${name} fulfils after its abort`)
    if (session && tab.auth.sessions.current() !== session) {
      this.broken('R6', `${name} fulfils after the end of its session`)
    }
    if (answer !== 200) this.broken('R4', `${name} fulfils, but was answered ${answer}`)
    const owner = session && this.#owners.get(session)?.username
    const { for: user } = value as { for: string }
    if (owner && request.to === 'api' && user !== owner) {
      this.broken('R6', `${name} of ${owner} is answered for ${user}`)
    }
  }

  rejected(request: Request, reason: unknown): void {
    const { name, tab, session, answer, controller, sends, to } = request
    request.settled = true
    if (tab.closed) return
    const error = reason as Error & { status?: number }
    this.#note(`${name} rejects with ${error.name}: ${error.message}`)
    const bad = (rule: string) => this.broken(rule, `${name} rejects with ${error}`)
    const { after401, begunAt } = request
    const mayBeFinal = after401 === 'final' || after401 === 'either'
    const last = sends === 2 || !session || to === 'elsewhere' || mayBeFinal
    // What failed before the browser came online holds nothing back any more.
    const since = tab.onlineAt < begunAt ? tab.onlineAt : -1
    const isExcused = () => this.isExcuse(reason, { tab, since })
    // Nobody here waits any more: a failed refresh rejects for all, and the back-off at once.
    if (!(answer instanceof Error) && isExcused()) {
      this.gaveUp(tab)
      const { rejectedToken } = request
      if (rejectedToken) tab.lacking.add(`${routeOf(request)} ${rejectedToken}`)
    }
    if (controller.signal.aborted) {
      if (reason !== controller.signal.reason) bad('R9')
    } else if (session && tab.auth.sessions.current() !== session) {
      if (!(reason instanceof SessionEndedError)) bad('R6')
    } else if (answer instanceof Error) {
      if (error.cause !== answer) bad('R7')
    } else if (after401 === 'either' && sends === 1 && isExcused()) {
      // It did wait for a refresh, which failed.
    } else if (answer !== null && (answer !== 401 || last)) {
      if (error.status !== answer) bad('R4')
    } else if (!isExcused()) bad('R7')
    else if (answer === null && this.#isAlive(tab)) {
      // Known when the request began, or since.
      const wasOwn = !!request.rejectedToken || request.mayHaveWaited
      const isOwn =
        wasOwn || tab.rejectedBy.has(`${routeOf(request)} ${tab.auth.accessToken.value}`)
      if (!isOwn) bad('R4') // The 401 was another route's.
    }
  }

  /** Nobody in this tab waits for a refresh any more: it has failed, here or in another tab. */
  gaveUp(tab: Tab): void {
    tab.wantsSince = null
    tab.suspect = null
    tab.forced = undefined
  }

  /** Whether this is what the network brought for a sign-in of this tab. */
  isAnswer(reason: unknown, tab: Tab): boolean {
    const answer = this.#signInAnswers.get(tab)
    if (!answer) return false
    const { name, message, status } = reason as Error & { status?: number }
    if (answer instanceof Error) return message === answer.message
    return answer.status === 200 ? name === 'InvalidGrantError' : status === answer.status
  }

  /** Whether this is a failure of a refresh, as the network or the API gave it (R7), heard `from` then on. */
  readonly isExcuse = (reason: unknown, from?: { tab: Tab; since: number }): boolean => {
    const { message } = reason as Error
    if (reason instanceof FetchError) return false
    return this.#failures.some(
      (failure) =>
        message.includes(failure.message) &&
        Date.now() < failure.latest &&
        (!from || this.#heardAt(failure, from.tab) >= from.since),
    )
  }

  #heardAt({ tab, at }: Failure, by: Tab): number {
    return tab === by ? at : at + this.world.setup.latency
  }

  // Steps

  opened(tab: Tab): void {
    this.#note(`${tab.name} opens`)
  }

  closed(tab: Tab): void {
    this.#lastEvent = Date.now()
    this.#note(`${tab.name} is closed`)
  }

  /** From now on no tab may have this session, but for those who have not heard yet. */
  mustEnd({ id }: Session, rule: string): void {
    if (!this.#ends.has(id)) this.#ends.set(id, { at: Date.now(), rule })
  }

  /** A sign-out ends the session that the browser profile is in, heard of or not (R13). */
  signedOut(): void {
    if (this.#newest) this.mustEnd(this.#newest, 'R13')
  }

  /** Whether the session has ended, heard of or not. */
  isOver({ id }: Session): boolean {
    return this.#ends.has(id)
  }

  observe(): void {
    // Who begins a session first: the others have heard of it.
    const tabs = this.world.tabs.sort((one, other) => Number(other.begins) - Number(one.begins))
    for (const tab of tabs) this.#observeTab(tab)
    for (const request of this.world.requests) this.#observeRequest(request)
    for (const tab of tabs) this.#observeDoomed(tab)
    for (const [key, value] of this.world.profile.storage) {
      if (/access-|refresh-/.test(value)) this.broken('R14', `${key} holds ${value}`)
    }
  }

  #observeTab(tab: Tab): void {
    const session = tab.auth.sessions.current()
    const token = tab.auth.accessToken.value
    this.#judgeRefusal(tab)
    if (session !== tab.session) {
      this.#changed(tab, tab.session, session)
      tab.routes = new Routes()
    }
    if (tab.suspect && tab.suspect.token !== token) tab.suspect = null
    if (token && session && token !== tab.token) {
      const { family } = this.world.api.accessTokens.get(token)!
      if (!this.#families.has(session.id)) this.#families.set(session.id, family)
      if (!this.#owners.has(session)) this.#owners.set(session, family.user)
      if (this.#latest?.token === token && this.#latest.tab !== tab) {
        this.seen.add('a token of another tab')
      }
      if (!this.#belongs(token, session)) {
        this.broken('R6', `${tab.name} holds ${token} in the session of another`)
      }
      tab.wantsSince = null
    }
    tab.begins = false
    tab.session = session
    tab.token = token

    const end = session && this.#ends.get(session.id)
    if (end && tab.awake && Date.now() > end.at + this.world.setup.latency) {
      this.broken(end.rule, `${tab.name} is still in a session that is over`)
    }
  }

  #changed(tab: Tab, before: Session | null, after: Session | null): void {
    this.#note(`${tab.name} is ${tab.auth.status.value} (session ${after?.id ?? 'none'})`)
    if (before && !after && !this.#ends.has(before.id)) {
      this.broken('R7', `${tab.name} has ended a session that nobody ended`)
    }
    if (after && this.#ends.has(after.id)) {
      const { at } = this.#ends.get(after.id)!
      if (Date.now() > at + this.world.setup.latency) {
        this.broken('R12', `${tab.name} goes back to a session that is over`)
      }
    }
    // R6: after a sign-in without an answer, what a refresh brings to a tab without a token is unknown.
    const isDoubted = !!before && this.#doubted.has(before.id) && !tab.token
    if (after && tab.begins) {
      this.seen.add('a sign-in')
      const last = before && this.#owners.get(before)
      if (last && last.id !== this.#familyOf(tab).user.id) this.seen.add('another person')
      if (this.#newest) this.mustEnd(this.#newest, 'R13')
      this.#newest = after
      this.#families.set(after.id, this.#familyOf(tab))
    } else if (after && !this.#families.has(after.id) && !this.#strangers && !isDoubted) {
      this.broken('R12', `${tab.name} is in a session that nobody began`)
    }
    // Known limit (R6): if the storage is cleared, nobody knows of the sign-in that got no answer.
    const isForgotten = this.world.network.isSignInTorn && this.world.wipedAt >= 0
    const isSameId = before?.id === after?.id && isForgotten
    if (before && after && !isSameId) this.mustEnd(before, 'R13')
  }

  #observeRequest({ name, tab, session, settled, atNetwork, controller }: Request): void {
    if (settled || tab.closed) return
    if (controller.signal.aborted) this.broken('R9', `${name} does not reject when aborted`)
    if (session && session !== tab.session) this.broken('R6', `${name} outlives its session`)
    const idle = Date.now() > this.#lastEvent + PATIENCE + MESSAGE_DELAY * this.world.tabs.length
    const calls = [...this.world.network.calls].some(({ endpoint }) => endpoint !== 'notes')
    // R16: a tab gives the refresh of another page time to land. One that is asleep does not hear that
    // it has landed, and without Web Locks it may wait for one of a page that is still there.
    const stored = this.world.profile.storage.get('silent-refresh.refresh-sent-at')
    const mayLand = stored !== undefined || !this.world.setup.locks
    const lastEvent = mayLand ? this.#lastEvent : 0
    // Nor does it hear that another script has cleared what is known of that page.
    const orphanAt = this.world.network.orphans.at(-1)?.sentAt ?? 0
    const since = Math.max(parseInt(stored ?? '0'), orphanAt, lastEvent)
    const isLanding = since > 0 && Date.now() < since + TIME_TO_LAND + PATIENCE
    if (!atNetwork && idle && !calls && !isLanding) this.broken('R11', `${name} waits for nothing`)
  }

  /** R2: while a call waits for another token because of a 401, no other carries the rejected one. */
  #observeDoomed(tab: Tab): void {
    const { doomed } = tab
    tab.doomed = null
    if (!doomed || doomed.token !== tab.token) return
    const waiting = this.world.requests.find(
      (request) =>
        request.tab === tab &&
        request.after401 === 'replay' &&
        request.rejectedToken === doomed.token &&
        request.sends === 1 &&
        !request.settled,
    )
    if (!waiting) return
    this.broken('R2', `${doomed.name} is sent while ${waiting.name} waits for another token`)
  }

  /** After everything has settled all tabs are at one, and at one with the API (R13). */
  agreed(): void {
    const views = this.world.tabs.map(({ auth }) => {
      const { status, user } = auth
      return `${status.value} ${(user.value as User | null)?.username ?? ''}`
    })
    if (new Set(views).size > 1) this.broken('R13', `tabs disagree: ${views.join(', ')}`)
    if (views.some((view) => view.startsWith('restoring'))) this.broken('R13', 'a tab is restoring')
    const { profile, api } = this.world
    const family = api.familyOf(profile.cookie)
    const expected =
      family?.state === 'live' ? `authenticated ${family.user.username}` : 'anonymous '
    // A sign-in of which only the cookie arrived is no sign-in yet, for a person who was not signed in.
    if (this.world.network.isSignInTorn && views[0] === 'anonymous ') return
    if (views[0] !== expected) this.broken('R13', `${views[0]}, but the API says ${expected}`)
  }

  #belongs(token: string, session: Session): boolean {
    const { family } = this.world.api.accessTokens.get(token)!
    if (this.#areFamiliesSure()) return family === this.#families.get(session.id)
    return family.user === (this.#owners.get(session) ?? family.user)
  }

  /** Whether each sign-in at the API has been seen to begin its session. */
  #areFamiliesSure(): boolean {
    return this.world.setup.locks && !this.world.network.isSignInTorn
  }

  #familyOf(tab: Tab): Family {
    return this.world.api.accessTokens.get(tab.auth.accessToken.value!)!.family
  }

  #isAlive(tab: Tab): boolean {
    const token = tab.auth.accessToken.value
    return !!token && Date.now() < this.#deadline(token)
  }

  #hasHeard(tab: Tab, at: number): boolean {
    return tab.awake && tab.awakeSince < at && Date.now() > at + this.world.setup.latency
  }

  #deadline(token: string): number {
    return this.#deadlines.get(token)!
  }
}

/** A route is a method and an address (R4). */
function routeOf({ method, to }: Request): string {
  return `${method} ${to}`
}
