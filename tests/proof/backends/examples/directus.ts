/** Directus, in its cookie mode: sign-in by e-mail, milliseconds, and the user by another request. */
import { createRequest } from '@/auth/index.ts'
import type { AuthBackend, TokenGrant } from '@/auth/index.ts'

export function createDirectusBackend(baseURL = '/api'): AuthBackend {
  const request = createRequest({ baseURL })
  const mode = 'cookie'

  return {
    async login({ username: email, password }, { signal } = {}) {
      const body = { email, password, mode }
      return grantOf(await request('POST', '/auth/login', { body, signal }))
    },
    refresh: async ({ signal } = {}) =>
      grantOf(await request('POST', '/auth/refresh', { body: { mode }, signal })),
    logout: ({ signal }) => request('POST', '/auth/logout', { body: { mode }, signal }),

    async getUser(accessToken, { signal } = {}) {
      const path = '/users/me?fields=id,email,first_name,last_name,role.name'
      const { data } = await request('GET', path, { accessToken, signal })
      const name = [data.first_name, data.last_name].filter(Boolean).join(' ')
      return { id: data.id, username: data.email, name, roles: data.role ? [data.role.name] : [] }
    },
  }
}

function grantOf(answer: { data?: { access_token: string; expires: number } } | null): TokenGrant {
  const { access_token, expires } = Object(answer?.data)
  return { accessToken: access_token, expiresIn: expires / 1000 }
}
