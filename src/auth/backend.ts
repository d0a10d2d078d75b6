/**
 * The seam to the API: how to sign in, refresh and sign out. When to do so is decided in session.ts
 * and auth.ts. For another API, write another AuthBackend.
 */
import type { PasswordCredentials, TokenGrant, User } from './contract.ts'
import { ApiError } from './errors.ts'
import { fetchOrGlobal } from './request.ts'
import { apiOrigin } from './url.ts'

export interface CallOptions {
  /** Aborts when the time limit is over, or when the answer is no longer needed. */
  signal?: AbortSignal
}

/**
 * What the session needs from an API. Each function may throw anything. An error that `isRefusal` takes
 * for one, by its `status`, ends the session (R8); any other error is temporary (R7).
 */
export interface AuthBackend<Credentials = PasswordCredentials> {
  login(credentials: Credentials, options?: CallOptions): Promise<TokenGrant>
  /** Never called twice at once in one browser profile, if Web Locks are available (R1). */
  refresh(options?: CallOptions): Promise<TokenGrant>
  /** Called for every sign-out, with or without a session. */
  logout(options?: CallOptions): Promise<void>
  /** Who is signed in. Called only if a grant has no `user` and none is known yet. */
  getUser?(accessToken: string, options?: CallOptions): Promise<User>
}

export interface BackendOptions {
  /** Where the API is: a path on this origin or an absolute http(s) URL. Default `/api`. */
  baseURL?: string
  /** Replaces the global `fetch`. */
  fetch?: typeof globalThis.fetch
}

/**
 * For an API that keeps the refresh token in an HttpOnly cookie, which no script can read (R14).
 *
 * @throws TypeError if the API has no http or https address
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

/**
 * A `POST` with cookies for requests that carry credentials: `post(path, body?, signal?)` resolves
 * to the JSON of the answer, or null. It follows no redirect, because that would send a password or a
 * refresh token elsewhere (R5), and it outlives a page that is reloaded (R16).
 *
 * @throws TypeError if the API has no http or https address
 */
export function createPost({ baseURL, fetch }: BackendOptions = {}) {
  const send = createSend({ baseURL, fetch })
  return (path: string, body?: object, signal?: AbortSignal) => {
    const json = body && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }
    return send(path, { method: 'POST', credentials: 'include', keepalive: true, signal, ...json })
  }
}

/**
 * A `GET` with an access token, for {@link AuthBackend.getUser}: `get(path, accessToken, signal?)`
 * resolves to the JSON of the answer, or null.
 *
 * @throws TypeError if the API has no http or https address
 */
export function createGet(options: BackendOptions = {}) {
  const send = createSend(options)
  return (path: string, accessToken: string, signal?: AbortSignal) =>
    send(path, { headers: { authorization: `Bearer ${accessToken}` }, signal })
}

function createSend({ baseURL = '/api', fetch }: BackendOptions) {
  apiOrigin(baseURL)
  const send = fetchOrGlobal(fetch)
  return async (path: string, init: RequestInit) => {
    const url = baseURL.replace(/\/$/, '') + path
    const response = await send(url, { redirect: 'error', ...init })
    const data = await response.json().catch(() => null)
    if (!response.ok) throw new ApiError(`${init.method ?? 'GET'} ${path}`, response, data)
    return data
  }
}
