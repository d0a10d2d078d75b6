/** Express and jsonwebtoken: two tokens and no more. Lifetime and user stand in the claims. */
import { browserStorage, createRequest, createStoredValue, isRefusal } from '@/auth/index.ts'
import type { AuthBackend, TokenGrant } from '@/auth/index.ts'

export function createExpressBackend(baseURL = '/api', storage = browserStorage()): AuthBackend {
  const kept = createStoredValue('auth.refresh-token', storage)
  // No cookies are needed, and an API that allows every origin must not be sent any.
  const request = createRequest({ baseURL, credentials: 'same-origin' })

  return {
    async login(credentials, { signal } = {}) {
      const answer = await request('POST', '/login', { body: credentials, signal })
      signal?.throwIfAborted() // The person has signed out meanwhile.
      kept.set(answer.refreshToken)
      return grantOf(answer.accessToken)
    },
    async refresh({ signal } = {}) {
      const refreshToken = kept.get()
      const body = { refreshToken }
      try {
        const { accessToken } = await request('POST', '/refresh-token', { body, signal })
        return grantOf(accessToken)
      } catch (error) {
        // Unless somebody has signed in in another tab.
        if (isRefusal(error) && kept.get() === refreshToken) kept.set(null)
        throw error
      }
    },
    // There is no route for it: a copy of the refresh token stays good until it expires.
    logout: async () => kept.set(null),
  }
}

/** Reads the claims. Only the API can verify them, and it does so with each request. */
function grantOf(accessToken: string): TokenGrant {
  const base64 = accessToken.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  const { iat, exp, username } = JSON.parse(new TextDecoder().decode(bytes))
  const user = { id: username, username, name: username, roles: [] } // The token says no more.
  return { accessToken, expiresIn: exp - iat, user } // Both by the API's clock: ours may be wrong.
}
