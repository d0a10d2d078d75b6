/** OAuth 2 for a public client: RFC 6749 for tokens, RFC 7009 for sign-out, /userinfo for the user. */
import { ApiError, createGet, isRefusal } from '@/auth/index.ts'
import type { AuthBackend, CallOptions } from '@/auth/index.ts'

const KEY = 'auth.refresh-token'

export function createOAuth2Backend(baseURL = '/api', storage = localStorage): AuthBackend {
  const get = createGet({ baseURL })

  async function post(path: string, form: object, signal?: AbortSignal) {
    const body = new URLSearchParams({ client_id: 'web', ...form })
    const init = { method: 'POST', body, signal, redirect: 'error', keepalive: true } as const
    const response = await fetch(baseURL + path, init)
    const data = await response.json().catch(() => null)
    if (!response.ok) throw new ApiError(`POST ${path}`, response, data)
    return data
  }

  async function grant(form: Record<string, string>, { signal }: CallOptions = {}) {
    const answer = await post('/oauth/token', form, signal)
    signal?.throwIfAborted() // The person has signed out meanwhile.
    storage.setItem(KEY, answer.refresh_token ?? form.refresh_token ?? '')
    return { accessToken: answer.access_token, expiresIn: answer.expires_in }
  }

  return {
    login: (credentials, options) => grant({ grant_type: 'password', ...credentials }, options),
    refresh(options) {
      const refresh_token = storage.getItem(KEY) ?? ''
      return grant({ grant_type: 'refresh_token', refresh_token }, options).catch((error) => {
        if (isRefusal(error) && storage.getItem(KEY) === refresh_token) storage.removeItem(KEY)
        throw error
      })
    },
    async getUser(accessToken, { signal } = {}) {
      const claims = await get('/userinfo', accessToken, signal)
      return { ...claims, id: claims.sub, username: claims.preferred_username }
    },
    async logout({ signal } = {}) {
      const token = storage.getItem(KEY)
      storage.removeItem(KEY)
      if (token) await post('/oauth/revoke', { token }, signal)
    },
  }
}
