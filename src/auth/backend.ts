/**
 * The seam to the API: how to sign in, refresh and sign out. When to do so is decided in session.ts
 * and auth.ts. For another API, write another AuthBackend.
 */
import type { PasswordCredentials, TokenGrant } from './contract.ts'
import { ApiError } from './errors.ts'
import { fetchOrGlobal, ownOptions } from './request.ts'
import { apiOrigin } from './url.ts'

export interface CallOptions {
  /** Aborts when the time limit is over, or when the answer is no longer needed. */
  signal?: AbortSignal
}

export interface LogoutOptions extends CallOptions {
  /**
   * An access token that may be sent now, for an API that wants one to sign out. Refreshes if it must.
   *
   * @throws what `refresh` throws
   */
  getAccessToken(): Promise<string>
}

/**
 * What the session needs from an API. Each function may throw anything. An error that `isRefusal` takes
 * for one, by its `status`, ends the session (R8); any other error is temporary (R7).
 */
export interface AuthBackend<Credentials = PasswordCredentials> {
  login(credentials: Credentials, options?: CallOptions): Promise<TokenGrant>
  /** Never called twice at once in one browser profile, if Web Locks are available (R1). */
  refresh(options?: CallOptions): Promise<TokenGrant>
  /**
   * Called for every sign-out, with or without a session. If it is refused with the token it was given,
   * it is called once more with a fresh one.
   */
  logout(options: LogoutOptions): Promise<void>
  /** Who is signed in. Called only if a grant has no `user` and none is known yet. */
  getUser?(accessToken: string, options?: CallOptions): Promise<unknown>
}

export interface BackendOptions {
  /** Where the API is: a path on this origin or an absolute http(s) URL. Default `/api`. */
  baseURL?: string
  /** Replaces the global `fetch`. */
  fetch?: typeof globalThis.fetch
}

/** Headers by name. Those without a value are not sent. */
type HeaderValues = Record<string, string | null | undefined>

export interface RequestDefaults extends BackendOptions {
  /** Sent with every request. A function is called for each: a CSRF token changes. */
  headers?: HeaderValues | (() => HeaderValues)
  /** Whether cookies are sent and kept. Default `include`: also those of an API on another origin. */
  credentials?: RequestCredentials
}

export interface RequestOptions extends CallOptions {
  /** Sent as `Authorization: Bearer`. */
  accessToken?: string
  headers?: HeaderValues
}

/** What can be sent: a form, or JSON. Nothing in JSON has methods, as a Map, a Blob or a stream has. */
type Sendable<T> = T extends URLSearchParams | FormData
  ? T
  : T extends bigint | symbol | ((...args: never) => unknown)
    ? never
    : T extends object
      ? { [Key in keyof T]: Sendable<T[Key]> }
      : T

/** Any JSON. What a back end returns is checked (contract.ts). */
type Answer = ReturnType<Response['json']>

type SendRequest = <Method extends 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', Body>(
  method: Method,
  path: string,
  options?: RequestOptions & {
    body?: Method extends 'GET' ? never : [Body] extends [Sendable<Body>] ? Body : never
  },
) => Answer

/**
 * For an API that keeps the refresh token in an HttpOnly cookie, which no script can read (R14).
 *
 * @throws TypeError if the API has no http or https address
 * @see https://www.rfc-editor.org/rfc/rfc9700#section-4.14
 */
export function createCookieBackend(options: BackendOptions = {}): AuthBackend {
  const request = createRequest(options)
  return {
    login: (credentials, { signal } = {}) =>
      request('POST', '/auth/login', { body: credentials, signal }),
    refresh: ({ signal } = {}) => request('POST', '/auth/refresh', { signal }),
    logout: ({ signal }: CallOptions = {}) => request('POST', '/auth/logout', { signal }),
  }
}

/**
 * A request that carries credentials: `request('POST', '/login', { body, signal })` resolves to the JSON
 * of the answer, or null, and rejects with an ApiError if the API refuses. An object is sent as JSON,
 * `URLSearchParams` and `FormData` as forms. The path is below `baseURL`, or a whole http(s) address.
 *
 * It follows no redirect, because that would send a password or a refresh token elsewhere (R5). Without
 * a body it outlives a page that is reloaded (R16); browsers limit the bodies of such requests to 64 KiB.
 *
 * @throws TypeError if the API has no http or https address
 */
export function createRequest(defaults: RequestDefaults = {}): SendRequest {
  const { baseURL = '/api', fetch, headers, credentials = 'include' } = ownOptions(defaults)
  apiOrigin(baseURL)
  const send = fetchOrGlobal(fetch)

  return async (method, path, options = {}) => {
    const { accessToken, body, signal, headers: more } = ownOptions(options)
    const isForm = body instanceof URLSearchParams || body instanceof FormData
    const response = await send(/^https?:/.test(path) ? path : baseURL.replace(/\/$/, '') + path, {
      method,
      headers: headersOf(
        { authorization: accessToken && `Bearer ${accessToken}` },
        { 'content-type': body === undefined || isForm ? null : 'application/json' },
        typeof headers === 'function' ? headers() : headers,
        more,
      ),
      body: isForm ? body : JSON.stringify(body),
      credentials,
      signal,
      redirect: 'error',
      keepalive: body === undefined,
    })
    const data = await response.json().catch(() => null)
    if (!response.ok) throw new ApiError(`${method} ${path}`, response, data)
    return data
  }
}

/** The later ones replace the earlier. */
function headersOf(...given: (HeaderValues | undefined)[]): Headers {
  const headers = new Headers()
  for (const [name, value] of given.flatMap((values) => Object.entries(values ?? {}))) {
    if (value) headers.set(name, value)
    else headers.delete(name)
  }
  return headers
}
