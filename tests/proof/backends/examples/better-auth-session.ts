/** better-auth as it comes: a session cookie and no tokens. It checks `Origin`, and needs no CSRF header. */
import { createRequest } from '@/auth/index.ts'
import type { AuthBackend, CallOptions } from '@/auth/index.ts'

export function createBetterAuthSession(baseURL = '/api'): AuthBackend {
  const request = createRequest({ baseURL })

  /** Asks who is signed in. Where nobody is, the answer is a 200 with `null`. */
  async function refresh({ signal }: CallOptions = {}) {
    const session = await request('GET', '/auth/get-session', { signal })
    if (!session) throw Object.assign(new Error('Nobody is signed in'), { status: 401 })
    const { id, name } = session.user
    const user = { id, username: name, name, roles: [] }
    // No token. It is another one each time, so that a late 401 costs no further request (R3).
    const accessToken = `${Date.now()}.${Math.random()}`
    return { accessToken, tokenType: 'cookie', expiresIn: 31_536_000, user }
  }

  return {
    async login({ username: email, password }, { signal } = {}) {
      await request('POST', '/auth/sign-in/email', { body: { email, password }, signal })
      return refresh({ signal })
    },
    refresh,
    logout: ({ signal }) => request('POST', '/auth/sign-out', { body: {}, signal }),
  }
}

/** The `fetch` of createApiClient: sends the cookie in the place of a token. */
export const sessionFetch: typeof fetch = (input, init) => {
  const headers = new Headers(init?.headers)
  if (!headers.has('authorization')) return fetch(input, init) // Not to the API, or `auth: false`.
  headers.delete('authorization')
  return fetch(input, { ...init, headers, credentials: 'include' })
}
