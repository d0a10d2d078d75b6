/** Dates and times in words. */

const DAY = 86_400_000
const date = new Intl.DateTimeFormat('en', { dateStyle: 'medium' })
const ofThisYear = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric' })
const month = new Intl.DateTimeFormat('en', { month: 'short', timeZone: 'UTC' })
const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeZone: 'UTC' })
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })

/** `Dec 31, 2026`, of a day such as `2026-12-31`, wherever the person is. */
export function dayInWords(text: string): string {
  return day.format(new Date(text))
}

/** `Dec`, of a month such as `2026-12`. */
export function monthInWords(text: string): string {
  return month.format(new Date(text))
}

/** `3 hours ago`, `yesterday`, and beyond a week the date, with its year where it is another one. */
export function agoInWords(text: string, now = Date.now()): string {
  const past = now - Date.parse(text)
  if (past < 60_000) return 'just now'
  if (past < DAY / 24) return relative.format(-Math.floor(past / 60_000), 'minute')
  if (past < DAY) return relative.format(-Math.floor((past / DAY) * 24), 'hour')
  if (past < 7 * DAY) return relative.format(-Math.floor(past / DAY), 'day')
  const isThisYear = new Date(text).getFullYear() === new Date(now).getFullYear()
  return (isThisYear ? ofThisYear : date).format(new Date(text))
}
