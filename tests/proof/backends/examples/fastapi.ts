/** FastAPI as its tutorial has it: a form to sign in with, and a refresh token in JSON. */
import { browserStorage, createRequest, createStoredValue, isRefusal } from '@/auth/index.ts'
import type { AuthBackend, TokenGrant } from '@/auth/index.ts'

export function createFastApiBackend(baseURL = '/api', storage = browserStorage()): AuthBackend {
  const kept = createStoredValue('auth.refresh-token', storage)
  const request = createRequest({ baseURL, credentials: 'same-origin' })

  function keep(answer: { access_token: string; refresh_token: string }, signal?: AbortSignal) {
    signal?.throwIfAborted() // The person has signed out meanwhile.
    if (answer.refresh_token) kept.set(answer.refresh_token)
    // ACCESS_TOKEN_EXPIRE_MINUTES of the API: its tokens say `exp`, but not when they were made.
    return { accessToken: answer.access_token, expiresIn: 15 * 60 } satisfies TokenGrant
  }

  return {
    async login({ username, password }, { signal } = {}) {
      const body = new URLSearchParams({ username, password })
      return keep(await request('POST', '/token', { body, signal }), signal)
    },
    async refresh({ signal } = {}) {
      const refreshToken = kept.get()
      const body = { refresh_token: refreshToken ?? '' }
      try {
        return keep(await request('POST', '/refresh', { body, signal }), signal)
      } catch (error) {
        // Unless somebody has signed in in another tab.
        if (isRefusal(error) && kept.get() === refreshToken) kept.set(null)
        throw error
      }
    },
    async logout({ signal }) {
      const body = { refresh_token: kept.get() }
      kept.set(null)
      if (body.refresh_token) await request('POST', '/logout', { body, signal })
    },
    async getUser(accessToken, { signal } = {}) {
      const { username } = await request('GET', '/users/me', { accessToken, signal })
      return { id: username, username, name: username, roles: [] }
    },
  }
}
