/**
 * The auth store: who is signed in, and how one signs in and out. It owns the tokens; how a session
 * refreshes them is left to session.ts, and for all tabs together to shared-session.ts.
 */
import { defineStore } from 'pinia'
import { computed, onScopeDispose, shallowRef } from 'vue'
import { createCookieBackend, isRefusal, limited } from './backend.ts'
import type { Credentials } from './contract.ts'
import { createJsonBackend } from './json-backend.ts'
import { SessionEndedError } from './session.ts'
import type { HeldGrant, Session, SessionEnd } from './session.ts'
import { SIGN_OUT_OWED, createSharedSession } from './shared-session.ts'
import type { SharedSessionOptions } from './shared-session.ts'
import { createTabs } from './tabs.ts'

/** All but the back end has a default: this browser's tabs and clock, and a time limit of 10 s. */
export type AuthOptions = Pick<SharedSessionOptions, 'backend'> & Partial<SharedSessionOptions>

/** What is shown of the session changes all at once: nobody sees a user who is not signed in. */
interface AuthState {
  status: 'restoring' | 'anonymous' | 'authenticated'
  held: HeldGrant | null
  endReason: 'signed-out' | 'expired' | null
}

export function createAuth(options: AuthOptions) {
  const { backend, now = Date.now, random = Math.random, timeout = 10_000 } = options
  const { tabs = createTabs({ patience: timeout + 500 }) } = options

  // The sessions are not reactive: a request made inside an effect must not depend on its token.
  const shown = shallowRef<AuthState>({ status: 'anonymous', held: null, endReason: null })
  const signIns = new Set<Session>()
  const shared = createSharedSession({ backend, tabs, now, random, timeout }, show)
  onScopeDispose(shared.stop, true) // Silent where there is no scope, as in a test.

  /**
   * Signs in, and takes the place of a session that there may be.
   *
   * @throws what the back end throws, or SessionEndedError if signed out before it answered
   */
  async function login(credentials: Credentials): Promise<void> {
    const next = shared.open()
    signIns.add(next)
    try {
      await tabs.exclusive(async () => {
        const grant = await shared.obtain(next, (call) => backend.login(credentials, call))
        shared.begin(next, grant)
      })
    } finally {
      signIns.delete(next)
    }
  }

  /**
   * Ends the session, here and now. The promise resolves when the API has been told; where that
   * fails, the next restore tells it, if the refresh token is in a cookie.
   */
  async function logout(): Promise<void> {
    const seen = shared.current()
    shared.catchUp() // Who has just signed in, in another tab, is signed out too.
    const session = shared.current() ?? seen // Also if the note was cleared: other tabs must hear.
    for (const next of signIns) next.end(new SessionEndedError('signed-out')) // R12
    if (session) shared.end(session, 'signed-out')
    tabs.session.set(SIGN_OUT_OWED)
    await tellSignOut(session)
  }

  async function tellSignOut(session: Session | null): Promise<void> {
    await tabs.exclusive(async () => {
      const note = tabs.session.get()
      // Somebody may have signed in meanwhile: then the refresh token is theirs.
      if (note && note !== SIGN_OUT_OWED && note !== session?.id) return
      tabs.session.set(SIGN_OUT_OWED) // A tab that heard of the end may have wiped it out.
      try {
        await limited((call) => backend.logout(call), timeout)
      } catch (error) {
        if (!isRefusal(error)) return
      }
      // Where this tab froze meanwhile, another may have taken the lock, and signed somebody in.
      if (tabs.session.get() === SIGN_OUT_OWED) tabs.session.set(null)
    })
  }

  /**
   * Gets a new access token now. Requests do this by themselves when they need one.
   *
   * @throws SessionEndedError, or the failure of the refresh
   */
  async function refresh(): Promise<void> {
    const session = shared.current()
    if (!session) throw new SessionEndedError(shown.value.endReason ?? 'signed-out')
    await session.refresh()
  }

  /**
   * Resolves when it is known who is signed in: by one refresh if somebody may be, else by none.
   *
   * @throws the failure of the refresh if it may pass; `status` is `restoring` until one succeeds
   */
  async function restore(): Promise<void> {
    if (tabs.session.get() === SIGN_OUT_OWED) {
      shared.catchUp() // R13: another tab may have signed out, and this one slept.
      return tellSignOut(null)
    }
    while (shown.value.status === 'restoring') {
      const session = shared.current()
      await refresh().catch((error) => {
        if (!session?.ended) throw error
      })
    }
  }

  function show(session: Session | null, reason: SessionEnd | null): void {
    shown.value = {
      status: !session ? 'anonymous' : session.held ? 'authenticated' : 'restoring',
      held: session?.held ?? null,
      endReason: reason === 'replaced' ? null : reason,
    }
  }

  const status = computed(() => shown.value.status)
  const user = computed(() => shown.value.held?.user ?? null)
  return {
    status,
    user,
    accessToken: computed(() => shown.value.held?.accessToken ?? null),
    isAuthenticated: computed(() => status.value === 'authenticated'),
    endReason: computed(() => shown.value.endReason),
    hasRole: (role: string) => user.value?.roles.includes(role) ?? false,
    login,
    logout,
    refresh,
    restore,
    /** The session that a request is made in (client.ts). */
    currentSession: shared.current,
  }
}

/** The app's one auth store, set up by `VITE_API_BASE_URL` and `VITE_REFRESH_TOKEN_MODE`. */
export const useAuthStore = defineStore('auth', () => {
  const baseURL = import.meta.env.VITE_API_BASE_URL || undefined // CI may set it to nothing.
  const createBackend =
    import.meta.env.VITE_REFRESH_TOKEN_MODE === 'json' ? createJsonBackend : createCookieBackend
  return createAuth({ backend: createBackend({ baseURL }) })
})
