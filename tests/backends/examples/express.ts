/** Express and jsonwebtoken: two tokens and no more. Lifetime and user stand in the claims. */
import { ofetch, type FetchContext } from 'ofetch'
import type { AuthBackend, TokenGrant } from '@/auth/index.ts'

const KEY = 'auth.refresh-token'
const forget = ({ options }: FetchContext) => void delete options.body // errors show what was sent

export function createExpressBackend(baseURL = '/api', storage = localStorage): AuthBackend {
  const hooks = { onRequestError: forget, onResponseError: forget }
  const post = ofetch.create({ baseURL, method: 'POST', retry: 0, ...hooks })

  return {
    async login(credentials, { signal } = {}) {
      const { accessToken, refreshToken } = await post('/login', { body: credentials, signal })
      signal?.throwIfAborted() // signed out meanwhile
      storage.setItem(KEY, refreshToken)
      return grantOf(accessToken)
    },
    async refresh({ signal } = {}) {
      const refreshToken = storage.getItem(KEY)
      const call = post('/refresh-token', { body: { refreshToken }, signal })
      const { accessToken } = await call.catch((error) => {
        if (error.status === 403 && storage.getItem(KEY) === refreshToken) storage.removeItem(KEY)
        throw error
      })
      return grantOf(accessToken)
    },
    // There is no route for it: a copy of the refresh token stays good until it expires.
    logout: async () => storage.removeItem(KEY),
  }
}

/** Reads the claims. Only the API can verify them, and it does so with each request. */
function grantOf(accessToken: string): TokenGrant {
  const base64 = accessToken.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  const { iat, exp, ...user } = JSON.parse(new TextDecoder().decode(bytes))
  return { accessToken, expiresIn: exp - iat, user } // both by the API's clock: ours may be wrong
}
