/**
 * The clients that the lab puts to the test: the app's own, the same one in a session of the lab's
 * own, and those that it is compared with.
 */
import { ofetch } from 'ofetch'
import { effectScope } from 'vue'
import { api } from '@/api/client.ts'
import { SessionEndedError, createApiClient, createAuth } from '@/auth/index.ts'
import { createJsonBackend, createTabs } from '@/auth/index.ts'
import type { TokenGrant } from '@/auth/index.ts'
import { createClassicClient } from './classicClient.ts'
import type { RivalClient, RivalOptions } from './classicClient.ts'
import { expireAccessToken } from './mock.ts'
import { clock } from './record.ts'
import type { RivalName } from './plan.ts'

export interface Subject {
  /** Sends one request, which the log calls by that label. Rejects as its client does. */
  send(label: string, signal: AbortSignal): Promise<unknown>
  /** When it signed its person out, or null. */
  signedOutAt(): number | null
  /** Its clock, and only that, jumps ahead by so many milliseconds. */
  setAhead?(milliseconds: number): void
  /** The server refuses its access token from now on, and that of no other client. */
  expire(): Promise<void>
  /** The server ends its session, and does not tell it. */
  revoke?(): Promise<void>
  /** Whether the server has ended its session. */
  isRevoked?(): Promise<boolean>
  close(): Promise<void>
}

const DEMO = { username: 'demo', password: 'password' }
const baseURL = import.meta.env.VITE_API_BASE_URL || '/api'

/** The person's own refresh token is in a cookie: it stays out of this. */
const withoutCookies: typeof fetch = (input, init) =>
  globalThis.fetch(input, { ...init, credentials: 'omit' })

const post = <T = unknown>(path: string, body: object) =>
  ofetch<T>(path, { baseURL, method: 'POST', body, credentials: 'omit', retry: 0 })

const logout = (refreshToken: string | null) =>
  refreshToken ? post('/auth/logout', { refreshToken }).catch(() => {}) : undefined

const BURST = {
  // Nothing but the interceptor sends twice.
  retry: 0,
  // Over six connections, a refresh would queue behind hundreds of calls until its time is over.
  priority: 'low',
} as const

/** `session: this person's`: the client that every page of the app uses. */
export function openOwn(): Subject {
  const end = noteEnd()
  return {
    send: (label, signal) =>
      end.noted(api(`/protected-resource?label=${label}`, { ...BURST, signal })),
    signedOutAt: end.at,
    expire: () => expireAccessToken(),
    close: async () => {},
  }
}

/** Signed in as demo, with tokens in memory, in no other tab: made by the same two functions. */
export async function openSpare(): Promise<Subject> {
  let ahead = 0
  const kept = new Map<string, string>()
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, token: string) => void kept.set(key, token),
    removeItem: (key: string) => void kept.delete(key),
  }
  const backend = createJsonBackend({ baseURL, storage, key: 'refresh', fetch: withoutCookies })
  const tabs = createTabs({ name: 'lab', locks: null, channel: null, storage: null, page: null })
  const scope = effectScope(true)
  const auth = scope.run(() => createAuth({ backend, tabs, now: () => Date.now() + ahead }))!
  await auth.login(DEMO)

  const client = createApiClient({ baseURL, auth, fetch: withoutCookies })
  const end = noteEnd()
  return {
    send: (label, signal) =>
      end.noted(client(`/protected-resource?label=${label}`, { ...BURST, signal })),
    signedOutAt: end.at,
    expire: async () => expireAccessToken(await auth.getAccessToken()),
    setAhead: (milliseconds) => void (ahead = milliseconds),
    revoke: async () => void (await logout(storage.getItem('refresh'))),
    async close() {
      await auth.logout()
      scope.stop()
    },
  }
}

const RIVAL_CLIENTS: Record<
  RivalName,
  (options: RivalOptions) => RivalClient | Promise<RivalClient>
> = {
  classic: createClassicClient,
  shared: (options) => createClassicClient({ ...options, shared: true }),
  library: async (options) => (await import('./libraryClient.ts')).createLibraryClient(options),
}

/** Signed in as demo, with tokens in memory. */
export async function openRival(name: RivalName): Promise<Subject> {
  const grant = await post<TokenGrant>('/auth/login', { ...DEMO, mode: 'json' })
  const tokens = { access: grant.accessToken, refresh: grant.refreshToken ?? null } as {
    access: string | null
    refresh: string | null
  }
  const first = { ...tokens }
  let signedOutAt: number | null = null
  const onSignOut = () => (signedOutAt ??= clock())
  const { request } = await RIVAL_CLIENTS[name]({ baseURL, tokens, onSignOut })

  return {
    async send(label, signal) {
      const status = await request(`/protected-resource?label=${label}`, signal)
      if (status >= 400) throw Object.assign(new Error(), { status })
    },
    signedOutAt: () => signedOutAt,
    expire: () => expireAccessToken(grant.accessToken),
    revoke: async () => void (await logout(first.refresh)),
    // An expired token of a session that lives is told from one whose session is over.
    isRevoked: () =>
      ofetch('/auth/me', {
        baseURL,
        headers: { authorization: `Bearer ${first.access}` },
        credentials: 'omit',
        retry: 0,
      }).then(
        () => false,
        (error) => error?.data?.data?.code === 'access_token_invalid',
      ),
    close: async () => void (await logout(first.refresh)),
  }
}

/** Notes when the first call was told that its session is over. */
function noteEnd() {
  let at: number | null = null
  return {
    at: () => at,
    noted: (work: Promise<unknown>) =>
      work.catch((error) => {
        if (error instanceof SessionEndedError) at ??= clock()
        throw error
      }),
  }
}
