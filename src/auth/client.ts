/** The API client: ofetch on the authenticated `fetch`. */
import { createFetch } from 'ofetch'
import type { $Fetch, CreateFetchOptions, FetchOptions, FetchRequest, FetchResponse } from 'ofetch'
import { createSender } from './fetch.ts'
import type { AuthFetchOptions, Call } from './fetch.ts'
import { fetchOrGlobal, isRequest, ownOptions } from './request.ts'
import type { Fetch } from './request.ts'
import { anySignal, startTimeLimit, unlessAborted } from './signals.ts'

declare module 'ofetch' {
  interface FetchOptions {
    /** `false` sends the request without a token, as an anonymous visitor would. */
    auth?: boolean
    /** `false` takes a 401 as the answer: a wrong current password says nothing about the token. */
    refresh?: boolean
  }
}

export interface ApiClientOptions extends AuthFetchOptions {
  /**
   * Milliseconds that a `GET` or `HEAD` may take, to the end of its body, if the call has no `timeout` of
   * its own (R11). Streams and all other methods have no limit, and by default nothing has.
   */
  readTimeout?: number
}

/** In the options of a call: the call itself. ofetch passes it on to each of its retries. */
const CALL = Symbol('call')
type OptionsWithCall = FetchOptions & RequestInit & { [CALL]: Call }

/**
 * An ordinary ofetch instance: `raw`, `create`, hooks, `retry` and `timeout` work as they always do.
 *
 * A call belongs to the session in which it began. It rejects with SessionEndedError when that ends
 * (R6), with the failure of a refresh that it waited for (R7), with the reason of its aborted signal
 * (R9), with a DOMException named TimeoutError after `readTimeout`, else with ofetch's FetchError. A
 * body that is still being read is aborted as well.
 *
 * @throws TypeError if the API has no http or https address
 * @see https://github.com/unjs/ofetch
 */
export function createApiClient(options: ApiClientOptions): $Fetch {
  const { baseURL = '/api', fetch, ...rest } = ownOptions(options)
  return createClient({ defaults: { baseURL }, fetch: fetchOrGlobal(fetch) }, { ...rest, baseURL })
}

function createClient(
  globals: CreateFetchOptions & { fetch: Fetch },
  options: ApiClientOptions,
): $Fetch {
  const { defaults = {}, fetch } = globals
  const { begin, send } = createSender({ ...options, fetch })
  const request = createFetch({
    ...globals,
    async fetch(input, init) {
      const call = (init as OptionsWithCall)[CALL]
      try {
        return await send(call, input, init)
      } catch (error) {
        // ofetch must not retry what is over.
        if (call.refreshFailure || call.over?.aborted) (init as FetchOptions).retry = false
        throw error
      }
    },
  })

  /** Milliseconds, or 0: no limit but ofetch's `timeout`, which it drops if the call has a signal. */
  function timeLimit(input: FetchRequest, given: FetchOptions): number {
    const { method = isRequest(input) ? input.method : 'GET', responseType, signal } = given
    const isRead = /^(?:get|head)$/i.test(method) && responseType !== 'stream'
    if (!isRead || (given.timeout && !signal)) return 0
    return given.timeout ?? options.readTimeout ?? 0
  }

  async function raw(
    input: FetchRequest,
    options: FetchOptions = {},
  ): Promise<FetchResponse<never>> {
    const all = { ...defaults, ...options }
    const given = all.signal ?? (isRequest(input) ? input.signal : undefined)
    const milliseconds = timeLimit(input, all)
    const limit = milliseconds > 0 ? startTimeLimit(milliseconds) : null
    const call = begin(anySignal(given, limit?.signal), all)
    const own = limit ? { ...options, timeout: 0 } : options
    try {
      const answer = request.raw(input, { ...own, [CALL]: call } as FetchOptions)
      return (await (call.over ? unlessAborted(call.over, answer) : answer)) as FetchResponse<never>
    } catch (error) {
      throw call.refreshFailure ? call.refreshFailure.error : error
    } finally {
      limit?.clear()
    }
  }

  const create: $Fetch['create'] = (own, custom = {}) => {
    const all = { ...defaults, ...custom.defaults, ...own }
    return createClient({ ...globals, fetch, ...custom, defaults: all } as typeof globals, options)
  }
  const client = async (input: FetchRequest, options?: FetchOptions) =>
    (await raw(input, options))._data
  return Object.assign(client, { raw, native: fetch, create }) as $Fetch
}
