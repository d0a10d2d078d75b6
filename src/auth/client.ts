/**
 * The API client: ofetch, with each call bound to the session that it was begun in. What that does
 * to a request on its way is left to interceptor.ts.
 */
import { FetchError, createFetch } from 'ofetch'
import type { $Fetch, CreateFetchOptions, FetchOptions, FetchRequest, FetchResponse } from 'ofetch'
import { READ_AHEAD, breakOff, isStream, onAbort } from './abort.ts'
import { CallOver, intercept, isRequest, originOf } from './interceptor.ts'
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
 * A stream breaks off with the same reasons; it has to be read to its end, or cancelled.
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
  const anonymous = createFetch({
    ...shared,
    fetch(input, init) {
      init?.signal?.throwIfAborted() // R9: not even tried again
      return fetch(input, init)
    },
  })
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
      const { auth = defaults.auth, timeout = defaults.timeout } = options
      const given = options.signal ?? defaults.signal
      const signal = given ?? (isRequest(request) ? request.signal : undefined)
      signal?.throwIfAborted()
      // R6: fixed here and now, whoever may be signed in when the request leaves.
      const session = auth === false ? null : source().currentSession()

      // Stands in for the caller's signal: many calls may share that, and each would add a listener,
      // of which Node warns. With a `timeout` alone there is none, or ofetch would not keep the time.
      let own = given || (signal && !timeout) ? new AbortController() : null
      const giveUp = (reason: unknown) => {
        reject(reason)
        own ??= new AbortController()
        own.abort(reason)
      }
      const stops = [session?.signal, signal].map(
        (it) => it && onAbort(it, () => giveUp(it.reason)),
      )
      const guarded = session ? guardHooks(session, options) : options
      // A stream breaks off when the call is given up (R6, R9), and `over` resolves when it is over.
      const bound = (response: FetchResponse<unknown>, readAhead?: QueuingStrategy) => {
        const isStreamed = (session || signal) && isStream(response._data)
        if (!isStreamed) return { result: response, over: null }
        own ??= new AbortController()
        return breakOff(response as FetchResponse<ReadableStream>, own.signal, readAhead)
      }
      instanceFor(session)
        .raw(request, own ? { ...guarded, signal: own.signal } : guarded)
        .then(
          (response) => {
            const { result, over } = bound(response)
            resolve(pick(result))
            return over
          },
          (error) => {
            const end = [error, error?.cause].find((it) => it instanceof CallOver)
            reject(end ? end.cause : error)
            if (!(error instanceof FetchError) || !error.response) return undefined
            const { result, over } = bound(error.response, READ_AHEAD)
            error.response._data = result._data
            return over
          },
        )
        .catch(reject) // R11
        .then(() => {
          for (const stop of stops) stop?.() // R15
        })
    })
  }

  /** Hooks see the answer before the caller does: after the end of the session they must not (R6). */
  function guardHooks(session: Session, options: FetchOptions): FetchOptions {
    const guard = <A extends unknown[], R>(hook: (...args: A) => R) => {
      return (...args: A) => {
        if (session.ended) throw session.ended
        return hook(...args)
      }
    }
    const { onResponse = defaults.onResponse, parseResponse = defaults.parseResponse } = options
    const { onResponseError = defaults.onResponseError } = options
    if (!onResponse && !onResponseError && !parseResponse) return options
    return {
      ...options,
      ...(onResponse && { onResponse: [onResponse].flat().map(guard) }),
      ...(onResponseError && { onResponseError: [onResponseError].flat().map(guard) }),
      ...(parseResponse && { parseResponse: guard(parseResponse) }),
    }
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
