/**
 * The API client: ofetch, with the access token on every request to the API's own origin, and one
 * replay after a 401. When and how tokens are refreshed is left to the session.
 */
import { createFetch } from 'ofetch'
import type { $Fetch, CreateFetchOptions, FetchOptions, FetchRequest, FetchResponse } from 'ofetch'
import { onAbort, unlessAborted } from './abort.ts'
import type { Session } from './session.ts'

declare module 'ofetch' {
  interface FetchOptions {
    /** `false` sends the request without a token, as an anonymous visitor would. */
    auth?: boolean
  }
}

type Fetch = typeof globalThis.fetch

export interface ApiClientOptions {
  /** Where the API is: a path on this origin or an absolute URL. Default `/api`. */
  baseURL?: string
  /** The auth store, or a function that returns it, for a client made before Pinia is there. */
  session: SessionSource | (() => SessionSource)
  /** Stands in for the global `fetch`. */
  fetch?: Fetch
}

type SessionSource = { currentSession(): Session | null }

/**
 * An ordinary ofetch instance: `raw`, `create`, hooks, `retry` and `timeout` work as they always do.
 * The interceptor is the `fetch` beneath it and no hook, because a caller's own hooks take the place
 * of those that an instance was made with.
 *
 * A request rejects with SessionEndedError when its session ends (R6), with the failure of a refresh
 * that it waited for (R7), with the reason of its aborted signal (R9), else with ofetch's FetchError.
 *
 * @see https://github.com/unjs/ofetch
 */
export function createApiClient(options: ApiClientOptions): $Fetch {
  const { baseURL = '/api', session } = options
  const source = typeof session === 'function' ? session : () => session
  // Looked up at each call, so that a replaced global fetch is the one that is used.
  const fetch = options.fetch ?? ((...args) => globalThis.fetch(...args))
  return withSession({ defaults: { baseURL }, fetch }, source, originOf(baseURL))
}

function withSession(
  globals: CreateFetchOptions & { fetch: Fetch },
  source: () => SessionSource,
  origin: string,
): $Fetch {
  const { defaults = {}, fetch } = globals
  // ofetch deletes `params` and `query` from the options of each call. Where they come last, that
  // leaves an object that V8 reads and copies fast: a tenth of what a call costs.
  const { headers, params, query } = defaults
  const shared = { ...globals, defaults: { ...defaults, headers, params, query } }
  const anonymous = createFetch(shared)
  let latest: { session: Session; instance: $Fetch } | null = null

  function instanceFor(session: Session | null): $Fetch {
    if (!session) return anonymous
    if (latest?.session !== session) {
      const instance = createFetch({ ...shared, fetch: intercept(fetch, origin, session) })
      latest = { session, instance }
    }
    return latest.instance
  }

  function send<T>(
    request: FetchRequest,
    options: FetchOptions,
    pick: (response: FetchResponse<unknown>) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const standing = request instanceof Request ? request.signal : defaults.signal
      const { auth = defaults.auth, signal = standing } = options
      signal?.throwIfAborted()
      // R6: fixed here and now, whoever may be signed in when the request leaves.
      const session = auth === false ? null : source().currentSession()
      // In the place of the caller's signal, which many calls may share: Node warns of that.
      const own = signal && new AbortController()
      const giveUp = (reason: unknown) => {
        reject(reason)
        own?.abort(reason)
      }
      const stopSession = session?.onEnd(giveUp)
      const stopSignal = signal && onAbort(signal, () => giveUp(signal.reason))
      instanceFor(session)
        .raw(request, own ? { ...options, signal: own.signal } : options)
        .then(
          (response) => resolve(pick(response)),
          (error) => reject(error?.cause instanceof CallOver ? error.cause.cause : error),
        )
        .then(() => {
          stopSession?.()
          stopSignal?.() // R15
        })
    })
  }

  const create: $Fetch['create'] = (defaults, custom = {}) => {
    const merged = { ...globals.defaults, ...custom.defaults, ...defaults }
    const all = { ...globals, ...custom, fetch: custom.fetch ?? fetch, defaults: merged }
    return withSession(all, source, origin)
  }
  const raw = (request: FetchRequest, options: FetchOptions = {}) =>
    send(request, options, (response) => response)
  const client = (request: FetchRequest, options: FetchOptions = {}) =>
    send(request, options, (response) => response._data)
  return Object.assign(client, { raw, native: fetch, create }) as $Fetch
}

/** The `fetch` of one session: asks for a token, sends, and after a 401 sends once more. */
function intercept(fetch: Fetch, origin: string, session: Session): Fetch {
  return async (input, options: FetchOptions & RequestInit = {}) => {
    if (session.ended) throw new CallOver(session.ended, options) // R6: not even tried again
    const given = options.headers as Headers // ofetch has made it so.
    if (!isOwn(input, origin) || given.has('authorization')) return fetch(input, options) // R5

    const { body, type, replayable } = isFixed(options.body)
      ? { body: options.body, type: null, replayable: true }
      : await encode(options.body)
    let token = session.authorize()
    for (let isReplay = false; ; isReplay = true) {
      if (typeof token !== 'string') token = await allowed(token, options)
      if (session.ended) throw new CallOver(session.ended, options) // R6
      options.signal?.throwIfAborted() // R9
      const headers = new Headers(given)
      headers.set('authorization', `Bearer ${token}`)
      if (type && !headers.has('content-type')) headers.set('content-type', type)
      const request = input instanceof Request ? input.clone() : input
      const response = await fetch(request, { ...options, body, headers })
      if (session.ended) discard(response)
      if (session.ended) throw new CallOver(session.ended, options) // R6
      if (response.status !== 401 || isReplay) return response // R4

      token = session.renew(token)
      if (!replayable) {
        Promise.resolve(token).catch(() => {})
        return notReplayed(response)
      }
      discard(response)
    }
  }
}

/** What ends a call for good: ofetch must not try again, nor put its own error in this one's place. */
class CallOver extends Error {
  constructor(reason: unknown, options: FetchOptions) {
    super('The call is over.', { cause: reason })
    options.retry = false
  }
}

/** The token, once it is there, or the failure of the refresh as it is (R7). */
async function allowed(token: Promise<string>, options: FetchOptions): Promise<string> {
  const { signal } = options // the call's own, or that of ofetch's time limit
  try {
    return await (signal ? unlessAborted(signal, token) : token)
  } catch (reason) {
    throw signal?.aborted ? reason : new CallOver(reason, options)
  }
}

function discard(response: Response): void {
  response.body?.cancel().catch(() => {})
}

/** Whether a body is the same bytes whenever it is sent. */
function isFixed(body: RequestInit['body']): boolean {
  return !body || typeof body === 'string' || body instanceof Blob
}

/** A body as it can be sent twice, byte for byte (R10). A stream can be read only once. */
async function encode(body: RequestInit['body']) {
  const isData = [FormData, URLSearchParams, ArrayBuffer].some((type) => body instanceof type)
  if (!isData && !ArrayBuffer.isView(body)) return { body, type: null, replayable: false }
  // Here and now: what the caller changes later, or another boundary, would be other bytes.
  const encoded = new Response(body)
  const type = encoded.headers.get('content-type')
  return { body: await encoded.blob(), type, replayable: true }
}

function notReplayed(response: Response): Response {
  const statusText = 'Unauthorized, and a body that is a stream cannot be sent again'
  return new Response(response.body, { status: 401, statusText, headers: response.headers })
}

/** Whether a request stays at `origin` (R5). Most can be told at sight, and need no parsing. */
function isOwn(request: FetchRequest | URL, origin: string): boolean {
  const url = request instanceof Request ? request.url : String(request)
  return (url.startsWith(origin) && url[origin.length] === '/') || originOf(url) === origin
}

/** The origin that a URL leads to from this page. */
function originOf(url: string): string {
  return new URL(url, globalThis.location?.href ?? 'http://localhost').origin
}
