/**
 * The one shape of every error this server answers with: `{ status, message, data?: { code } }`.
 */
import { HTTPError } from 'h3'
import type { H3Event } from 'h3'

/** An error for the caller: `code` is for programs, `message` says to people what to do. */
export function apiError(
  status: number,
  code: string,
  message: string,
  headers?: Record<string, string>,
): HTTPError {
  return new HTTPError({ status, message, data: { code }, headers })
}

/** A 401, with its challenge. */
export function unauthorized(code: string, message: string, tokenSent: boolean): HTTPError {
  return apiError(401, code, message, { 'WWW-Authenticate': challenge(tokenSent) })
}

/**
 * `WWW-Authenticate` of a 401: whether a token was sent and refused, or none was sent (S3).
 *
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-3
 */
export function challenge(tokenSent: boolean): string {
  return tokenSent ? 'Bearer error="invalid_token"' : 'Bearer'
}

/** h3's `onError`. Headers set before the error stay: the cookie that a refusal clears, CORS. */
export function answerError(error: HTTPError, event: H3Event) {
  error.headers?.forEach((value, name) => event.res.headers.set(name, value))
  event.res.status = error.status
  if (error.unhandled) {
    return { status: error.status, message: 'A bug in the mock server: see its console.' }
  }
  if (error.status === 404 && !error.data) {
    const message = `There is no ${event.req.method} ${event.url.pathname} here.`
    return { status: 404, message, data: { code: 'not_found' } }
  }
  if (error.status === 400 && !error.data) {
    const message = 'The path cannot be read: a % stands for itself only as %25.'
    return { status: 400, message, data: { code: 'invalid_url' } }
  }
  return { status: error.status, message: error.message, data: error.data }
}
