/** OAuth 2 for a public client: RFC 6749 for tokens, RFC 7009 for sign-out, /userinfo for who it is. */
import { ofetch, type FetchContext } from 'ofetch'
import type { AuthBackend, CallOptions } from '@/auth/index.ts'

const KEY = 'auth.refresh-token'
const forget = ({ options }: FetchContext) => void Object.assign(options, { body: 0, headers: 0 })

export function createOAuth2Backend(baseURL = '/api', storage = localStorage): AuthBackend {
  const call = ofetch.create({ baseURL, retry: 0, onRequestError: forget, onResponseError: forget })
  const post = (path: string, form: object, signal?: AbortSignal) =>
    call(path, { method: 'POST', body: new URLSearchParams({ client_id: 'web', ...form }), signal })

  async function grant(form: Record<string, string>, { signal }: CallOptions = {}) {
    const answer = await post('/oauth/token', form, signal)
    signal?.throwIfAborted() // signed out meanwhile
    storage.setItem(KEY, answer.refresh_token ?? form.refresh_token ?? '') // before more can fail
    const headers = { authorization: `Bearer ${answer.access_token}` }
    // Thrown, a 401 of this one would count as a refusal of the refresh token.
    const claims = await call('/userinfo', { headers, signal, ignoreResponseError: true })
    const user = { ...claims, id: claims.sub, username: claims.preferred_username }
    return { accessToken: answer.access_token, expiresIn: answer.expires_in, user }
  }

  return {
    login: (credentials, options) => grant({ grant_type: 'password', ...credentials }, options),
    refresh(options) {
      const refresh_token = storage.getItem(KEY) ?? ''
      return grant({ grant_type: 'refresh_token', refresh_token }, options).catch((error) => {
        if (error.status === 400 && storage.getItem(KEY) === refresh_token) storage.removeItem(KEY)
        throw error
      })
    },
    async logout({ signal } = {}) {
      const token = storage.getItem(KEY)
      storage.removeItem(KEY)
      if (token) await post('/oauth/revoke', { token }, signal)
    },
  }
}
