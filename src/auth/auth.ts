/**
 * Who is signed in: sign-in, sign-out, restore, and which session is the current one. What a session
 * does with its token is decided in session.ts. The other tabs are a layer on top (tabs/).
 */
import { computed, markRaw, onScopeDispose, shallowRef } from 'vue'
import type { AuthBackend, CallOptions } from './backend.ts'
import { lifetimeProblem, readGrant, readUser } from './contract.ts'
import type { PasswordCredentials, TokenGrant, User } from './contract.ts'
import { InvalidGrantError, SessionEndedError, isRefusal } from './errors.ts'
import type { EndReason } from './errors.ts'
import type { AuthEvent, RefreshCause } from './events.ts'
import { Session } from './session.ts'
import type { HeldGrant, SessionOwner } from './session.ts'
import { withTimeLimit } from './signals.ts'
import { shareSession, singleTab } from './tabs/shared-session.ts'
import { createTabs } from './tabs/tabs.ts'
import type { Tabs } from './tabs/tabs.ts'

export interface AuthOptions<Credentials = PasswordCredentials> {
  backend: AuthBackend<Credentials>
  /** Default: the tabs of this browser profile. Null: this tab is on its own. */
  tabs?: Tabs | null
  /**
   * When a new page asks the API who is signed in. `known` (default): if a session is known in this
   * browser, so that a first visit costs no request. `always`: also for a sign-in outside the app or a
   * browser that has wiped script storage; costs each visitor who is not signed in one rejected
   * refresh. Without tabs nothing is known, and the default is `always`.
   */
  restore?: 'known' | 'always'
  /** Milliseconds that a call to the back end may take (R11). Default 10,000. */
  timeout?: number
  /** Called with what the session does, for logs and metrics. It may throw. */
  onEvent?: (event: AuthEvent) => void
  /** The clock: milliseconds since the epoch. */
  now?: () => number
  /** A number from 0 up to, but not including, 1. */
  random?: () => number
}

/** What is shown changes all at once: nobody sees a user who is not signed in. */
interface AuthState {
  status: 'restoring' | 'anonymous' | 'authenticated'
  user: User | null
  accessToken: string | null
  endReason: 'signed-out' | 'expired' | null
}

export function createAuth<Credentials = PasswordCredentials>(options: AuthOptions<Credentials>) {
  const { backend, onEvent, now = Date.now, random = Math.random, timeout = 10_000 } = options
  const { tabs = createTabs({ patience: timeout + 5_000 }) } = options
  const { restore: restoreWhen = tabs ? 'known' : 'always' } = options

  // The session is not reactive: a request inside an effect must not depend on its token.
  let current: Session | null = null
  const state = shallowRef<AuthState>(stateOf(null, null))
  /** Aborts the sign-ins that are under way. */
  let signIns = new AbortController()
  /** A sign-in has failed on its way. The refresh token may be another person's by now (R6). */
  let isUserInDoubt = false
  const share = tabs ? shareSession.bind(null, tabs) : singleTab
  const others = share({ now, current: () => current, join, endHere, heard })

  const owner: SessionOwner = {
    now,
    random,
    exclusive: others.exclusive,
    requestGrant,
    refreshFailed: others.failed,
    replayed(session, route, status, isRefused) {
      if (isRefused) others.refused(session, route)
      report({ type: 'replay', path: route.slice(route.indexOf('/')), status })
    },
    endInAllTabs,
  }

  /**
   * Signs in, and replaces a session that there may be.
   *
   * @throws what the back end throws, or SessionEndedError if signed out before it answered
   */
  async function login(credentials: Credentials): Promise<void> {
    const { signal } = signIns
    await others
      .exclusive(async () => {
        const call = (options: CallOptions) => backend.login(credentials, options)
        const grant = await askApi(call, signal, null, (outcome) =>
          report({ type: 'sign-in', ...outcome }),
        )
        signal.throwIfAborted() // R12
        begin(openSession(), grant)
      })
      .catch((error) => {
        if (!isRefusal(error)) isUserInDoubt = true
        throw error
      })
  }

  /**
   * Ends the session in all tabs, at once. The promise resolves when the API knows. If that fails, the
   * next restore tells it, if the refresh token is in a cookie.
   */
  async function logout(): Promise<void> {
    others.catchUp() // Somebody may just have signed in, in another tab.
    const session = current
    signIns.abort(new SessionEndedError('signed-out')) // R12
    signIns = new AbortController()
    if (session) endInAllTabs(session, 'signed-out')
    others.signOut.owe()
    await others.signOut.settle(session, tellSignOut)
  }

  /** Whether the API knows that the session is over. */
  async function tellSignOut(): Promise<boolean> {
    return withTimeLimit((call) => backend.logout(call), timeout).then(() => true, isRefusal)
  }

  /**
   * Gets a new access token now, and with it the user as the API knows them, in all tabs. Requests
   * refresh by themselves when they need to. Sent even while failed refreshes are held back (R7).
   *
   * @throws SessionEndedError, or the failure of the refresh
   */
  async function refresh(): Promise<void> {
    await currentOrThrow().nextTokenNow('requested')
  }

  /**
   * An access token that may be sent now, for a WebSocket or a foreign client.
   *
   * @throws SessionEndedError, or the failure of the refresh
   */
  async function getAccessToken(): Promise<string> {
    return currentOrThrow().tokenToSend()
  }

  /**
   * Resolves when it is known who is signed in: after one refresh if a session is known, else at once.
   * Sent even while failed refreshes are held back (R7).
   *
   * @throws the failure of the refresh if it is temporary; `status` stays `restoring`
   */
  async function restore(): Promise<void> {
    if (others.signOut.isOwed()) {
      others.catchUp() // R13: another tab may have signed out while this one slept.
      return others.signOut.settle(null, tellSignOut)
    }
    while (state.value.status === 'restoring') {
      const session = current!
      await session.nextTokenNow('restore').catch((error) => {
        if (!session.ended) throw error
      })
    }
  }

  function currentOrThrow(): Session {
    if (!current) throw new SessionEndedError(state.value.endReason ?? 'signed-out')
    return current
  }

  async function requestGrant(session: Session, cause: RefreshCause): Promise<void> {
    const call = (options: CallOptions) => others.markRefresh(() => backend.refresh(options))
    const isSure = !isUserInDoubt || !backend.getUser
    const known = (isSure && session.grant?.user) || null
    const grant = await askApi(call, session.signal, known, (outcome) =>
      report({ type: 'refresh', cause, waiting: session.waiting, ...outcome }),
    )
    others.catchUp() // Without Web Locks, somebody may have signed in meanwhile.
    session.throwIfEnded() // R12
    begin(sessionFor(grant, session), grant)
  }

  /** Asks the API for a grant until `ended` aborts, and for the user if nobody is known. */
  async function askApi(
    call: (options: CallOptions) => Promise<TokenGrant>,
    ended: AbortSignal,
    known: User | null,
    done: (outcome: Outcome) => void,
  ): Promise<HeldGrant> {
    const startedAt = now()
    try {
      const grant = await withTimeLimit(
        async (options) => {
          const answer = readGrant(await call(options))
          const receivedAt = now()
          const user = answer.user ?? known ?? (await askForUser(answer.accessToken, options))
          return { ...answer, user, receivedAt }
        },
        timeout,
        ended,
      )
      const { user, accessToken, receivedAt } = grant
      const problem = lifetimeProblem(grant)
      done({ outcome: 'granted', milliseconds: now() - startedAt, problem })
      return { user, accessToken, receivedAt, expiresAt: receivedAt + grant.expiresIn * 1000 }
    } catch (error) {
      const outcome = isRefusal(error) ? 'refused' : 'failed'
      const problem = error instanceof InvalidGrantError ? error.message : undefined
      const { status } = Object(error)
      done({ outcome, milliseconds: now() - startedAt, status, problem })
      throw error
    }
  }

  async function askForUser(accessToken: string, options: CallOptions): Promise<User> {
    if (!backend.getUser) throw new InvalidGrantError('The grant has no user: add it, or getUser')
    return readUser(await backend.getUser(accessToken, options))
  }

  function openSession(id = newId()): Session {
    return new Session(id, owner)
  }

  /** R6: a session belongs to one person. Without Web Locks, another's refresh token may be sent. */
  function sessionFor({ user }: HeldGrant, session: Session, id = newId()): Session {
    return session.grant && session.grant.user.id !== user.id ? openSession(id) : session
  }

  /** This tab has got a grant. All tabs go on with it. */
  function begin(session: Session, grant: HeldGrant): void {
    isUserInDoubt = false
    others.granted(session, grant)
    enter(session, grant) // Last, because whoever watches may end it right then.
  }

  function join(id: string, grant: HeldGrant | null): void {
    const session = current?.id === id ? current : openSession(id)
    enter(grant ? sessionFor(grant, session, id) : session, grant)
  }

  function enter(session: Session, grant: HeldGrant | null): void {
    if (current && current !== session) endOne(current, 'replaced') // R6
    current = session
    session.isKnown = true
    if (grant) session.hold(grant)
    others.joined(session)
    show(null)
  }

  /** Ends the session in this tab and in all others (R8, R13). */
  function endInAllTabs(session: Session, reason: EndReason, cause?: unknown): SessionEndedError {
    const error = endInThisTab(session, reason, cause)
    others.ended(session, reason)
    return error
  }

  function endHere(session: Session, reason: EndReason): void {
    endInThisTab(session, reason)
  }

  function endInThisTab(session: Session, reason: EndReason, cause?: unknown): SessionEndedError {
    current = null
    const error = endOne(session, reason, cause)
    show(session.isKnown ? reason : null) // That nobody is signed in is no end.
    return error
  }

  function endOne(session: Session, reason: EndReason, cause?: unknown): SessionEndedError {
    const error = new SessionEndedError(reason, cause)
    others.left(session, reason)
    session.end(error)
    if (session.isKnown) report({ type: 'end', reason })
    return error
  }

  function show(reason: EndReason | null): void {
    state.value = stateOf(current, reason === 'replaced' ? null : reason)
  }

  function heard(brought: 'grant' | 'failure' | 'end'): void {
    report({ type: 'other-tab', brought })
  }

  function report(event: AuthEvent): void {
    try {
      onEvent?.(event)
    } catch (error) {
      console.error(error)
    }
  }

  const online = () => current?.endBackOff()
  globalThis.addEventListener?.('online', online)
  onScopeDispose(() => {
    globalThis.removeEventListener?.('online', online)
    others.stop()
  }, true) // Silent without a scope, as in a test.

  const id = others.knownId()
  if (id) enter(openSession(id), null)
  else if (restoreWhen === 'always' && !others.signOut.isOwed()) {
    current = openSession() // Nobody knows whether there is one.
    show(null)
  }

  const status = computed(() => state.value.status)
  const user = computed(() => state.value.user)
  return {
    status,
    user,
    accessToken: computed(() => state.value.accessToken),
    isAuthenticated: computed(() => status.value === 'authenticated'),
    endReason: computed(() => state.value.endReason),
    hasRole: computed(() => (role: string) => user.value?.roles.includes(role) ?? false),
    login,
    logout,
    refresh,
    restore,
    getAccessToken,
    /** The session in which a call begins (fetch.ts). */
    sessions: markRaw({ current: () => current }),
  }
}

type Outcome = Omit<Extract<AuthEvent, { type: 'sign-in' }>, 'type'>

function stateOf(session: Session | null, endReason: AuthState['endReason']): AuthState {
  const { user = null, accessToken = null } = session?.grant ?? {}
  const status = !session ? 'anonymous' : user ? 'authenticated' : 'restoring'
  return { status, user, accessToken, endReason }
}

/** Random, but no secret. `randomUUID` is missing on plain http. */
function newId(): string {
  const parts = crypto.getRandomValues(new Uint32Array(4))
  return Array.from(parts, (part) => part.toString(36)).join('')
}
