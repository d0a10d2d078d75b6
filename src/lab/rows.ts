/** The rows of the drawing: one for each request, and one or more for refreshes. In pixels. */
import { inThousands } from './scale.ts'
import type { Lane, RefreshBar, SegmentKind, Segment } from './trace.ts'

export interface Bar {
  kind: Exclude<SegmentKind, 'open'> | 'granted' | 'refused'
  x: number
  y: number
  width: number
  height: number
}

export interface Words {
  x: number
  y: number
  text: string
  /** Added to `trace-`, for its look. */
  look: 'label' | 'number' | 'status' | 'bad'
  anchor: 'start' | 'middle' | 'end'
}

export interface Mark {
  x: number
  y: number
}

export interface Row {
  bars: Bar[]
  words: Words[]
  marks: Mark[]
}

/** Where the rows are, and how wide. */
export interface Frame {
  /** Of the time 0, and of the axis' end. */
  left: number
  right: number
  width: number
  narrow: boolean
  x: (time: number) => number
}

/** Told apart by more than their colour. As attributes: a style sheet may be elsewhere. */
export const PATTERNS: Partial<Record<string, string>> = {
  rejected: 'url(#trace-hatch)',
  waiting: 'url(#trace-dots)',
  refused: 'url(#trace-stripes)',
}

/** Height of a line of small text. */
export const LINE = 16
const CHARACTER = 6.4

/** Lanes thin out as they become many. */
export function pitchOf(lanes: number): number {
  return Math.max(3, Math.min(18, 480 / lanes))
}

/** Whether there is room for text in each lane. */
export function isRoomy(pitch: number): boolean {
  return pitch >= LINE - 1
}

export function refreshPitch(rows: number): number {
  return rows <= 2 ? 20 : Math.max(1.5, Math.min(12, 84 / rows))
}

type Drawn = Pick<Segment, 'from' | 'to'> & Pick<Bar, 'kind'>

export function laneRow(lane: Lane, y: number, pitch: number, frame: Frame): Row {
  const height = pitch >= 6 ? Math.round(pitch * 0.6) : pitch * 0.75
  const middle = y + pitch / 2
  const bars = lane.segments.map((segment, index) => {
    const kind = kindOf(segment, lane.segments[index - 1])
    return barOf({ ...segment, kind }, middle, height, frame)
  })
  const marks = lane.told.map((time) => ({ x: frame.x(time), y: middle }))
  const roomy = isRoomy(pitch)
  return {
    bars,
    words: roomy ? [...statuses(bars, marks, middle, frame), ...columns(lane, middle, frame)] : [],
    marks: roomy ? marks : [],
  }
}

/** Of what is under way, no more is known than what came before: a 401 has it wait for a token. */
function kindOf({ kind }: Segment, before: Segment | undefined): Bar['kind'] {
  if (kind !== 'open') return kind
  return before?.kind === 'rejected' ? 'waiting' : 'queued'
}

function barOf({ kind, from, to }: Drawn, middle: number, full: number, frame: Frame): Bar {
  const isLine = kind === 'waiting' || kind === 'queued'
  const height = isLine ? Math.min(2, full / 3) : full
  const x = frame.x(from)
  // Whatever happened is there to be seen, be it a pixel.
  return { kind, x, y: middle - height / 2, width: Math.max(1, frame.x(to) - x), height }
}

/** Beside a bar that was refused, where what comes next leaves room for it. */
function statuses(bars: readonly Bar[], marks: readonly Mark[], middle: number, frame: Frame) {
  const solid = bars.filter(({ height }) => height > 2)
  return solid.flatMap((bar): Words[] => {
    const end = bar.x + bar.width
    const next = [...solid, ...marks].map(({ x }) => x).filter((x) => x > bar.x)
    if (bar.kind !== 'rejected' || Math.min(frame.right, ...next) - end < 32) return []
    return [{ x: end + 4, y: middle + 4, text: '401', look: 'status', anchor: 'start' }]
  })
}

function columns({ trips, ok, at, end }: Lane, middle: number, frame: Frame): Words[] {
  const y = middle + 4
  if (end === null) return []
  const inTrips: Words = {
    x: tripsAt(frame),
    y,
    text: String(trips),
    look: 'number',
    anchor: 'end',
  }
  if (frame.narrow) return [inTrips]
  const text = ok ? inThousands(end - at) : 'failed'
  return [inTrips, { x: frame.width, y, text, look: ok ? 'number' : 'bad', anchor: 'end' }]
}

/** The right edge of the column of round trips. */
export function tripsAt({ right, narrow, width }: Frame): number {
  return narrow ? width : right + 52
}

/** Numbers the lanes: each of them, or every second, fifth and so on where they are too thin for that. */
export function laneLabels(count: number, top: number, pitch: number, frame: Frame): Words[] {
  const step = isRoomy(pitch) ? 1 : ([2, 5, 10, 20].find((step) => step * pitch >= 24) ?? 50)
  const lanes = Array.from({ length: count }, (_, index) => index + 1)
  return lanes
    .filter((lane) => lane % step === 0 || lane === 1)
    .map((lane) => ({
      x: frame.left - 10,
      y: top + (lane - 0.5) * pitch + 4,
      text: String(lane),
      look: 'label',
      anchor: 'end',
    }))
}

/** Refreshes side by side in one row where they do not overlap; `each` gives each its own. */
export function packed(refreshes: readonly RefreshBar[], each: boolean): RefreshBar[][] {
  const rows: RefreshBar[][] = []
  for (const refresh of refreshes) {
    const free = rows.find((row) => row.at(-1)!.to <= refresh.from)
    if (free && !each) free.push(refresh)
    else rows.push([refresh])
  }
  return rows
}

export function refreshRow(
  refreshes: readonly RefreshBar[],
  y: number,
  pitch: number,
  frame: Frame,
): Row {
  const height = Math.max(1.2, pitch >= 6 ? Math.round(pitch * 0.7) : pitch * 0.8)
  const middle = y + pitch / 2
  const bars = refreshes.map(({ from, to, granted }): Bar => {
    const x = frame.x(from)
    const width = Math.max(1.5, frame.x(to) - x)
    return { kind: granted ? 'granted' : 'refused', x, y: middle - height / 2, width, height }
  })
  const words = bars.flatMap(({ x, width }, index): Words[] => {
    const { answer, granted, from, to } = refreshes[index]!
    const text = granted ? `${inThousands(to - from)} ms` : answer
    // With the space before it, and its halo, which would bite into the next bar.
    const size = text.length * CHARACTER + 16
    const room = (bars[index + 1]?.x ?? frame.width) - x - width
    const look = granted ? 'label' : 'status'
    if (pitch < 12) return []
    if (room >= size) return [{ x: x + width + 5, y: middle + 4, text, look, anchor: 'start' }]
    // Before any other bar, the room is that of the last one's words.
    const fits = index === 0 && x - frame.left >= size
    return fits ? [{ x: x - 5, y: middle + 4, text, look, anchor: 'end' }] : []
  })
  return { bars, words, marks: [] }
}
