/** The errors that a caller may want to tell apart. */

/**
 * Why a session ended. `signed-out`: the person signed out. `expired`: the API rejected the refresh
 * token. `replaced`: somebody signed in again.
 */
export type EndReason = 'signed-out' | 'expired' | 'replaced'

/** Why nobody is signed in any more. */
export type EndOfAll = Exclude<EndReason, 'replaced'>

/** The session in which a call began has ended. The call has no answer (R6). */
export class SessionEndedError extends Error {
  override readonly name = 'SessionEndedError'
  readonly reason: EndReason
  /** The refusal of the refresh, if that ended the session. */
  readonly cause: unknown

  constructor(reason: EndReason, cause?: unknown) {
    super(`The session has ended (${reason}). Sign in again.`)
    this.reason = reason
    this.cause = cause
  }
}

/** The API answered a sign-in, refresh or sign-out with an error. Contains nothing that was sent. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly headers: Headers
  /** The body of the answer, if it is JSON. */
  readonly data: unknown

  // No `response`: axios takes an error that has one for its own, and writes into it.
  constructor(request: string, { status, statusText, headers }: Response, data: unknown) {
    super(`${request}: ${status} ${statusText}`)
    this.status = status
    this.headers = headers
    this.data = data
  }
}

/** The API answered with something that is not a token grant. Names the fields, shows no values. */
export class InvalidGrantError extends Error {
  override readonly name = 'InvalidGrantError'
}

/**
 * This tab has no refresh token. Another one may have, so only the session of this tab ends. Thrown by
 * a back end that keeps the refresh token for each tab.
 */
export class MissingRefreshTokenError extends Error {
  override readonly name = 'MissingRefreshTokenError'
  readonly status = 401
}

/** Of all 4xx, those that ask to come again. */
const TEMPORARY = [408, 425, 429]

/**
 * Whether the API refused for good (R8): any 4xx, except 408, 425, 429 and any HTML page, which comes
 * from a firewall, a gateway or a proxy in front of the API. Any other error may be temporary (R7).
 */
export function isRefusal(error: unknown): boolean {
  const { status } = Object(error)
  return status >= 400 && status < 500 && !TEMPORARY.includes(status) && !isPage(error)
}

/** By the headers of an ApiError, or of the `response` that errors of ofetch and axios carry. */
function isPage(error: unknown): boolean {
  const { headers, response } = Object(error)
  const type: unknown = (headers ?? response?.headers)?.get?.('content-type')
  return typeof type === 'string' && /^text\/html\b/i.test(type.trim())
}
