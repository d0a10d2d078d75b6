/**
 * The authenticated `fetch`: adds the access token, and after a 401 waits for the refresh and sends
 * the request once more. When and how a token is refreshed is decided in session.ts.
 */
import { encodeBody, fetchOrGlobal, isRequest, readRequest, withoutReplay } from './request.ts'
import type { Fetch } from './request.ts'
import type { Session } from './session.ts'
import { anySignal, unlessAborted } from './signals.ts'
import { absoluteUrl, apiOrigin } from './url.ts'

/** The auth store, or what `createAuth` returns. */
export interface SessionSource {
  readonly sessions: { current(): Session | null }
}

export interface AuthFetchOptions {
  /** The auth store, or a function that returns it, for a client created before Pinia. */
  auth: SessionSource | (() => SessionSource)
  /** Where the API is. Its origin is the only one that gets tokens (R5). Default `/api`. */
  baseURL?: string
  /** Replaces the global `fetch`. */
  fetch?: Fetch
}

/**
 * A `fetch` for any HTTP client that takes one. Requests to the API's origin carry the access token,
 * wait for a refresh and are sent again after a 401. Requests to another origin get no token (R5), and
 * those that have their own `Authorization` header keep it.
 *
 * A call belongs to the session in which it began. It rejects with SessionEndedError when that ends
 * (R6), with the failure of a refresh that it waited for (R7), with the reason of its aborted signal
 * (R9), else as `fetch` does. A body that is still being read is aborted as well. A POST is sent again
 * like a GET: an API that checks the token first has done nothing yet when it answers 401.
 *
 * @throws TypeError if the API has no http or https address
 */
export function createAuthFetch(options: AuthFetchOptions): Fetch {
  const { begin, send } = createSender(options)
  return async (input, init) => {
    const given = init?.signal === undefined && isRequest(input) ? input.signal : init?.signal
    return send(begin(given), input, init)
  }
}

export interface Call {
  /** Whose token is sent. Null: none. */
  session: Session | null
  /** Aborts when the session ends or the caller aborts. */
  over: AbortSignal | undefined
  /** `false`: a 401 is the answer. */
  refresh: boolean
  /** A 401 has led to a second attempt, sent or not. There is no third (R4). */
  replayed: boolean
  /** The refresh that this call waited for has failed. */
  refreshFailure?: { error: unknown }
}

/** The two halves of an authenticated call: `begin` binds it to the current session, `send` sends it. */
export function createSender({ auth, baseURL = '/api', fetch }: AuthFetchOptions) {
  const origin = apiOrigin(baseURL)
  const source = typeof auth === 'function' ? auth : () => auth
  const native = fetchOrGlobal(fetch)

  function begin(
    signal?: AbortSignal | null,
    { auth = true, refresh = true }: { auth?: boolean; refresh?: boolean } = {},
  ): Call {
    const session = auth ? source().sessions.current() : null // R6: fixed here and now
    return { session, over: anySignal(signal, session?.signal), refresh, replayed: false }
  }

  async function send(call: Call, input: RequestInfo | URL, init: RequestInit = {}) {
    const { session } = call
    const signal = init.signal ? anySignal(init.signal, call.over) : call.over
    signal?.throwIfAborted()
    const { target, url, headers, method } = readRequest(input, init) // R5: what is checked is what is sent.
    const isOwn = url.origin === origin && !headers.has('authorization')
    if (!session || !isOwn) return native(target, { ...init, signal: signal ?? init.signal })

    // Encoded once, so that both attempts send the same bytes, FormData with one boundary. A stream is
    // not replayable, and a Request is cloned for each (R10).
    const { body, type, replayable } = await encodeBody(init.body)
    if (type && !headers.has('content-type')) headers.set('content-type', type)

    async function sendWith(token: string, headers: Headers): Promise<Response> {
      signal!.throwIfAborted()
      headers.set('authorization', `Bearer ${token}`)
      const request = isRequest(target) ? target.clone() : target
      const response = await native(request, { ...init, body, headers, signal })
      signal!.throwIfAborted() // R6
      return response
    }

    async function whenReady(token: string | Promise<string>): Promise<string> {
      try {
        return typeof token === 'string' ? token : await unlessAborted(signal!, token)
      } catch (error) {
        if (!signal!.aborted) call.refreshFailure = { error } // R7
        throw error
      }
    }

    const route = `${method.toUpperCase()} ${url.pathname}${url.search}`
    const token = await whenReady(session.tokenToSend(route))
    const receivedAt = session.grant?.receivedAt
    const response = await sendWith(token, headers)
    session.noteAnswer(route, token, response.status, receivedAt)
    if (response.status !== 401 || !call.refresh || call.replayed) return response // R4
    // A redirect led to another origin, which got no token: its 401 says nothing about ours.
    if (response.redirected && absoluteUrl(response.url).origin !== origin) return response

    const next = session.tokenAfter401(token, route, receivedAt)
    if (next === null) return response // R4
    if (!replayable) {
      Promise.resolve(next).catch(() => {}) // Refreshed for the next call, which gets the failure too.
      return withoutReplay(response) // The 401, with a status text that says why.
    }
    response.body?.cancel().catch(() => {})
    call.replayed = true
    const nextToken = await whenReady(next)
    const nextReceivedAt = session.grant?.receivedAt
    const answer = await sendWith(nextToken, new Headers(headers))
    session.noteAnswer(route, nextToken, answer.status, nextReceivedAt)
    session.noteReplay(url.pathname, answer.status)
    return answer
  }

  return { begin, send }
}
