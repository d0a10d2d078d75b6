/**
 * The interceptor: the `fetch` of one session, beneath ofetch. It asks the session for a token, sends,
 * and after a 401 sends once more. When and how tokens are refreshed is left to the session.
 */
import type { FetchOptions, FetchRequest } from 'ofetch'
import { unlessAborted } from './backend.ts'
import type { Session } from './session.ts'

export type Fetch = typeof globalThis.fetch

/** Marks the options of a call that was replayed. ofetch hands them on when it tries again. */
const REPLAYED = Symbol('replayed')

type CallOptions = FetchOptions & RequestInit & { [REPLAYED]?: boolean }

export function intercept(fetch: Fetch, origin: string, session: Session): Fetch {
  return async (input, options: CallOptions = {}) => {
    if (session.ended) throw new CallOver(session.ended, options) // R6: not even tried again
    throwIfAborted(input, options)
    const given = options.headers as Headers // ofetch has made it so.
    if (!isOwn(input, origin) || given.has('authorization')) return fetch(input, options) // R5

    const { body, type, replayable } = await encode(options.body)
    let token = session.authorize()
    for (; ; options[REPLAYED] = true) {
      if (typeof token !== 'string') token = await awaitToken(token, options)
      if (session.ended) throw new CallOver(session.ended, options) // R6
      throwIfAborted(input, options)
      const headers = new Headers(given)
      headers.set('authorization', `Bearer ${token}`)
      if (type && !headers.has('content-type')) headers.set('content-type', type)
      const request = isRequest(input) ? input.clone() : input
      const response = await fetch(request, { ...options, body, headers })
      if (session.ended) {
        discard(response)
        throw new CallOver(session.ended, options) // R6
      }
      if (response.status !== 401 || options[REPLAYED]) return response // R4
      // A redirect has led elsewhere, and the browser has kept the token back (R5).
      if (response.redirected && !isOwn(response.url, origin)) return response

      token = session.renew(token)
      if (!replayable) {
        Promise.resolve(token).catch(() => {}) // The new token is for later calls, and so is its failure.
        return notReplayed(response)
      }
      discard(response)
    }
  }
}

/** Ends a call for good, with the reason as its cause: it switches ofetch's own retry off. */
export class CallOver extends Error {
  constructor(reason: unknown, options: CallOptions) {
    super('The call is over.', { cause: reason })
    options.retry = false
  }
}

/** The token, once it is there, or the failure of the refresh as it is (R7). */
async function awaitToken(token: Promise<string>, options: CallOptions): Promise<string> {
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

/** A body as it can be sent twice, byte for byte (R10). A stream can be read only once. */
async function encode(body: RequestInit['body']) {
  const isFixed = !body || typeof body === 'string' || body instanceof Blob
  if (isFixed) return { body, type: null, replayable: true }
  const isData = [FormData, URLSearchParams, ArrayBuffer].some((type) => body instanceof type)
  if (!isData && !ArrayBuffer.isView(body)) return { body, type: null, replayable: false }
  // Encoded before the first send: a change by the caller, or a new boundary, would alter the bytes.
  const encoded = new Response(body)
  const type = encoded.headers.get('content-type')
  return { body: await encoded.blob(), type, replayable: true }
}

function notReplayed(response: Response): Response {
  const statusText = 'Unauthorized, and a body that is a stream cannot be sent again'
  return new Response(response.body, { status: 401, statusText, headers: response.headers })
}

/** By a signal in its options or by that of a Request (R9). */
function throwIfAborted(input: FetchRequest | URL, { signal }: CallOptions): void {
  signal?.throwIfAborted()
  if (isRequest(input)) input.signal.throwIfAborted()
}

/** Also one of another window, such as that of an iframe. */
export function isRequest(input: FetchRequest | URL): input is Request {
  return typeof input === 'object' && 'url' in input
}

/** Whether a request stays at `origin` (R5). An absolute URL of it is told at sight, unparsed. */
function isOwn(request: FetchRequest | URL, origin: string): boolean {
  const url = isRequest(request) ? request.url : String(request)
  return (url.startsWith(origin) && url[origin.length] === '/') || originOf(url) === origin
}

/** The origin that a URL leads to from this page. */
export function originOf(url: string): string {
  return new URL(url, globalThis.location?.href ?? 'http://localhost').origin
}
