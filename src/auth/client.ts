/**
 * The API client: ofetch, with each call bound to the session that it was begun in. What that does
 * to a request on its way is left to interceptor.ts.
 */
import { createFetch } from 'ofetch'
import type { $Fetch, CreateFetchOptions, FetchOptions, FetchRequest, FetchResponse } from 'ofetch'
import { breakable, onAbort } from './abort.ts'
import { CallOver, intercept, originOf } from './interceptor.ts'
import type { Fetch } from './interceptor.ts'
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
      const standing = defaults.signal ?? (request instanceof Request ? request.signal : undefined)
      const { auth = defaults.auth, timeout = defaults.timeout, signal = standing } = options
      signal?.throwIfAborted()
      // R6: fixed here and now, whoever may be signed in when the request leaves.
      const session = auth === false ? null : source().currentSession()

      const { onResponse = defaults.onResponse } = options
      const { onResponseError = defaults.onResponseError } = options
      const hasHooks = onResponse || onResponseError // R6: they see the answer before the caller.
      // In the place of the caller's signal, which many calls may share: Node warns of that.
      let own = signal || (session && hasHooks) ? new AbortController() : null
      const cut = (reason: unknown) => (own ??= new AbortController()).abort(reason)
      const giveUp = (reason: unknown) => {
        reject(reason)
        cut(reason)
      }
      const stopSession = session?.onEnd(giveUp)
      const stopSignal = signal && onAbort(signal, () => giveUp(signal.reason))
      // With a signal, ofetch keeps no time limit.
      const late = () => cut(new DOMException('The API took too long.', 'TimeoutError'))
      const timer = own && timeout ? setTimeout(late, timeout) : undefined
      instanceFor(session)
        .raw(request, own ? { ...options, signal: own.signal } : options)
        .then(
          (response) => {
            const isStream = response.body && response._data === response.body
            if (!isStream || !(session || signal)) return resolve(pick(response))
            // R6, R9: not even the rest of it comes after that.
            own ??= new AbortController()
            const { result, over } = breakable(response, own.signal)
            resolve(pick(result))
            return over
          },
          (error) => reject(error?.cause instanceof CallOver ? error.cause.cause : error),
        )
        .then(() => {
          clearTimeout(timer)
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
