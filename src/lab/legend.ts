/** What the bars of the drawing mean, as rows of samples with words. In pixels. */
import type { Bar } from './rows.ts'

export interface LegendItem {
  kind: Bar['kind'] | 'told'
  text: string
  x: number
  y: number
}

export const SAMPLE = 22
const ROW = 22
const GAP = 18
const CHARACTER = 6

const ITEMS: [LegendItem['kind'], string][] = [
  ['sent', 'sent, answered'],
  ['rejected', '401'],
  ['waiting', 'waiting for a token'],
  ['replayed', 'replayed'],
  ['granted', 'refresh'],
  ['refused', 'refresh that failed'],
  ['queued', 'queued by the browser'],
]
const RARE: Partial<Record<LegendItem['kind'], string>> = {
  told: 'caller told, tries again',
  lost: 'no answer',
}

/** `rare`: what is not in every drawing, and is in this one. */
export function legendOf(width: number, rare: readonly LegendItem['kind'][] = []) {
  const items: LegendItem[] = []
  let x = 0
  let y = 0
  for (const [kind, text] of [...ITEMS, ...rare.map((kind) => [kind, RARE[kind]!] as const)]) {
    const size = SAMPLE + 7 + text.length * CHARACTER
    if (x > 0 && x + size > width) {
      x = 0
      y += ROW
    }
    items.push({ kind, text, x, y })
    x += size + GAP
  }
  return { items, height: y + ROW }
}
