/** A request as the authenticated `fetch` needs it: read once, with a body that can be sent twice. */
import { absoluteUrl } from './url.ts'

export type Fetch = typeof globalThis.fetch

/** `given`, or the global `fetch` as it is at each call, because it may be replaced later. */
export function fetchOrGlobal(given?: Fetch): Fetch {
  return given ?? ((input, init) => globalThis.fetch(input, init))
}

/** Options without what others have put into `Object.prototype`: nothing goes to their `baseURL` (R5). */
export function ownOptions<T>(options: T): T {
  return { __proto__: null, ...options }
}

/** What is sent, read once: a `URL`, a `Request` or any other object may change later. */
export function readRequest(input: RequestInfo | URL, init: RequestInit) {
  if (!isRequest(input)) {
    const url = absoluteUrl(String(input))
    const { method = 'GET', headers } = init
    return { target: url.href, url, method, headers: new Headers(headers) }
  }
  const target: Request = Request.prototype.clone.call(input)
  const { method = target.method, headers = target.headers } = init
  return { target, url: new URL(target.url), method, headers: new Headers(headers) }
}

/** Also a Request of another window, such as an iframe. */
export function isRequest(input: RequestInfo | URL): input is Request {
  return Object.prototype.toString.call(input) === '[object Request]'
}

/** A body that can be sent twice, byte for byte (R10). A stream can be read only once. */
export async function encodeBody(body: RequestInit['body']) {
  const isFixed = !body || typeof body === 'string' || body instanceof Blob
  if (isFixed) return { body, type: null, replayable: true }
  const isData = [FormData, URLSearchParams, ArrayBuffer].some((type) => body instanceof type)
  if (!isData && !ArrayBuffer.isView(body)) return { body, type: null, replayable: false }
  // Encoded before it is first sent: the caller may change it, and FormData gets a new boundary.
  const encoded = new Response(body)
  const type = encoded.headers.get('content-type')
  return { body: await encoded.blob(), type, replayable: true }
}

/** The 401 as the answer, with a reason: a stream cannot be sent again (R10). */
export function withoutReplay(response: Response): Response {
  const statusText = 'Unauthorized, and a body that is a stream cannot be sent again'
  return new Response(response.body, { status: 401, statusText, headers: response.headers })
}
