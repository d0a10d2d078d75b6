/** Directus, in its cookie mode: sign-in by e-mail, milliseconds, and the user by another request. */
import { createGet, createPost } from '@/auth/index.ts'
import type { AuthBackend, TokenGrant } from '@/auth/index.ts'

export function createDirectusBackend(baseURL = '/api'): AuthBackend {
  const post = createPost({ baseURL })
  const get = createGet({ baseURL })
  const mode = 'cookie'

  return {
    login: async ({ username: email, password }, { signal } = {}) =>
      grantOf(await post('/auth/login', { email, password, mode }, signal)),
    refresh: async ({ signal } = {}) => grantOf(await post('/auth/refresh', { mode }, signal)),
    logout: ({ signal }) => post('/auth/logout', { mode }, signal),

    async getUser(accessToken, { signal } = {}) {
      const path = '/users/me?fields=id,email,first_name,last_name,role.name'
      const { data } = await get(path, accessToken, signal)
      const name = [data.first_name, data.last_name].filter(Boolean).join(' ')
      return { id: data.id, username: data.email, name, roles: data.role ? [data.role.name] : [] }
    },
  }
}

function grantOf(answer: { data?: { access_token: string; expires: number } } | null): TokenGrant {
  const { access_token, expires } = Object(answer?.data)
  return { accessToken: access_token, expiresIn: expires / 1000 }
}
