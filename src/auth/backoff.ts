/** How long to wait after a failure before the next refresh (R7). */

/** Milliseconds. No server is waited for longer. */
export const MAX_RETRY_AFTER = 3_600_000

/**
 * Milliseconds that the server asks to wait by its `Retry-After` header, or null. A date counts by the
 * server's clock if it tells the time, because this one may be wrong.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function retryAfter(error: unknown, now: number): number | null {
  const { headers, response } = Object(error) as { headers?: Headers; response?: Response }
  const answered = headers ?? response?.headers
  const header = answered?.get?.('retry-after')
  if (!header) return null
  let wait = NaN
  if (/^\d+$/.test(header)) wait = Number(header) * 1000
  else if (header.endsWith('GMT')) {
    wait = Date.parse(header) - (Date.parse(answered!.get('date') ?? '') || now)
  }
  return wait > 0 ? wait : null
}

/**
 * Milliseconds to wait after the `count`-th failure in a row: 1 s, doubling to 30 s, minus up to half
 * of it by `random` (0 to 1), so that many clients do not return at the same moment.
 */
export function backOffTime(count: number, random: number): number {
  return Math.min(30_000, 1000 * 2 ** (count - 1)) * (1 - random / 2)
}
