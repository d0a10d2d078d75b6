/** Addresses: where a request leads, and whether a token may go there (R5). */

/** The absolute URL of `input`, resolved as fetch does. */
export function absoluteUrl(input: string): URL {
  return new URL(
    input,
    globalThis.document?.baseURI ?? globalThis.location?.href ?? 'http://localhost',
  )
}

/**
 * The origin of the API, the only one that gets tokens.
 *
 * @throws TypeError if it is neither http nor https
 */
export function apiOrigin(baseURL: string): string {
  const { protocol, origin } = absoluteUrl(baseURL)
  if (protocol === 'http:' || protocol === 'https:') return origin
  throw new TypeError(`The API at ${baseURL} has no http or https address: pass an absolute URL`)
}
