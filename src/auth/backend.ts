/**
 * The seam to the API: how to sign in, refresh and sign out, how long that may take, and what its
 * errors mean. When to do so is left to store.ts. A team with another API writes another AuthBackend.
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
  /** Never called twice at the same time in one browser profile, where it has locks (R1). */
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

export function createPost({ baseURL = '/api', fetch }: BackendOptions) {
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

/**
 * A call to the back end that is given up when its time is over, in milliseconds (R11), or when
 * `ended` aborts because nobody needs the answer any more (R12).
 *
 * @throws what `call` throws, the reason of `ended`, or a DOMException named TimeoutError
 */
export async function limited<T>(
  call: (options: CallOptions) => Promise<T>,
  timeout: number,
  ended?: AbortSignal,
): Promise<T> {
  ended?.throwIfAborted()
  const controller = new AbortController()
  const { signal } = controller
  const late = new DOMException('The API took too long.', 'TimeoutError')
  const timer = setTimeout(() => controller.abort(late), timeout)
  const giveUp = () => controller.abort(ended?.reason)
  ended?.addEventListener('abort', giveUp)
  try {
    return await unlessAborted(signal, call({ signal })) // A back end may not look at the signal.
  } finally {
    clearTimeout(timer)
    ended?.removeEventListener('abort', giveUp)
  }
}

/** As `work` settles, or rejects as soon as `signal` is aborted, with its reason. */
export function unlessAborted<T>(signal: AbortSignal, work: T | Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort)) // R15
  })
}

/** A definitive no, after which a refresh token is of no more use (R8). All else may pass (R7). */
export function isRefusal(error: unknown): boolean {
  return [400, 401, 403].includes(Object(error).status)
}

/**
 * Milliseconds that the server asked to wait, or null.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function retryAfter(error: unknown, now: number): number | null {
  const headers = (error as { response?: Response } | null)?.response?.headers
  const header = headers?.get?.('retry-after')
  if (!header) return null
  const sentAt = Date.parse(headers!.get('date') ?? '')
  let wait = NaN
  if (/^\d+$/.test(header)) wait = Number(header) * 1000
  // By the server's clock: this one may be wrong.
  else if (header.endsWith('GMT')) wait = Date.parse(header) - (sentAt || now)
  return wait > 0 ? wait : null
}
