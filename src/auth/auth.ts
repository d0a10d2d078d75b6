/**
 * Signing in and out, restoring a session, and the face of all this in the store. What a session does
 * with its token is decided in session.ts. The other tabs are a layer on top (tabs/).
 */
import { computed, markRaw, onScopeDispose } from 'vue'
import type { CallOptions } from './backend.ts'
import type { PasswordCredentials } from './contract.ts'
import { createCurrentSession } from './current.ts'
import { SessionEndedError, isRefusal } from './errors.ts'
import { createReport } from './events.ts'
import type { RefreshCause } from './events.ts'
import { createGrantRequest } from './grant.ts'
import type { AuthOptions } from './options.ts'
import { renewsAt } from './session.ts'
import type { Session, SessionOwner } from './session.ts'
import { withTimeLimit } from './signals.ts'
import { shareSession } from './tabs/shared-session.ts'
import { singleTab } from './tabs/single-tab.ts'
import { createTabs } from './tabs/tabs.ts'

export function createAuth<Credentials = PasswordCredentials>(options: AuthOptions<Credentials>) {
  const { backend, now = Date.now, random = Math.random, timeout = 10_000 } = options
  const { tabs = createTabs({ patience: timeout + 5_000 }) } = options
  const { restore: restoreWhen = tabs ? 'known' : 'always' } = options
  const report = createReport(options.onEvent)

  const { state, current, begin, join, guess, endInAllTabs, endInThisTab } = createCurrentSession(
    () => ({ owner, others, report }),
  )
  /** Aborts the sign-ins that are under way. */
  let signIns = new AbortController()
  /** A sign-in got no answer. The cookie may be another person's by now (R6). */
  let isUserInDoubt = false
  const ask = createGrantRequest({ backend, now, timeout })
  const share = tabs ? shareSession.bind(null, tabs) : singleTab
  const others = share({ now, current, join, endInThisTab, report })

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
        const signIn = (options: CallOptions) => backend.login(credentials, options)
        const grant = await ask(signIn, signal, null, (outcome) =>
          report({ type: 'sign-in', ...outcome }),
        )
        signal.throwIfAborted() // R12
        isUserInDoubt = false
        begin(null, grant)
      })
      .catch((error) => {
        if (!isRefusal(error)) isUserInDoubt = true
        throw error
      })
  }

  /**
   * Ends the session in all tabs, at once: calls that wait reject with SessionEndedError, and a refresh
   * that answers later changes nothing (R12). Resolves when the API has answered. If it could not be
   * told, the next `restore()` tells it, if the refresh token is in a cookie.
   */
  async function logout(): Promise<void> {
    others.catchUp() // Somebody may just have signed in, in another tab.
    const session = current()
    signIns.abort(new SessionEndedError('signed-out')) // R12
    signIns = new AbortController()
    if (session) endInAllTabs(session, 'signed-out')
    others.signOut.owe()
    await others.signOut.settle(session, tellSignOut)
  }

  /** Whether the API knows that the session is over. */
  async function tellSignOut(): Promise<boolean> {
    const told = withTimeLimit((options) => backend.logout(options), timeout)
    // A refusal: there is nothing to tell.
    return told.then(() => true, isRefusal)
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
   * Resolves when it is known who is signed in. `src/main.ts` calls it on each page load. A session is
   * known if its random id is in localStorage: then one refresh gets the token, because the refresh
   * token has outlived the page (in an HttpOnly cookie). Else it resolves at once, unless `restore` is
   * `always`. The refresh is sent even inside the back-off (R7). A sign-out that the API does not know of is told first.
   *
   * @throws the failure of the refresh if it is temporary; `status` stays `restoring`
   */
  async function restore(): Promise<void> {
    if (others.signOut.isOwed()) {
      others.catchUp() // R13: another tab may have signed out while this one slept.
      return others.signOut.settle(null, tellSignOut)
    }
    while (state.value.status === 'restoring') {
      const session = current()!
      await session.nextTokenNow('restore').catch((error) => {
        if (!session.ended) throw error
      })
    }
  }

  function currentOrThrow(): Session {
    const session = current()
    if (!session) throw new SessionEndedError(state.value.endReason ?? 'signed-out')
    return session
  }

  async function requestGrant(session: Session, cause: RefreshCause): Promise<void> {
    const send = (options: CallOptions) =>
      others.markRefresh(() => backend.refresh(options), options.signal)
    const isSure = !isUserInDoubt || !backend.getUser
    const known = (isSure && session.grant?.user) || null
    const grant = await ask(send, session.signal, known, (outcome) =>
      report({ type: 'refresh', cause, waiting: session.waiting, ...outcome }),
    )
    others.catchUp() // Without Web Locks, somebody may have signed in meanwhile.
    session.throwIfEnded() // R12
    isUserInDoubt = false
    begin(session, grant)
  }

  const online = () => current()?.backOff.end()
  globalThis.addEventListener?.('online', online)
  onScopeDispose(() => {
    globalThis.removeEventListener?.('online', online)
    others.stop()
  }, true) // Silent without a scope, as in a test.

  const id = others.knownId()
  if (id) join(id, null)
  else if (restoreWhen === 'always' && !others.signOut.isOwed()) guess()

  const status = computed(() => state.value.status)
  const user = computed(() => state.value.user)
  return {
    status,
    user,
    accessToken: computed(() => state.value.accessToken),
    /** From when on a request has the token renewed beside it. Milliseconds since the epoch, or null. */
    accessTokenRenewsAt: computed(() => {
      const grant = state.value.accessToken === null ? null : current()?.grant
      return grant ? renewsAt(grant) : null
    }),
    isAuthenticated: computed(() => status.value === 'authenticated'),
    endReason: computed(() => state.value.endReason),
    hasRole: computed(() => (role: string) => user.value?.roles.includes(role) ?? false),
    login,
    logout,
    refresh,
    restore,
    getAccessToken,
    /** The session in which a call begins (fetch.ts). */
    sessions: markRaw({ current }),
  }
}
