/** The drawing below its legend, in pixels: for each client its title, axis, refreshes and lanes. */
import type { ClientName } from './record.ts'
import {
  LINE,
  isRoomy,
  laneRow,
  packed,
  pitchOf,
  refreshPitch,
  refreshRow,
  laneLabels,
  tripsAt,
} from './rows.ts'
import type { Frame, Row, Words } from './rows.ts'
import { inThousands, ticksOf } from './scale.ts'
import type { TabTrace, Trace } from './trace.ts'
import { CLIENTS, MAX_LANES, detailsOf, headlineOf, restInWords } from './verdict.ts'

/** What is to be drawn: a run, or the room that one will take. */
export interface Part {
  client: ClientName
  requests: number
  trace: Trace | null
  /** It is none of this person's: nothing of it is told as a result. */
  isExample?: boolean
  /** How many refreshes, and how many tabs, to leave room for. */
  refreshes: number
  tabs: number
}

/** The lanes of one tab. */
export interface Group {
  title: Words | null
  labels: Words[]
  /** How high lanes are of which nothing is known yet. */
  tracks: number[]
  lanes: { lane: number; row: Row }[]
  rest: Words | null
}

export interface Section {
  client: ClientName
  isExample: boolean
  /** How far to the right it stands. */
  x: number
  title: Words
  headline: Words & { isGood: boolean | null; isSmall: boolean }
  verdict: Words[]
  ticks: { x: number; text: string }[]
  axisY: number
  columns: Words[]
  /** When a refresh was under way. */
  bands: { x: number; width: number }[]
  top: number
  bottom: number
  /** Of the axis. */
  left: number
  right: number
  refreshLabel: Words
  refreshes: Row[]
  groups: Group[]
  end: (Words & { line: number }) | null
}

export interface Drawing {
  width: number
  height: number
  sections: Section[]
}

const TITLE = 20
const HEADLINE = 26
const GROUP_GAP = 10
const SECTION_GAP = 32
/** From this width on, sections stand side by side, two in a row. */
const BESIDE = 860
const COLUMN_GAP = 40
/** Below this width, headlines are smaller. */
const SMALL = 360

/** In the place of a headline. */
const before = (client: ClientName) =>
  client === 'silent' ? 'Press “Send requests” and watch' : 'The same burst, to compare'

const NOTHING: TabTrace = { tab: '', lanes: [] }

export function layout(parts: readonly Part[], full: number, end: number, top: number): Drawing {
  const columns = parts.length > 1 && full >= BESIDE ? 2 : 1
  const width = Math.floor((full - COLUMN_GAP * (columns - 1)) / columns)
  const narrow = width < 480
  const left = narrow ? 56 : 64
  const right = width - (narrow ? 44 : 104)
  const ticks = ticksOf(end, Math.max(2, Math.floor((right - left) / 84)))
  const x = (time: number) => left + (Math.min(time, end) / end) * (right - left)
  const frame: Frame = { left, right, width, narrow, x }

  const sections: Section[] = []
  let bottom = top
  for (let first = 0; first < parts.length; first += columns) {
    const beside = parts.slice(first, first + columns)
    const y = first === 0 ? top : bottom + LINE + SECTION_GAP
    const room = roomOfAll(beside, frame)
    beside.forEach((part, column) => {
      const section = {
        ...sectionOf(part, y, room, frame, ticks),
        x: column * (width + COLUMN_GAP),
      }
      sections.push(section)
      bottom = Math.max(bottom, section.bottom)
    })
  }
  return { width: full, height: Math.ceil(bottom + LINE), sections }
}

/** What stands above the lanes. */
interface Room {
  /** How many lines the details of the verdict take. */
  lines: number
  /** How high the rows of refreshes are. */
  refreshes: number
}

function roomOf(part: Part, frame: Frame): Room {
  const rows = refreshRowsOf(part)
  const count = Math.max(1, rows.length, Math.min(part.refreshes, MAX_LANES))
  return {
    // The same in every state, so that nothing moves.
    lines: Math.max(frame.narrow ? 2 : 1, detailLinesOf(part, frame).length),
    refreshes: Math.max(LINE + 4, count * refreshPitch(count)),
  }
}

/** Side by side, all lanes begin at one height. */
function roomOfAll(parts: readonly Part[], frame: Frame): Room {
  const rooms = parts.map((part) => roomOf(part, frame))
  return {
    lines: Math.max(...rooms.map(({ lines }) => lines)),
    refreshes: Math.max(...rooms.map(({ refreshes }) => refreshes)),
  }
}

const refreshRowsOf = ({ client, trace }: Part) =>
  packed(trace?.refreshes ?? [], client === 'classic').slice(0, MAX_LANES)

const detailLinesOf = ({ trace, isExample }: Part, { width }: Frame) =>
  wrapped(trace && !isExample ? detailsOf(trace) : [], width)

function sectionOf(
  part: Part,
  top: number,
  room: Room,
  frame: Frame,
  ticks: readonly number[],
): Omit<Section, 'x'> {
  const { client, trace, isExample = false } = part
  const name = isExample ? `${CLIENTS[client]}: an example` : CLIENTS[client]
  const title = at(0, top + TITLE - 6, name, 'label', 'start')
  const said = trace && !isExample ? headlineOf(trace) : { text: before(client), isGood: null }
  const headline = {
    ...at(0, top + TITLE + HEADLINE - 9, said.text, 'label', 'start'),
    isGood: said.isGood,
    isSmall: frame.width < SMALL,
  }
  const head = top + TITLE + HEADLINE
  const verdict = detailLinesOf(part, frame).map((text, index) =>
    at(0, head + (index + 1) * LINE - 6, text, 'label', 'start'),
  )
  const axisY = head + room.lines * LINE + LINE + 8

  let y = axisY + 6 + room.refreshes
  const rows = refreshRowsOf(part)
  const own = roomOf(part, frame).refreshes
  const pitch = refreshPitch(Math.max(1, rows.length, Math.min(part.refreshes, MAX_LANES)))
  // Next to the lanes, where there is more room than they need.
  const first = y - own
  const refreshes = rows.map((row, index) =>
    told(part, refreshRow(row, first + index * pitch, pitch, frame)),
  )
  const refreshLabel = at(frame.left - 10, first + 12, 'refresh', 'label', 'end')
  y += 4

  const groups: Group[] = []
  const known = trace?.tabs ?? []
  const empty = Array.from({ length: Math.max(0, part.tabs - known.length) }, () => NOTHING)
  const tabs = [...known, ...empty]
  tabs.forEach((tab, index) => {
    const name = tabs.length > 1 ? nameOfTab(index) : null
    const group = groupOf(tab, name, part, y, frame)
    groups.push(group.drawn)
    y = group.bottom + GROUP_GAP
  })
  const bottom = y - GROUP_GAP + 2

  return {
    client,
    isExample,
    title,
    headline,
    verdict,
    ticks: ticks.map((tick) => ({ x: frame.x(tick), text: inThousands(tick) })),
    axisY,
    columns: isRoomy(pitchOf(part.requests)) ? columnHeads(axisY - 4, frame) : [],
    bands: merged(trace?.refreshes ?? []).map(({ from, to }) => ({
      x: frame.x(from),
      width: Math.max(1, frame.x(to) - frame.x(from)),
    })),
    top: axisY + 4,
    bottom,
    left: frame.left,
    right: frame.right,
    refreshLabel,
    refreshes,
    groups,
    end: endOf(trace, bottom, frame),
  }
}

function groupOf(tab: TabTrace, name: string | null, part: Part, top: number, frame: Frame) {
  let y = top
  const title = name ? at(0, y + LINE - 4, name, 'label', 'start') : null
  if (name) y += LINE + 2

  const drawn = Math.min(part.requests, MAX_LANES)
  const pitch = pitchOf(drawn)
  const lanes = tab.lanes.slice(0, drawn).map((lane) => ({
    lane: lane.lane,
    row: told(part, laneRow(lane, y + (lane.lane - 1) * pitch, pitch, frame)),
  }))
  const tracks = Array.from({ length: drawn }, (_, index) => index)
    .filter((index) => !lanes.some(({ lane }) => lane === index + 1))
    .map((index) => y + (index + 0.5) * pitch)
  const labels = laneLabels(drawn, y, pitch, frame)
  let bottom = y + drawn * pitch
  let rest: Words | null = null
  if (part.requests > drawn) {
    const hidden = tab.lanes.slice(drawn)
    const isOver = hidden.length > 0 && hidden.every((lane) => lane.end !== null)
    const words = isOver ? restInWords(hidden) : `and ${part.requests - drawn} more`
    rest = at(frame.left, bottom + LINE, words, 'label', 'start')
    bottom += LINE + 4
  }
  return { drawn: { title, labels, tracks, lanes, rest }, bottom }
}

/** The numbers of an example would be taken for a result. */
function told({ isExample }: Part, row: Row): Row {
  return isExample ? { ...row, words: [] } : row
}

function columnHeads(y: number, frame: Frame): Words[] {
  const trips = at(tripsAt(frame), y, 'trips', 'label', 'end')
  return frame.narrow ? [trips] : [trips, at(frame.width, y, 'ms', 'label', 'end')]
}

/** Where the person was signed out, if so. */
function endOf(trace: Trace | null, bottom: number, { x, right, left }: Frame): Section['end'] {
  if (!trace || trace.signedOutAt === null) return null
  const line = x(trace.signedOutAt)
  const anchor = line > (left + right) / 2 ? 'end' : 'start'
  return { ...at(line, bottom + LINE - 2, 'signed out', 'bad', anchor), line }
}

/** What was said, in as many lines as it needs. */
function wrapped(said: readonly string[], width: number): string[] {
  const lines: string[] = []
  for (const words of said) {
    const longer = lines.length > 0 ? `${lines.at(-1)} · ${words}` : words
    if (lines.length > 0 && longer.length * 6.6 <= width) lines[lines.length - 1] = longer
    else lines.push(words)
  }
  return lines
}

/** Spans that overlap, as one. */
function merged(spans: readonly { from: number; to: number }[]) {
  const merged: { from: number; to: number }[] = []
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last && from <= last.to) last.to = Math.max(last.to, to)
    else merged.push({ from, to })
  }
  return merged
}

export function nameOfTab(index: number): string {
  if (index === 0) return 'This tab'
  return index === 1 ? 'Other tab' : `Other tab ${index}`
}

function at(
  x: number,
  y: number,
  text: string,
  look: Words['look'],
  anchor: Words['anchor'],
): Words {
  return { x, y, text, look, anchor }
}
