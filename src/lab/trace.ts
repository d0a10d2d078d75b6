/**
 * From the server's log to lanes: what each request was doing when, and for how many round trips its
 * caller waited. Pure functions; how it looks is left to layout.ts.
 */
import { REFRESH, labelOf } from './log.ts'
import type { LogEntry } from './log.ts'
import type { Call, RunRecord } from './record.ts'

/**
 * `queued`: not at the server yet, since a browser keeps six connections to it. `waiting`: for a
 * token. `open`: under way, no more is known yet. `lost`: no answer.
 */
export type SegmentKind = 'queued' | 'sent' | 'rejected' | 'waiting' | 'replayed' | 'lost' | 'open'

/** Times in milliseconds from the start of the run. */
export interface Segment {
  kind: SegmentKind
  from: number
  to: number
}

export interface Lane {
  lane: number
  at: number
  /** Null while it is under way. */
  end: number | null
  segments: Segment[]
  /** When its caller was told of a failure, and tried again. */
  told: number[]
  /** Requests of its own, and refreshes that it waited for. */
  trips: number
  ok: boolean
  answer: string
}

export interface RefreshBar {
  from: number
  to: number
  /** As it would be said: `200`, `503`, `no answer`. */
  answer: string
  granted: boolean
}

export interface TabTrace {
  tab: string
  lanes: Lane[]
}

export interface Trace {
  run: RunRecord
  tabs: TabTrace[]
  /** Of all tabs. */
  refreshes: RefreshBar[]
  signedOutAt: number | null
  /** When the last of it ended. */
  end: number
}

/** A request as the server saw it, in milliseconds from the start of the run. */
interface Wire extends Pick<LogEntry, 'status' | 'tokenId' | 'grantedId'> {
  from: number
  to: number
}

/** `now`: how far a run that is still under way has come, on the clock of its record. */
export function traceOf(run: RunRecord, now: number): Trace {
  const since = (time: number) => Math.max(0, time - run.startedAt)
  const until = since(run.endedAt ?? now)
  const sends = sendsByCall(run)
  const shift = shiftOf(sends)
  const wire = ({ at, endedAt, ...rest }: LogEntry): Wire => {
    const from = since(at + shift)
    return {
      ...rest,
      from,
      to: endedAt === undefined ? Math.max(from, until) : since(endedAt + shift),
    }
  }
  const asked = run.log.filter(({ path }) => path === REFRESH).map(wire)

  const laneOf = (call: Call): Lane => {
    const moved = { ...call, at: since(call.at), end: call.end === null ? null : since(call.end) }
    const told = call.told.map(since)
    const pauses = call.pauses.map(({ from, to }) => ({
      from: since(from),
      to: to === null ? until : since(to),
    }))
    const drawn = drawLane(
      { ...moved, pauses },
      sends.get(call)!.map(wire),
      asked,
      until,
      run.client,
    )
    return { ...moved, ...drawn, told }
  }
  const tabs = run.tabs.map(({ tab, calls }): TabTrace => ({
    tab,
    lanes: [...calls].sort((a, b) => a.lane - b.lane).map(laneOf),
  }))
  const refreshes = asked.map(({ from, to, status }) => {
    const answer = status === 0 ? 'no answer' : String(status)
    return { from, to, answer, granted: status === 200 }
  })
  const signedOutAt = run.signedOutAt === null ? null : since(run.signedOutAt)
  const ends = [
    ...tabs.flatMap(({ lanes }) => lanes.map((lane) => lane.end ?? until)),
    ...refreshes.map(({ to }) => to),
  ]
  const end = ends.reduce((a, b) => Math.max(a, b), run.endedAt === null ? until : 0)
  return { run, tabs, refreshes, signedOutAt, end }
}

/** The requests of each call, in the order in which they reached the server. */
function sendsByCall({ id, tabs, log }: RunRecord): Map<Call, LogEntry[]> {
  const byLabel = new Map<string | undefined, LogEntry[]>()
  for (const entry of log) byLabel.set(entry.label, [...(byLabel.get(entry.label) ?? []), entry])
  const sendsOf = (tab: string, { lane }: Call) => byLabel.get(labelOf(id, tab, lane)) ?? []
  return new Map(
    tabs.flatMap(({ tab, calls }) => calls.map((call) => [call, sendsOf(tab, call)] as const)),
  )
}

/**
 * What to add to the server's times, so that requests lie within their calls: 0 where both tell time
 * by one clock, as on one machine.
 */
function shiftOf(sends: Map<Call, LogEntry[]>): number {
  let [least, most] = [-Infinity, Infinity]
  for (const [call, entries] of sends) {
    for (const { at, endedAt } of entries) {
      least = Math.max(least, call.at - at)
      if (call.ok && endedAt !== undefined) most = Math.min(most, call.end! - endedAt)
    }
  }
  if (least <= 0 && most >= 0) return 0
  return most === Infinity ? least : (least + most) / 2
}

/** `until`: now, or the end of the run. */
function drawLane(
  call: Omit<Call, 'pauses'> & { pauses: { from: number; to: number }[] },
  sends: readonly Wire[],
  refreshes: readonly Wire[],
  until: number,
  client: RunRecord['client'],
): Pick<Lane, 'segments' | 'trips'> {
  const segments: Segment[] = []
  let trips = sends.length
  let last = call.at
  const push = (kind: SegmentKind, to: number) => {
    if (to > last) segments.push({ kind, from: last, to })
    last = Math.max(last, to)
  }
  /** Without the pauses of the caller: nothing of it is under way then. */
  const add = (kind: SegmentKind, to: number) => {
    for (const pause of call.pauses) {
      if (pause.to <= last || pause.from >= to) continue
      push(kind, pause.from)
      last = Math.min(to, pause.to)
    }
    push(kind, to)
  }
  const wait = (to: number, waitedFor: readonly Wire[]) => {
    // Without sharing, each call waits for a refresh of its own, else for all that there are.
    trips += client === 'classic' ? Math.min(1, waitedFor.length) : waitedFor.length
    add('waiting', to)
  }

  sends.forEach((send, index) => {
    const ended = refreshes.filter(({ to }) => to > last && to <= send.from)
    // One that ends while the browser has the request in its queue is not waited for.
    const isAwaited = ({ status, grantedId }: Wire) =>
      status === 200 && (index > 0 || grantedId === send.tokenId)
    const grant = ended.filter(isAwaited).at(-1)
    if (grant) wait(grant.to, ended.slice(0, ended.indexOf(grant) + 1))
    add('queued', send.from)
    // Also one that took no time is there to be seen.
    segments.push({ kind: kindOf(send, index), from: send.from, to: send.to })
    last = Math.max(last, send.to)
  })
  if (call.end === null) {
    add('open', until)
  } else if (!call.ok && (sends.length === 0 || sends.at(-1)!.status === 401)) {
    const end = call.end
    const inVain = refreshes.filter(({ from, to }) => to > last && from < end)
    if (inVain.length > 0) wait(end, inVain)
  }
  return { segments, trips }
}

function kindOf({ status }: Wire, index: number): SegmentKind {
  if (status === 401) return 'rejected'
  if (status === 0) return 'lost'
  return index > 0 ? 'replayed' : 'sent'
}

/**
 * Where the drawing says another number than the counts above it, in a sentence. It would be a fault
 * of the lab: both come from one log.
 */
export function contradictionOf({ run, tabs, refreshes }: Trace): string | null {
  const { counts } = run
  if (!counts) return null
  const lanes = tabs.flatMap((tab) => tab.lanes)
  const bars = lanes.flatMap(({ segments }) => segments.map(({ kind }) => kind))
  const drawn = (...kinds: SegmentKind[]) => bars.filter((kind) => kinds.includes(kind)).length
  const pairs: [string, number, number][] = [
    ['sent', counts.sent, drawn('sent', 'rejected', 'replayed', 'lost')],
    ['rejected', counts.rejected, drawn('rejected')],
    ['refreshes', counts.asked, refreshes.length],
    ['granted', counts.refreshes, refreshes.filter(({ granted }) => granted).length],
  ]
  const wrong = pairs.filter(([, counted, shown]) => counted !== shown)
  if (wrong.length === 0) return null
  const words = wrong.map(([what, counted, shown]) => `${what}: ${shown} drawn, ${counted} counted`)
  return `The drawing is incomplete (${words.join('; ')}). Trust the counts.`
}
