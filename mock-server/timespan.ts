/** Reads time spans as jose does: '15m', '7d', '2 hours'. A number is taken as seconds. */

export type TimeSpan = string | number

const SPAN =
  /^\+? ?(\d+(?:\.\d+)?) ?([smhdwy]|(?:sec|second|min|minute|hr|hour|day|week|yr|year)s?)(?: from now)?$/i
const SECONDS: Record<string, number> = {
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  y: 31_557_600,
}

/** What the contract lets a client accept: a larger number is a mistake, milliseconds perhaps. */
const A_YEAR = 31_536_000

/**
 * A time span in seconds.
 *
 * @throws RangeError if it cannot be read, is negative or longer than a year
 */
export function toSeconds(span: TimeSpan): number {
  const seconds = typeof span === 'number' ? span : read(span)
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

/** NaN if it is none. */
function read(span: string): number {
  const [, amount, unit = ''] = SPAN.exec(span) ?? []
  return Math.round(Number(amount) * SECONDS[unit.charAt(0).toLowerCase()]!)
}

function complaint(span: TimeSpan): string {
  return `"${span}" is no time span of at most 365 days. Write it like 30s, 15m or 7d.`
}
