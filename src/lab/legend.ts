/** What the bars of the drawing mean, as rows of samples with words. In pixels. */
import type { Bar } from './rows.ts'

export interface LegendItem {
  /** `end`: when the person was signed out. */
  kind: Bar['kind'] | 'told' | 'end'
  text: string
  x: number
  y: number
}

export const SAMPLE = 22
const ROW = 22
const GAP = 18
const CHARACTER = 6

export const ITEMS: [LegendItem['kind'], string][] = [
  ['sent', 'sent, answered'],
  ['rejected', '401'],
  ['waiting', 'waiting for a token'],
  ['replayed', 'replayed'],
  ['granted', 'refresh'],
  ['refused', 'refresh that failed'],
  ['queued', 'queued by the browser'],
  ['told', 'caller told, tries again'],
  ['lost', 'no answer'],
  ['end', 'signed out'],
]

/** Usual from here up. */
const USUAL = 7

/** What stands over the first column on the right. */
const TRIPS = 'trips: round trips that the caller waited for'

/** Of what is in the drawing. `height` has room for all that is usual, so that nothing moves. */
export function legendOf(width: number, kinds: ReadonlySet<LegendItem['kind']>) {
  const items = placed(
    ITEMS.filter(([kind]) => kinds.has(kind)),
    width,
  )
  const rows = [...placed(ITEMS.slice(0, USUAL), width), ...items].map(({ y }) => y)
  const note = { text: TRIPS, x: 0, y: Math.max(...rows) + ROW }
  return { items, note, height: note.y + ROW }
}

function placed(entries: typeof ITEMS, width: number): LegendItem[] {
  let x = 0
  let y = 0
  return entries.map(([kind, text]) => {
    const size = SAMPLE + 7 + text.length * CHARACTER
    if (x > 0 && x + size > width) {
      x = 0
      y += ROW
    }
    const item = { kind, text, x, y }
    x += size + GAP
    return item
  })
}
