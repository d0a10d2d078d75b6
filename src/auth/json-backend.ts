/**
 * The back end of `json` mode. A build in `cookie` mode has none of it, and so no code that keeps a
 * token in web storage.
 */
import { createPost, isRefusal } from './backend.ts'
import type { AuthBackend, BackendOptions } from './backend.ts'
import type { TokenGrant } from './contract.ts'
import { browserStorage, createNote } from './storage.ts'
import type { TabStorage } from './storage.ts'

export interface JsonBackendOptions extends BackendOptions {
  /**
   * Where the refresh token is kept. Default: localStorage, which every tab shares. Where that is
   * denied, a variable: the session then ends with the page.
   */
  storage?: TabStorage | null
  /** The key in `storage`. Default `auth.refresh-token`. */
  key?: string
}

/**
 * The refresh token comes and goes in JSON bodies, and this app keeps it in localStorage, where
 * any script on the page can read it. For an API that cannot set a cookie.
 */
export function createJsonBackend(options: JsonBackendOptions = {}): AuthBackend {
  const post = createPost(options)
  const { key = 'auth.refresh-token', storage = browserStorage() } = options
  const kept = createNote(key, storage)

  function keep(grant: TokenGrant, signal?: AbortSignal): TokenGrant {
    signal?.throwIfAborted() // R12
    // An API without rotation sends no new one: the old one stays good.
    const next: unknown = grant?.refreshToken
    if (next && typeof next === 'string') kept.set(next)
    return grant
  }

  return {
    async login(credentials, { signal } = {}) {
      const answer = await post('/auth/login', { ...credentials, mode: 'json' }, signal)
      const grant = keep(answer, signal)
      // R6: the one there is belongs to whoever was here before.
      if (grant?.accessToken && !grant.refreshToken) kept.set(null)
      return grant
    },
    async refresh({ signal } = {}) {
      const wasShared = kept.isShared
      kept.get()
      // Storage has just failed: the copy here may have been replaced by another tab since.
      if (wasShared && !kept.isShared) kept.set(null)
      const refreshToken = kept.get()
      // Has no status, so that it is no refusal: that would sign out the tab which has the token.
      if (!refreshToken && !kept.isShared) throw new Error('Another tab has the refresh token.')
      try {
        const grant = await post('/auth/refresh', refreshToken ? { refreshToken } : {}, signal)
        return keep(grant, signal)
      } catch (error) {
        // Another tab may have put a newer one there meanwhile: that one was not refused.
        if (isRefusal(error) && kept.get() === refreshToken) kept.set(null)
        throw error
      }
    },
    async logout({ signal } = {}) {
      const refreshToken = kept.get()
      kept.set(null)
      if (refreshToken) await post('/auth/logout', { refreshToken }, signal)
    },
  }
}
