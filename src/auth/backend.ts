/**
 * The seam to the API: how to sign in, refresh and sign out, and what its errors mean. When to do
 * so is left to store.ts. A team with another API writes another AuthBackend.
 */
import type { Credentials, TokenGrant } from './contract.ts'

export interface CallOptions {
  /** Aborts when nobody waits for the answer any more, or the time limit is over. */
  signal?: AbortSignal
}

/**
 * What the store asks of an API. Each may throw anything; an error with a `status` of 400, 401 or
 * 403 is a refusal, every other one a failure that may pass (R7, R8).
 */
export interface AuthBackend {
  login(credentials: Credentials, options?: CallOptions): Promise<TokenGrant>
  /** Never called twice at the same time in one browser profile (R1). */
  refresh(options?: CallOptions): Promise<TokenGrant>
  /** Called for every sign-out, with or without a session. */
  logout(options?: CallOptions): Promise<void>
}

export interface BackendOptions {
  /** Where the API is: a path on this origin or an absolute URL. Default `/api`. */
  baseURL?: string
  /** Stands in for the global `fetch`. */
  fetch?: typeof globalThis.fetch
}

/**
 * The API keeps the refresh token in an HttpOnly cookie: no script can read it (R14).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9700#section-4.14
 */
export function createCookieBackend(options: BackendOptions = {}): AuthBackend {
  const post = createPost(options)
  return {
    login: (credentials, { signal } = {}) => post('/auth/login', { ...credentials }, signal),
    refresh: ({ signal } = {}) => post('/auth/refresh', undefined, signal),
    logout: ({ signal } = {}) => post('/auth/logout', undefined, signal),
  }
}

export interface JsonBackendOptions extends BackendOptions {
  /** Where the refresh token is kept. Default: localStorage, which every tab shares. */
  storage?: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  /** The key in `storage`. Default `auth.refresh-token`. */
  key?: string
}

/**
 * The refresh token comes and goes in JSON bodies, and this app keeps it in localStorage, where
 * any script on the page can read it. For an API that cannot set a cookie.
 */
export function createJsonBackend(options: JsonBackendOptions = {}): AuthBackend {
  const post = createPost(options)
  const { key = 'auth.refresh-token', storage = globalThis.localStorage } = options

  function keep(grant: TokenGrant, signal?: AbortSignal): TokenGrant {
    signal?.throwIfAborted() // R12
    // An API without rotation sends no new one: the old one stays good.
    if (grant?.refreshToken) storage.setItem(key, grant.refreshToken)
    return grant
  }

  return {
    async login(credentials, { signal } = {}) {
      return keep(await post('/auth/login', { ...credentials, mode: 'json' }, signal), signal)
    },
    async refresh({ signal } = {}) {
      const refreshToken = storage.getItem(key) ?? undefined
      try {
        const grant = await post('/auth/refresh', { refreshToken }, signal)
        return keep(grant, signal)
      } catch (error) {
        // Another tab may have put a newer one there meanwhile: that one was not refused.
        if (isRefusal(error) && (storage.getItem(key) ?? undefined) === refreshToken)
          storage.removeItem(key)
        throw error
      }
    },
    async logout({ signal } = {}) {
      const refreshToken = storage.getItem(key)
      storage.removeItem(key)
      if (refreshToken) await post('/auth/logout', { refreshToken }, signal)
    },
  }
}

/** The API said no, or could not answer. It keeps what the API said, and nothing that was sent. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  /** The body, where it is JSON. */
  readonly data: unknown
  readonly response: Response

  constructor(path: string, response: Response, data: unknown) {
    super(`POST ${path}: ${response.status} ${response.statusText}`)
    this.status = response.status
    this.data = data
    this.response = response
  }
}

function createPost({ baseURL = '/api', fetch }: BackendOptions) {
  return async (path: string, body?: object, signal?: AbortSignal) => {
    const headers = { 'content-type': 'application/json' }
    // Looked up at each call, so that a replaced global fetch is the one that is used.
    const response = await (fetch ?? globalThis.fetch)(baseURL.replace(/\/$/, '') + path, {
      method: 'POST',
      credentials: 'include',
      signal,
      ...(body && { headers, body: JSON.stringify(body) }),
    })
    const data = await response.json().catch(() => null)
    if (!response.ok) throw new ApiError(path, response, data)
    return data
  }
}

/** The HTTP status that an error carries, if it does: ofetch's errors and most others. */
function statusOf(error: unknown): number | undefined {
  return (error as { status?: number } | null)?.status
}

/** A definitive no, after which a refresh token is of no more use (R8). All else may pass (R7). */
export function isRefusal(error: unknown): boolean {
  return [400, 401, 403].includes(statusOf(error) ?? 0)
}

/**
 * Milliseconds that the server asked to wait, or null.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function retryAfter(error: unknown, now: number): number | null {
  const header = (error as { response?: Response } | null)?.response?.headers?.get('retry-after')
  if (!header) return null
  let wait = NaN
  if (/^\d+$/.test(header)) wait = Number(header) * 1000
  else if (header.endsWith('GMT')) wait = Date.parse(header) - now
  return wait > 0 ? wait : null
}
