/** better-auth with its plugin jwt: a session cookie, and an access token of 15 minutes for it. */
import { createRequest } from '@/auth/index.ts'
import type { AuthBackend, CallOptions } from '@/auth/index.ts'

export function createBetterAuthBackend(baseURL = '/api'): AuthBackend {
  const request = createRequest({ baseURL })

  async function refresh({ signal }: CallOptions = {}) {
    const { token } = await request('GET', '/auth/token', { signal })
    return { accessToken: token, expiresIn: 15 * 60 }
  }

  return {
    async login({ username: email, password }, { signal } = {}) {
      const body = { email, password }
      const { user } = await request('POST', '/auth/sign-in/email', { body, signal })
      return { ...(await refresh({ signal })), user: userOf(user) }
    },
    refresh,
    logout: ({ signal }) => request('POST', '/auth/sign-out', { body: {}, signal }),
    async getUser(_, { signal } = {}) {
      const { user } = await request('GET', '/auth/get-session', { signal })
      return userOf(user)
    },
  }
}

function userOf({ id, name }: { id: string; name: string }) {
  return { id, username: name, name, roles: [] }
}
