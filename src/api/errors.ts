/** Errors of API calls in words for people. What to do about them is left to the views. */

/**
 * Says what went wrong and what to do. The server's own message is used where it refused the
 * request as such; its words for anything else are not for people.
 */
export function explain(error: unknown): string {
  const status = statusOf(error)
  if (status === undefined) {
    return isOutOfReach(error)
      ? 'Cannot reach the server. Check your connection and try again.'
      : 'The server’s answer was not understood. Try again in a moment.'
  }
  if (status === 403) return 'Your account may not do this.'
  if (status === 429 || status >= 500) {
    const problem = status === 429 ? 'Too many requests' : 'The server has a problem'
    const wait = retryAfterSeconds(error)
    return `${problem}. Try again in ${wait ? inWords(wait) : 'a moment'}.`
  }
  return messageOf(error) ?? 'The server refused the request.'
}

/** No answer, by the errors of `fetch` and of time limits, which ofetch wraps in its own. */
function isOutOfReach(error: unknown): boolean {
  const { name } = ((error as Error | null)?.cause ?? error ?? {}) as Error
  return name === 'TypeError' || name === 'TimeoutError'
}

/** The HTTP status of the answer, or undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  return (error as { status?: number } | null)?.status
}

/**
 * Seconds that the server asks to wait, or null.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
function retryAfterSeconds(error: unknown): number | null {
  const headers = (error as { response?: Response } | null)?.response?.headers
  const header = headers?.get?.('retry-after')
  if (!header) return null
  // By the server's clock, where it tells: this one may be wrong.
  const sentAt = Date.parse(headers?.get('date') ?? '') || Date.now()
  const seconds = /^\d+$/.test(header)
    ? Number(header)
    : Math.ceil((Date.parse(header) - sentAt) / 1000)
  return seconds > 0 ? seconds : null
}

function inWords(seconds: number): string {
  if (seconds < 90) return seconds === 1 ? '1 second' : `${seconds} seconds`
  return `${Math.ceil(seconds / 60)} minutes`
}

function messageOf(error: unknown): string | undefined {
  const body = (error as { data?: { message?: unknown } } | null)?.data
  return typeof body?.message === 'string' && body.message ? body.message : undefined
}
