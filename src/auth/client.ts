/** The API client: ofetch on the authenticated `fetch`. */
import { createFetch } from 'ofetch'
import type { $Fetch, CreateFetchOptions, FetchOptions, FetchRequest, FetchResponse } from 'ofetch'
import { createSender } from './fetch.ts'
import type { AuthFetchOptions, Call, Fetch } from './fetch.ts'
import { isRequest } from './request.ts'
import { unlessAborted } from './signals.ts'

declare module 'ofetch' {
  interface FetchOptions {
    /** `false` sends the request without a token, as an anonymous visitor would. */
    auth?: boolean
    /** `false` takes a 401 as the answer: a wrong current password says nothing about the token. */
    refresh?: boolean
  }
}

/** In the options of a call: the call itself. ofetch passes it on to each of its retries. */
const CALL = Symbol('call')
type OptionsWithCall = FetchOptions & RequestInit & { [CALL]: Call }

/**
 * An ordinary ofetch instance: `raw`, `create`, hooks, `retry` and `timeout` work as they always do.
 *
 * A call belongs to the session in which it began. It rejects with SessionEndedError when that ends
 * (R6), with the failure of a refresh that it waited for (R7), with the reason of its aborted signal
 * (R9), else with ofetch's FetchError. A body that is still being read ends with the same signals.
 *
 * @throws TypeError if the API has no http or https address
 * @see https://github.com/unjs/ofetch
 */
export function createApiClient({ baseURL = '/api', auth, fetch }: AuthFetchOptions): $Fetch {
  // Looked up for each call, so that a global fetch replaced later is used.
  const native: Fetch = fetch ?? ((...args) => globalThis.fetch(...args))
  return createClient({ defaults: { baseURL }, fetch: native }, { auth, baseURL })
}

function createClient(
  globals: CreateFetchOptions & { fetch: Fetch },
  options: AuthFetchOptions,
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

  async function raw(input: FetchRequest, options: FetchOptions = {}) {
    const given = options.signal ?? defaults.signal ?? (isRequest(input) ? input.signal : null)
    const call = begin(given, { ...defaults, ...options })
    try {
      const answer = request.raw(input, { ...options, [CALL]: call } as FetchOptions)
      return (await (call.over ? unlessAborted(call.over, answer) : answer)) as FetchResponse<never>
    } catch (error) {
      throw call.refreshFailure ? call.refreshFailure.error : error
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
