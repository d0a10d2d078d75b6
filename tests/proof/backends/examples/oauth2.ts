/** OAuth 2 for a public client: RFC 6749 for tokens, RFC 7009 for sign-out, /userinfo for the user. */
import { ApiError, browserStorage, createGet, createStoredValue, isRefusal } from '@/auth/index.ts'
import type { AuthBackend, CallOptions } from '@/auth/index.ts'

export function createOAuth2Backend(baseURL = '/api', storage = browserStorage()): AuthBackend {
  const get = createGet({ baseURL })
  const kept = createStoredValue('auth.refresh-token', storage)

  async function post(path: string, form: object, { signal }: CallOptions = {}) {
    const body = new URLSearchParams({ client_id: 'web', ...form })
    const init = { method: 'POST', body, signal, redirect: 'error', keepalive: true } as const
    const response = await fetch(baseURL + path, init)
    const data = await response.json().catch(() => null)
    if (!response.ok) throw new ApiError(`POST ${path}`, response, data)
    signal?.throwIfAborted() // The person has signed out meanwhile.
    return data
  }

  async function userOf(accessToken: string, { signal }: CallOptions = {}) {
    const { sub, preferred_username, name, roles } = await get('/userinfo', accessToken, signal)
    return { id: sub, username: preferred_username, name, roles }
  }

  /** After a refusal, unless somebody has signed in in another tab. */
  const forget = (token: string | null) => (error: unknown) => {
    if (isRefusal(error) && kept.get() === token) kept.set(null)
    throw error
  }

  return {
    async login(credentials, options) {
      const form = { grant_type: 'password', ...credentials }
      const { access_token, expires_in, refresh_token } = await post('/oauth/token', form, options)
      // Asked first: if it fails, whoever was signed in before still is, with their own token.
      const user = await userOf(access_token, options)
      kept.set(refresh_token ?? null)
      return { accessToken: access_token, expiresIn: expires_in, user }
    },
    async refresh(options) {
      const token = kept.get()
      const form = { grant_type: 'refresh_token', refresh_token: token ?? '' }
      const answer = await post('/oauth/token', form, options).catch(forget(token))
      kept.set(answer.refresh_token ?? token) // The old one may have been replaced.
      return { accessToken: answer.access_token, expiresIn: answer.expires_in }
    },
    getUser: (accessToken, options) => userOf(accessToken, options).catch(forget(kept.get())),
    async logout(options) {
      const token = kept.get()
      kept.set(null)
      if (token) await post('/oauth/revoke', { token }, options)
    },
  }
}
