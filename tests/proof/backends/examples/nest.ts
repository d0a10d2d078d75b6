/** NestJS with @nestjs/jwt, and routes of your own for a refresh token in a cookie. */
import { createRequest } from '@/auth/index.ts'
import type { AuthBackend, TokenGrant } from '@/auth/index.ts'

export function createNestBackend(baseURL = '/api'): AuthBackend {
  const request = createRequest({ baseURL })

  function grantOf(answer: { access_token: string }): TokenGrant {
    return { accessToken: answer.access_token, expiresIn: 15 * 60 } // As in JwtModule.register.
  }

  return {
    login: async (credentials, { signal } = {}) =>
      grantOf(await request('POST', '/auth/login', { body: credentials, signal })),
    refresh: async ({ signal } = {}) => grantOf(await request('POST', '/auth/refresh', { signal })),
    // The route has the guard that all others have.
    logout: async ({ signal, getAccessToken }) =>
      request('POST', '/auth/logout', { signal, accessToken: await getAccessToken() }),
    async getUser(accessToken, { signal } = {}) {
      const { username } = await request('GET', '/auth/profile', { accessToken, signal })
      return { id: username, username, name: username, roles: [] }
    },
  }
}
