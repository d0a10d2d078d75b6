/**
 * The API client: ofetch, with the access token on every request to the API's own origin, and one
 * replay after a 401. When and how tokens are refreshed is left to the session.
 */
import { createFetch } from 'ofetch'
import type { $Fetch, CreateFetchOptions, FetchOptions, FetchRequest } from 'ofetch'
import { onAbort, unlessAborted } from './abort.ts'
import type { Session } from './session.ts'

declare module 'ofetch' {
  interface FetchOptions {
    /** `false` sends the request without a token, as an anonymous visitor would. */
    auth?: boolean
  }
}

export interface ApiClientOptions {
  /** Where the API is: a path on this origin or an absolute URL. Default `/api`. */
  baseURL?: string
  /** The auth store, or a function that returns it, for a client made before Pinia is there. */
  session: SessionSource | (() => SessionSource)
  /** Stands in for the global `fetch`. */
  fetch?: typeof globalThis.fetch
}

interface SessionSource {
  currentSession(): Session | null
}

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
  globals: CreateFetchOptions & { fetch: typeof globalThis.fetch },
  source: () => SessionSource,
  origin: string,
): $Fetch {
  async function raw(request: FetchRequest, options: FetchOptions = {}) {
    const { auth, signal } = { ...globals.defaults, ...signalOf(request), ...options }
    signal?.throwIfAborted()
    // R6: fixed here and now, whoever may be signed in when the request leaves.
    const session = auth === false ? null : source().currentSession()
    if (!session && !signal) return createFetch(globals).raw(request, options)

    const over = new AbortController()
    return new Promise((resolve, reject) => {
      const giveUp = (reason: unknown) => {
        reject(reason)
        over.abort(reason)
      }
      const stopSession = session?.onEnd(giveUp)
      const stopSignal = signal && onAbort(signal, () => giveUp(signal.reason))

      const { fetch: plain } = globals
      const fetch = session ? intercept({ fetch: plain, session, origin, over, giveUp }) : plain
      // In the place of the caller's signal, which is followed here. Where there is none, ofetch
      // makes one for its time limit.
      const followed = signal ? { ...options, signal: over.signal } : options
      const sent = createFetch({ ...globals, fetch }).raw(request, followed)
      sent.then(resolve, reject).then(() => {
        stopSession?.()
        stopSignal?.() // R15
      })
    })
  }

  const create: $Fetch['create'] = (defaults, custom = {}) => {
    const merged = { ...globals.defaults, ...custom.defaults, ...defaults }
    const fetch = custom.fetch ?? globals.fetch
    return withSession({ ...globals, ...custom, fetch, defaults: merged }, source, origin)
  }
  const client = async (request: FetchRequest, options?: FetchOptions) =>
    ((await raw(request, options)) as { _data?: unknown })._data
  return Object.assign(client, { raw, native: globals.fetch, create }) as $Fetch
}

interface Call {
  fetch: typeof globalThis.fetch
  session: Session
  origin: string
  /** Aborted when the call is over: nothing is sent after that. */
  over: AbortController
  giveUp: (reason: unknown) => void
}

/** The `fetch` of one call: asks for a token, sends, and after a 401 sends once more. */
function intercept({ fetch, session, origin, over, giveUp }: Call): typeof globalThis.fetch {
  return async (input, options = {}) => {
    const foreign = originOf(input instanceof Request ? input.url : String(input)) !== origin // R5
    const { signal } = over
    signal.throwIfAborted()
    const limit = options.signal
    if (limit !== signal) limit?.addEventListener('abort', () => over.abort(limit.reason))
    const given = options.headers as Headers // ofetch has made it so.
    if (foreign || given.has('authorization')) return fetch(input, { ...options, signal })

    const { body, type, replayable } = isFixed(options.body)
      ? { body: options.body, type: null, replayable: true }
      : await encode(options.body)
    const send = async (token: string) => {
      signal.throwIfAborted() // R9
      const headers = new Headers(given)
      headers.set('authorization', `Bearer ${token}`)
      if (type && !headers.has('content-type')) headers.set('content-type', type)
      const request = input instanceof Request ? input.clone() : input
      return fetch(request, { ...options, body, signal, headers })
    }
    const allowed = async (token: Promise<string>) => {
      try {
        return await unlessAborted(signal, token)
      } catch (reason) {
        if (!signal.aborted) giveUp(reason) // R7: as it is, not as ofetch would wrap it
        throw reason
      }
    }

    const first = session.authorize()
    const token = typeof first === 'string' ? first : await allowed(first)
    const response = await send(token)
    if (response.status !== 401) return response
    const next = Promise.resolve(session.renew(token))
    if (!replayable) {
      next.catch(() => {})
      return notReplayed(response)
    }
    const renewed = await allowed(next)
    await response.body?.cancel()
    return send(renewed) // R4: whatever comes now is the caller's
  }
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

function signalOf(request: FetchRequest) {
  return request instanceof Request ? { signal: request.signal } : {}
}

/** The origin that a URL leads to from this page. */
function originOf(url: string): string {
  return new URL(url, globalThis.location?.href ?? 'http://localhost').origin
}
