/** The back end of `json` mode. A build in `cookie` mode does not contain it. */
import { createRequest } from './backend.ts'
import type { AuthBackend, BackendOptions, CallOptions } from './backend.ts'
import type { TokenGrant } from './contract.ts'
import { MissingRefreshTokenError, isRefusal } from './errors.ts'
import { ownOptions } from './request.ts'
import { browserStorage, createStoredValue } from './storage.ts'
import type { TabStorage } from './storage.ts'

export interface JsonBackendOptions extends BackendOptions {
  /**
   * Where the refresh token is kept. Default: localStorage, which all tabs share. If storage is
   * denied, a variable: the session then ends with the page.
   */
  storage?: TabStorage | null
  /**
   * The key in `storage`. Default `auth.refresh-token`. That of a session whose sign-out has not reached
   * the API is kept beside it, until it has, and is used for nothing else.
   */
  key?: string
}

/**
 * For an API that cannot set a cookie. The refresh token travels in JSON bodies and is kept in
 * localStorage, where any script on the page can read it.
 */
export function createJsonBackend(options: JsonBackendOptions = {}): AuthBackend {
  const request = createRequest(options)
  const { key = 'auth.refresh-token', storage = browserStorage() } = ownOptions(options)
  const kept = createStoredValue(key, storage)
  const signedOut = createStoredValue(`${key}.signed-out`, storage)

  function keep(grant: TokenGrant, signal?: AbortSignal): TokenGrant {
    signal?.throwIfAborted() // R12
    // An API without rotation sends no new one. The old one stays valid.
    const next: unknown = grant?.refreshToken
    if (next && typeof next === 'string') kept.set(next)
    return grant
  }

  /** R13: a sign-out reaches the API as soon as it can. */
  async function tellSignOut(signal?: AbortSignal): Promise<void> {
    const refreshToken = signedOut.get()
    if (!refreshToken) return
    const forget = () => signedOut.get() === refreshToken && signedOut.set(null)
    try {
      await request('POST', '/auth/logout', { body: { refreshToken }, signal })
      forget()
    } catch (error) {
      if (isRefusal(error)) forget()
      throw error
    }
  }

  return {
    async login(credentials, { signal } = {}) {
      const body = { ...credentials, mode: 'json' }
      const answer = await request('POST', '/auth/login', { body, signal })
      const grant = keep(answer, signal)
      // R6: the stored one belongs to the last person.
      if (grant?.accessToken && !grant.refreshToken) kept.set(null)
      tellSignOut().catch(() => {}) // Of the last session. Signing in does not wait for it.
      return grant
    },
    async refresh({ signal } = {}) {
      const wasShared = kept.isShared
      kept.get()
      // Storage has just failed. Another tab may have replaced the copy here since.
      if (wasShared && !kept.isShared) kept.set(null)
      const refreshToken = kept.get()
      // Another tab may have one: with sessionStorage, or where storage is denied.
      if (!refreshToken) throw new MissingRefreshTokenError('This tab has no refresh token.')
      try {
        const grant = await request('POST', '/auth/refresh', { body: { refreshToken }, signal })
        return keep(grant, signal)
      } catch (error) {
        // Another tab may have stored a newer one meanwhile, which was not refused.
        if (isRefusal(error) && kept.get() === refreshToken) kept.set(null)
        throw error
      }
    },
    async logout({ signal }: CallOptions = {}) {
      const refreshToken = kept.get()
      if (refreshToken) signedOut.set(refreshToken)
      kept.set(null)
      await tellSignOut(signal)
    },
  }
}
