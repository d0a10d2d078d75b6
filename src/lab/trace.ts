/**
 * From timings to lanes: what each request was doing when, and for how many round trips its caller
 * waited. Pure functions; how it looks is left to layout.ts.
 */
import type { Call, RunRecord, TabRecord } from './record.ts'
import type { Timing } from './timing.ts'

/**
 * `queued`: the browser has it, all connections are taken. `waiting`: for a token. `open`: under way,
 * no more is known yet. `lost`: no answer.
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
  refreshes: RefreshBar[]
}

export interface Trace {
  run: RunRecord
  tabs: TabTrace[]
  signedOutAt: number | null
  /** When the last of it ended. */
  end: number
}

/** Milliseconds by which the clocks of two tabs may differ, and a browser rounds. */
const TOLERANCE = 2

/** `now`: how far a run that is still under way has come, on the clock of its record. */
export function traceOf(run: RunRecord, now: number): Trace {
  const since = (time: number) => Math.max(0, time - run.startedAt)
  const until = run.endedAt === null ? since(now) : null
  const refreshes = run.tabs.flatMap(({ timings }) => timings.filter(isRefresh))
  // Each lane of the classic interceptor waits for a refresh of its own, ours for all that there are.
  const own = run.client === 'classic'

  const tabs = run.tabs.map((tab): TabTrace => {
    const sends = byLane(tab.timings)
    const calls = [...tab.calls].sort((a, b) => a.lane - b.lane)
    const context = { refreshes, own, since, until }
    return {
      tab: tab.tab,
      lanes: calls.map((call) => laneOf(call, sends.get(call.lane) ?? [], context)),
      refreshes: refreshesOf(tab, since),
    }
  })
  const last = tabs.flatMap(({ lanes, refreshes }) => [
    ...lanes.map((lane) => lane.end ?? until ?? 0),
    ...refreshes.map(({ to }) => to),
  ])
  const signedOutAt = run.signedOutAt === null ? null : since(run.signedOutAt)
  return { run, tabs, signedOutAt, end: last.reduce((a, b) => Math.max(a, b), until ?? 0) }
}

/** The requests of each lane, in the order in which they were made. */
function byLane(timings: readonly Timing[]): Map<number, Timing[]> {
  const lanes = new Map<number, Timing[]>()
  for (const timing of timings) {
    if (isRefresh(timing)) continue
    const lane = lanes.get(timing.lane)
    if (lane) lane.push(timing)
    else lanes.set(timing.lane, [timing])
  }
  for (const lane of lanes.values()) lane.sort((a, b) => a.start - b.start)
  return lanes
}

interface LaneContext {
  refreshes: Timing[]
  own: boolean
  since: (time: number) => number
  until: number | null
}

function laneOf(call: Call, sends: Timing[], context: LaneContext): Lane {
  const { refreshes, own, since, until } = context
  const segments: Segment[] = []
  let waits = 0
  const add = (kind: SegmentKind, from: number, to: number) => {
    if (to > from) segments.push({ kind, from: since(from), to: since(to) })
  }
  /** A gap is a wait if a refresh ended in it; `inVain`: if one was under way. */
  const wait = (from: number, to: number, inVain = false) => {
    const isWaitedFor = ({ start, end }: Timing) =>
      end > from && start < to && (inVain || end <= to + TOLERANCE)
    const waited = refreshes.filter(isWaitedFor).length
    waits += own ? Math.min(1, waited) : waited
    return waited > 0
  }

  let last = call.at
  sends.forEach((send, index) => {
    const waited = wait(last, send.start)
    if (waited || index > 0) add('waiting', last, send.start)
    add('queued', waited || index > 0 ? send.start : last, send.sent)
    add(kindOf(send, index, sends, call), send.sent, send.end)
    last = send.end
  })
  if (call.end === null) {
    if (until !== null && until > since(last))
      segments.push({ kind: 'open', from: since(last), to: until })
  } else if (!call.ok) {
    // A refresh that took too long is told to its callers first, and then given up.
    const hadNoToken = sends.length === 0 || segments.at(-1)?.kind === 'rejected'
    if (wait(last, call.end, hadNoToken)) add('waiting', last, call.end)
  }

  return {
    lane: call.lane,
    at: since(call.at),
    end: call.end === null ? null : since(Math.max(call.end, last)),
    segments,
    told: call.told.map(since),
    trips: sends.length + waits,
    ok: call.ok,
    answer: call.answer,
  }
}

function kindOf(send: Timing, index: number, sends: Timing[], call: Call): SegmentKind {
  const isLast = index === sends.length - 1
  // Where the browser does not tell, a request that was followed by another was refused.
  const status = send.status ?? (isLast && (call.ok || call.end === null) ? 200 : 401)
  if (status === 401) return 'rejected'
  if (status === 0) return 'lost'
  return index > 0 ? 'replayed' : 'sent'
}

function refreshesOf({ timings }: TabRecord, since: (time: number) => number): RefreshBar[] {
  const bars = timings.filter(isRefresh).map(({ start, end, status }) => ({
    from: since(start),
    to: since(end),
    answer: status === null ? 'answered' : status === 0 ? 'no answer' : String(status),
    granted: status === null || status === 200,
  }))
  return bars.sort((a, b) => a.from - b.from)
}

function isRefresh({ what }: Timing): boolean {
  return what === 'refresh'
}
