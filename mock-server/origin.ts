/**
 * Which pages may make a browser send credentials here: those of this very origin, and those of
 * the origins that the options name.
 */
import { handleCors } from 'h3'
import type { H3, H3Event } from 'h3'
import { apiError } from './errors.ts'

/** @throws HTTPError 403 `forbidden_origin` */
export type AssertOwnOrigin = (event: H3Event) => void

/**
 * SameSite=Strict keeps the cookie from other sites, but not from another port or subdomain, and
 * a sign-in needs no cookie at all: so the origin is checked as well (S4).
 *
 * @see https://www.rfc-editor.org/rfc/rfc6454#section-7
 */
export function createOriginCheck(allowedOrigins: string[]): AssertOwnOrigin {
  return (event) => {
    const origin = event.req.headers.get('origin')
    if (origin && allowedOrigins.includes(origin)) return

    // `Origin: null` is what a sandboxed frame sends: nobody's, and so a foreign one.
    const foreign = origin !== null && origin !== event.url.origin
    if (foreign || event.req.headers.get('sec-fetch-site') === 'cross-site') {
      throw apiError(403, 'forbidden_origin', 'Call this from a page of the same origin.')
    }
  }
}

/** Answers preflights and adds the CORS headers, for `allowedOrigins` only. */
export function registerCors(app: H3, allowedOrigins: string[]): void {
  if (allowedOrigins.length === 0) return
  app.use((event) => {
    const preflight = handleCors(event, {
      origin: allowedOrigins,
      credentials: true,
      // What a client must read of an answer: the challenge, and how long to leave us alone.
      exposeHeaders: ['WWW-Authenticate', 'Retry-After', 'Date'],
    })
    return preflight === false ? undefined : preflight
  })
}
