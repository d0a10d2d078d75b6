/**
 * Reads time spans the way jose does: '15m', '7d', '2 hours'. A number is taken as seconds.
 */
import { decodeJwt, UnsecuredJWT } from 'jose'

export type TimeSpan = string | number

/** What the contract lets a client accept: a larger number is a mistake, milliseconds perhaps. */
const A_YEAR = 31_536_000

/**
 * A time span in seconds.
 *
 * @throws RangeError if it cannot be read, is negative or longer than a year
 */
export function toSeconds(span: TimeSpan): number {
  const seconds = typeof span === 'number' ? span : readByJose(span)
  if (!(seconds >= 0 && seconds <= A_YEAR)) throw new RangeError(complaint(span))
  return seconds
}

/**
 * As `toSeconds`, for what must live at all.
 *
 * @throws RangeError also if it is zero
 */
export function toLifetime(span: TimeSpan): number {
  const seconds = toSeconds(span)
  if (seconds === 0) throw new RangeError(`"${span}" is too short a life for a token.`)
  return seconds
}

/** jose does not export its reader, so it is asked for a token that lives that long. */
function readByJose(span: string): number {
  for (;;) {
    const before = epoch()
    const exp = expiry(span)
    // Else a second has passed in between, and the difference would be one too many.
    if (epoch() === before) return exp - before
  }
}

function expiry(span: string): number {
  try {
    return decodeJwt(new UnsecuredJWT().setExpirationTime(span).encode()).exp ?? NaN
  } catch {
    return NaN
  }
}

function epoch(): number {
  return Math.floor(Date.now() / 1000)
}

function complaint(span: TimeSpan): string {
  return `"${span}" is no time span of at most 365 days. Write it like 30s, 15m or 7d.`
}
