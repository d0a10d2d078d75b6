/** Django REST framework and simplejwt, with rotation and blacklist. `/me` says who is signed in. */
import { browserStorage, createRequest, createStoredValue, isRefusal } from '@/auth/index.ts'
import type { AuthBackend, TokenGrant } from '@/auth/index.ts'

export function createSimplejwtBackend(baseURL = '/api', storage = browserStorage()): AuthBackend {
  const kept = createStoredValue('auth.refresh-token', storage)
  // No cookies are needed, and an API that allows every origin must not be sent any.
  const request = createRequest({ baseURL, credentials: 'same-origin' })

  /** After a refusal, unless somebody has signed in in another tab. */
  const forget = (token: string | null) => (error: unknown) => {
    if (isRefusal(error) && kept.get() === token) kept.set(null)
    throw error
  }

  const userOf: NonNullable<AuthBackend['getUser']> = async (accessToken, { signal } = {}) => {
    const { id, username, is_staff } = await request('GET', '/me', { accessToken, signal })
    const roles = is_staff ? ['admin', 'user'] : ['user']
    return { id: String(id), username, name: username, roles }
  }

  return {
    async login(credentials, { signal } = {}) {
      const { access, refresh } = await request('POST', '/token/', { body: credentials, signal })
      // Asked first: if it fails, whoever was signed in before still is, with their own token.
      const user = await userOf(access, { signal })
      signal?.throwIfAborted() // The person has signed out meanwhile.
      kept.set(refresh)
      return { ...grantOf(access), user }
    },
    async refresh({ signal } = {}) {
      const token = kept.get()
      const body = { refresh: token }
      // With the slash: Django answers a POST without it by a redirect, which is not followed.
      const answer = await request('POST', '/token/refresh/', { body, signal }).catch(forget(token))
      signal?.throwIfAborted()
      kept.set(answer.refresh ?? token) // ROTATE_REFRESH_TOKENS: the old one is on the blacklist.
      return grantOf(answer.access)
    },
    getUser: (accessToken, options) => userOf(accessToken, options).catch(forget(kept.get())),
    async logout({ signal }) {
      const refresh = kept.get()
      kept.set(null)
      if (refresh) await request('POST', '/token/blacklist/', { body: { refresh }, signal })
    },
  }
}

/** Both by the API's clock: ours may be wrong. */
function grantOf(accessToken: string): TokenGrant {
  const base64 = accessToken.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')
  const { iat, exp } = JSON.parse(atob(base64))
  return { accessToken, expiresIn: exp - iat }
}
