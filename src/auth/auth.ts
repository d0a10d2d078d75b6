/**
 * Signing in and out, restoring a session, and the face of all this in the store. What a session does
 * with its token is decided in session.ts, and what is shown changes in current.ts.
 */
import { computed, markRaw, onScopeDispose } from 'vue'
import type { AuthBackend, CallOptions } from './backend.ts'
import { UserSchema, readGrant } from './contract.ts'
import type { PasswordCredentials, User, UserSchemaOf } from './contract.ts'
import { createCurrentSession, isOf, newSessionId } from './current.ts'
import { SessionEndedError, isRefusal } from './errors.ts'
import type { EndOfAll } from './errors.ts'
import { createReport, statusProblem } from './events.ts'
import type { AuthEvent, Outcome, RefreshCause } from './events.ts'
import { createGrantRequest } from './grant.ts'
import type { HeldGrant } from './grant.ts'
import type { Session } from './session.ts'
import { withTimeLimit } from './signals.ts'
import { createHistory, followOtherTabs } from './tabs/follow.ts'
import { createOtherTabs } from './tabs/other-tabs.ts'
import { createTabs, noTabs } from './tabs/tabs.ts'
import type { Tabs } from './tabs/tabs.ts'

export interface AuthOptions<Credentials = PasswordCredentials, U extends User = User> {
  backend: AuthBackend<Credentials>
  /**
   * A valibot schema of the app's user: what crosses the wire, and what `user` is. Fields that it does not
   * name are dropped. Default: an `id`, `roles`, and whatever else the API says.
   */
  user?: UserSchemaOf<U>
  /**
   * Names what the tabs share: a lock, a channel, stored values. Two apps on one origin need two names
   * (`sharedName`). Default `silent-refresh`.
   */
  name?: string
  /** Default: the tabs of this browser profile. Null: this tab is on its own. */
  tabs?: Tabs | null
  /**
   * When a new page asks the API who is signed in. `known` (default): if a session is known in this
   * browser, so that a first visit costs no request. `always`: also for a sign-in outside the app or a
   * browser that has wiped script storage; costs each visitor who is not signed in one rejected
   * refresh. Where nothing can be stored, nothing is known, and `always` is what happens.
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

export function createAuth<Credentials = PasswordCredentials, U extends User = User>(
  options: AuthOptions<Credentials, U>,
) {
  const {
    now = Date.now,
    random = Math.random,
    timeout = 10_000,
    restore: when = 'known',
  } = options
  // A tab that keeps the lock for longer than a refresh may take is frozen, and loses it. A refresh may
  // take its time limit, after 1 s for a message and 4 s for the previous page (tabs/other-tabs.ts).
  const { tabs = createTabs({ name: options.name, patience: timeout + 7_000 }) } = options
  const report = createReport(options.onEvent)
  const { backend, isCalling } = watchCalls(options.backend)
  const userSchema = options.user ?? UserSchema
  const ask = createGrantRequest({ backend, userSchema, now, random, timeout })

  // The tabs, the session that is current in this one, and what other tabs change in it.
  const others = createOtherTabs({ tabs: tabs ?? noTabs(), userSchema, now })
  const history = createHistory(others, now)
  const sessions = createCurrentSession({
    now,
    random,
    exclusive: others.exclusive,
    waitForOtherTabs: others.wait,
    tell: others.tell,
    onChange: history.note,
    requestGrant,
    report,
  })
  const { catchUp, stop } = followOtherTabs({ others, sessions, history, report })
  const { state, current, announce, apply } = sessions

  /** Aborts the sign-ins that are under way. */
  let signIns = new AbortController()

  /**
   * Signs in, and replaces a session that there may be.
   *
   * @throws what the back end throws, or SessionEndedError if signed out before it answered
   */
  async function login(credentials: Credentials): Promise<void> {
    const { signal } = signIns
    await others.exclusive(async () => {
      const wasInDoubt = others.stored.isInDoubt()
      const signIn = (options: CallOptions) => {
        others.stored.setInDoubt(true) // R6
        return backend.login(credentials, options)
      }
      const done = (outcome: Outcome) => report({ type: 'sign-in', ...outcome })
      const grant = await ask(signIn, signal, null, done).catch((error) => {
        if (isRefusal(error)) others.stored.setInDoubt(wasInDoubt)
        throw error
      })
      signal.throwIfAborted() // R12
      announce({ type: 'granted', id: newSessionId(), grant })
    })
  }

  /**
   * Ends the session in all tabs, at once: calls that wait reject with SessionEndedError, and a refresh
   * that answers later changes nothing (R12). Resolves when the API has answered. If it could not be
   * told, the next `restore()` tells it. With the reason `expired` people are asked to sign in again
   * and brought back, as after a session that ended by itself.
   */
  async function logout({ reason = 'signed-out' }: { reason?: EndOfAll } = {}): Promise<void> {
    catchUp() // Somebody may just have signed in, in another tab.
    const session = current()
    const id = session?.id ?? null
    const grant = session?.isAlive() ? session.grant : null
    signIns.abort(new SessionEndedError(reason)) // R12
    signIns = new AbortController()
    if (session) announce({ type: 'ended', id: session.id, reason })
    others.stored.oweSignOut(id)
    await settleSignOut(id, reason, grant)
  }

  /** Tells the API of a sign-out, unless somebody has signed in meanwhile: the refresh token is theirs. */
  async function settleSignOut(id: string | null, reason: EndOfAll, grant: HeldGrant | null) {
    await others.alone(async () => {
      if (!others.stored.isFree(id)) return
      others.stored.oweSignOut(id) // A tab that heard of the end may have overwritten it.
      if (await tellSignOut(grant)) others.stored.signOutTold(reason)
    })
  }

  /**
   * Whether the API knows that the session is over. Some want an access token to sign out. They get the
   * one of the session, and if that is refused or dead, one that is fetched for the sign-out alone.
   */
  async function tellSignOut(grant: HeldGrant | null): Promise<boolean> {
    let token = grant?.accessToken ?? null
    const tell = async ({ signal }: { signal: AbortSignal }) => {
      let isTokenUsed = false
      const getAccessToken = async () => {
        isTokenUsed = token !== null
        token ??= await tokenForSignOut(signal)
        return token
      }
      await backend.logout({ signal, getAccessToken }).catch((error) => {
        if (!isTokenUsed || !isRefusal(error)) throw error
        token = null
        return backend.logout({ signal, getAccessToken })
      })
    }
    // A refusal of a fresh token, or of the refresh: there is no session to end.
    return withTimeLimit(tell, timeout).then(() => true, isRefusal)
  }

  async function tokenForSignOut(signal: AbortSignal): Promise<string> {
    const answer = await others.markRefresh(() => backend.refresh({ signal }), signal)
    return readGrant(answer).accessToken
  }

  /**
   * Gets a new access token now, and with it the user as the API knows them, in all tabs. Requests
   * refresh by themselves when they need to. Sent even while failed refreshes are held back (R7). A
   * refresh that is under way is joined.
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
   * Resolves when it is known who is signed in. `src/main.ts` calls it on each page load. A session is
   * known if its random id is in localStorage: then one refresh gets the token, because the refresh
   * token has outlived the page (in an HttpOnly cookie). Else it resolves at once, unless `restore` is
   * `always`. The refresh is sent even during the pause (R7). A sign-out that the API does not know of
   * is told first.
   *
   * @throws the failure of the refresh if it is temporary; `status` stays `restoring`
   */
  async function restore(): Promise<void> {
    if (others.stored.isSignOutOwed()) {
      catchUp() // R13: another tab may have signed out while this one slept.
      await settleSignOut(null, 'signed-out', null)
    }
    while (state.value.status === 'restoring') {
      const session = current()!
      await session.nextTokenNow('restore').catch((error) => {
        if (!session.ended) throw error
      })
    }
  }

  /**
   * Resolves when the refresh of `restore()` has been sent, if there is one, or waits for another tab.
   * What is loaded after it is behind the refresh in the browser's queue (HTTP/1.1: six connections).
   */
  async function restoreSent(): Promise<void> {
    if (state.value.status === 'restoring') await others.asked()
  }

  /** @throws Error in a function of the back end: the call would wait for itself */
  function currentForCall(): Session | null {
    if (!isCalling()) return current()
    throw new Error(
      'A function of the back end has called the store or its API client, and would wait for itself. ' +
        'Use the accessToken that it is given, and fetch or createRequest.',
    )
  }

  function currentOrThrow(): Session {
    const session = currentForCall()
    if (!session) throw new SessionEndedError(state.value.endReason ?? 'signed-out')
    return session
  }

  async function requestGrant(session: Session, cause: RefreshCause) {
    const send = (options: CallOptions) =>
      others.markRefresh(() => backend.refresh(options), options.signal)
    const asksForUser = backend.getUser && (others.stored.isInDoubt() || cause === 'requested')
    const known = (!asksForUser && session.grant?.user) || null
    const grant = await ask(send, session.signal, known, (outcome) => {
      const { problem = statusProblem(outcome) } = outcome
      report({ type: 'refresh', cause, waiting: session.waiting, ...outcome, problem })
    })
    catchUp() // Without Web Locks, somebody may have signed in meanwhile.
    session.throwIfEnded() // R12
    const isOther = session.grant ? !isOf(session, grant) : others.stored.isInDoubt() // R6
    return { id: isOther ? newSessionId() : session.id, grant }
  }

  // R7: the network is back, so the next call need not sit out the pause.
  const online = () => current()?.endPause()
  globalThis.addEventListener?.('online', online)
  onScopeDispose(() => {
    globalThis.removeEventListener?.('online', online)
    stop()
  }, true) // Silent without a scope, as in a test.

  const id = others.stored.id()
  const isAsked = when === 'always' || !others.stored.isShared
  if (id) apply({ type: 'joined', id })
  else if (isAsked && !others.stored.isSignOutOwed()) {
    apply({ type: 'joined', id: newSessionId(), isGuess: true })
  }

  const status = computed(() => state.value.status)
  const user = computed(() => state.value.user as U | null)
  return {
    status,
    user,
    accessToken: computed(() => state.value.accessToken),
    /** From when on a call renews the access token, in milliseconds since the epoch. */
    accessTokenRenewsAt: computed(() => state.value.renewAt),
    isAuthenticated: computed(() => status.value === 'authenticated'),
    endReason: computed(() => state.value.endReason),
    /** The error with which the API refused the refresh, if that ended the session. */
    endCause: computed(() => state.value.endCause),
    hasRole: computed(() => (role: string) => user.value?.roles.includes(role) ?? false),
    /** Whether the user has a permission, if the app's user has a list of `permissions`. */
    can: computed(() => (permission: string) => permissionsOf(user.value).includes(permission)),
    login,
    logout,
    refresh,
    restore,
    restoreSent,
    getAccessToken,
    /** The session in which a call begins (fetch.ts). */
    sessions: markRaw({ current: currentForCall }),
  }
}

function permissionsOf(user: User | null): unknown[] {
  const { permissions } = Object(user)
  return Array.isArray(permissions) ? permissions : []
}

/** The same back end, and whether one of its functions is being called right now. */
function watchCalls<Credentials>(backend: AuthBackend<Credentials>) {
  let isCalling = false
  function call<T>(run: () => T): T {
    isCalling = true
    try {
      return run()
    } finally {
      isCalling = false
    }
  }
  const { getUser } = backend
  const watched: AuthBackend<Credentials> = {
    login: (credentials, options) => call(() => backend.login(credentials, options)),
    refresh: (options) => call(() => backend.refresh(options)),
    logout: (options) => call(() => backend.logout(options)),
    getUser: getUser && ((token, options) => call(() => getUser.call(backend, token, options))),
  }
  return { backend: watched, isCalling: () => isCalling }
}
