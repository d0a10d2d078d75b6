/** Errors of API calls in words for people. What to do about them is left to the views. */
import { SessionEndedError, retryAfter } from '@/auth/index.ts'

/**
 * Says what went wrong and what to do. The server's own message is used where it refused the
 * request as such; its words for anything else are not for people.
 */
export function explain(error: unknown): string {
  if (error instanceof SessionEndedError) {
    // `replaced`: by a sign-in in another tab, and the same person goes on here. Else the page goes.
    return error.reason === 'replaced'
      ? 'You signed in again meanwhile. See whether it was done, or try again.'
      : ''
  }
  const status = statusOf(error)
  if (status === undefined) {
    return isOutOfReach(error)
      ? 'Cannot reach the server. Check your connection and try again.'
      : 'The server’s answer was not understood. Try again in a moment.'
  }
  if (status === 403) return 'You don’t have permission to do this.'
  if (status === 429 || status >= 500) {
    const problem = status === 429 ? 'Too many requests' : 'The server has a problem'
    const wait = retryAfter(error, Date.now())
    return `${problem}. Try again in ${wait ? inWords(Math.ceil(wait / 1000)) : 'a moment'}.`
  }
  if (Object.keys(fieldErrors(error)).length > 0) return 'Check the fields that are marked.'
  return messageOf(error) ?? 'The server refused the request.'
}

/** What the server says is wrong with fields of a form, by their names in the request. */
export function fieldErrors(error: unknown): Partial<Record<string, string>> {
  const body = (error as { data?: { data?: { fields?: unknown } } } | null)?.data
  return Object(body?.data?.fields)
}

/** No answer, by the errors of `fetch` and of time limits, which ofetch wraps in its own. */
function isOutOfReach(error: unknown): boolean {
  const { name } = ((error as { cause?: unknown } | null)?.cause ?? error ?? {}) as Error
  return name === 'TypeError' || name === 'TimeoutError'
}

/** The HTTP status of the answer, or undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  return (error as { status?: number } | null)?.status
}

function inWords(seconds: number): string {
  if (seconds < 90) return seconds === 1 ? '1 second' : `${seconds} seconds`
  return `${Math.ceil(seconds / 60)} minutes`
}

function messageOf(error: unknown): string | undefined {
  const body = (error as { data?: { message?: unknown } } | null)?.data
  return typeof body?.message === 'string' && body.message ? body.message : undefined
}
