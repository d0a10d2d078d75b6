import { describe, expect, it } from 'vitest'
import { countRun, labelOf } from '@/lab/log.ts'
import type { LogEntry } from '@/lab/log.ts'
import { newRun } from '@/lab/record.ts'
import type { Call, RunRecord } from '@/lab/record.ts'
import { contradictionOf, traceOf } from '@/lab/trace.ts'

const START = 1_000_000
/** The tokens before and after the refresh. */
const [OLD, NEW] = ['1', '2']

type Fields = Partial<LogEntry>

/** Requests as the server saw them, in milliseconds from the start of the run. */
function send(
  lane: number,
  at: number,
  endedAt: number,
  status = 200,
  fields: Fields = {},
): LogEntry {
  const label = labelOf('r', 'tab 0', lane)
  const tokenId = status === 401 ? OLD : NEW
  return {
    method: 'GET',
    path: '/api/protected-resource',
    label,
    status,
    at,
    endedAt,
    tokenId,
    ...fields,
  }
}

function refresh(at: number, endedAt: number, status = 200, fields: Fields = {}): LogEntry {
  const grantedId = status === 200 ? NEW : undefined
  return { method: 'POST', path: '/api/auth/refresh', status, at, endedAt, grantedId, ...fields }
}

function call(lane: number, at: number, end: number | null, fields: Partial<Call> = {}): Call {
  return { lane, at, end, answer: '200', ok: true, told: [], pauses: [], ...fields }
}

/** A run of one tab or two. `ahead`: by so much the server's clock differs. */
function run(calls: Call[], log: LogEntry[], fields: Partial<RunRecord> & { ahead?: number } = {}) {
  const plan = { requests: 1, apiMs: 0, refreshMs: 0, scenario: 'fine', rivals: [] } as const
  const { ahead = 0, ...rest } = fields
  const base = newRun('r', 'silent', plan, 'tab 0')
  const tabs = [{ tab: 'tab 0', calls: calls.map(onClock), done: true }]
  const moved = log.map((entry) => ({
    ...entry,
    at: entry.at + START + ahead,
    endedAt: entry.endedAt === undefined ? undefined : entry.endedAt + START + ahead,
  }))
  return { ...base, startedAt: START, endedAt: START + 20_000, tabs, log: moved, ...rest }
}

function onClock(call: Call): Call {
  const end = call.end === null ? null : call.end + START
  const pauses = call.pauses.map(({ from, to }) => ({
    from: from + START,
    to: to === null ? null : to + START,
  }))
  return {
    ...call,
    at: call.at + START,
    end,
    told: call.told.map((time) => time + START),
    pauses,
  }
}

const firstLane = (record: RunRecord, now = 0) => traceOf(record, START + now).tabs[0]!.lanes[0]!

/** `sent 0-60`: what the only lane did. */
function segments(record: RunRecord, now = 0): string[] {
  return firstLane(record, now).segments.map(({ kind, from, to }) => `${kind} ${from}-${to}`)
}

describe('what a lane did', () => {
  it('sent, and answered', () => {
    expect(segments(run([call(1, 0, 60)], [send(1, 0, 60)]))).toEqual(['sent 0-60'])
  })

  it('queued by the browser before it reached the server', () => {
    const record = run([call(1, 0, 120)], [send(1, 60, 120)])

    expect(segments(record)).toEqual(['queued 0-60', 'sent 60-120'])
  })

  it('answered within a millisecond: a bar all the same', () => {
    expect(segments(run([call(1, 0, 1)], [send(1, 0, 0)]))).toEqual(['sent 0-0'])
  })

  it('refused, waiting for the refresh, queued, replayed', () => {
    const log = [send(1, 0, 60, 401), refresh(60, 300), send(1, 330, 370)]

    expect(segments(run([call(1, 0, 371)], log))).toEqual([
      'rejected 0-60',
      'waiting 60-300',
      'queued 300-330',
      'replayed 330-370',
    ])
  })

  it('waiting from the call on, where the token was known to be dead', () => {
    const record = run([call(1, 0, 260)], [refresh(1, 200), send(1, 200, 260)])

    expect(segments(record)).toEqual(['waiting 0-200', 'sent 200-260'])
  })

  it('queued with its token while a refresh came and went that it did not wait for', () => {
    const record = run(
      [call(1, 0, 260)],
      [refresh(0, 100), send(1, 200, 260, 200, { tokenId: OLD })],
    )

    expect(segments(record)).toEqual(['queued 0-200', 'sent 200-260'])
  })

  it('a refresh that ended after the request had arrived was not waited for', () => {
    const record = run([call(1, 0, 260)], [refresh(0, 200), send(1, 20, 260)])

    expect(segments(record)).toEqual(['queued 0-20', 'sent 20-260'])
  })

  it('waiting in vain for a refresh that was refused', () => {
    const ended = call(1, 0, 300, { ok: false, answer: 'session ended' })
    const record = run([ended], [send(1, 0, 60, 401), refresh(60, 300, 401)])

    expect(segments(record)).toEqual(['rejected 0-60', 'waiting 60-300'])
  })

  it('waiting in vain for a refresh that was given up a little later', () => {
    const late = call(1, 0, 10_060, { ok: false, answer: 'time over' })
    const record = run([late], [send(1, 0, 60, 401), refresh(60, 10_072, 0)])

    expect(segments(record)).toEqual(['rejected 0-60', 'waiting 60-10060'])
    expect(firstLane(record).trips).toBe(2)
  })

  it('waiting in vain, unsent', () => {
    const late = call(1, 5, 10_060, { ok: false, answer: 'time over' })

    expect(segments(run([late], [refresh(0, 10_072, 0)]))).toEqual(['waiting 5-10060'])
  })

  it('failed for another reason than the refresh that was under way', () => {
    const failed = call(1, 0, 61, { ok: false, answer: '503' })
    const record = run([failed], [send(1, 0, 60, 503), refresh(20, 200)])

    expect(segments(record)).toEqual(['sent 0-60'])
    expect(firstLane(record).trips).toBe(1)
  })

  it('without an answer', () => {
    const failed = call(1, 0, 50, { ok: false, answer: 'no answer' })

    expect(segments(run([failed], [send(1, 0, 50, 0)]))).toEqual(['lost 0-50'])
  })

  it('nothing while its caller paused before the next try', () => {
    const pauses = [{ from: 60, to: 1060 }]
    const record = run([call(1, 0, 1120, { pauses })], [send(1, 0, 60, 0), send(1, 1065, 1120)])

    expect(segments(record)).toEqual(['lost 0-60', 'queued 1060-1065', 'replayed 1065-1120'])
  })

  it('waiting for a token only before and after the pause', () => {
    const pauses = [{ from: 300, to: 1300 }]
    const log = [
      send(1, 0, 60, 401),
      refresh(60, 300, 503),
      refresh(1300, 1500),
      send(1, 1500, 1560),
    ]

    expect(segments(run([call(1, 0, 1560, { pauses })], log))).toEqual([
      'rejected 0-60',
      'waiting 60-300',
      'waiting 1300-1500',
      'replayed 1500-1560',
    ])
  })

  it('nothing up to now, if its caller pauses', () => {
    const open = call(1, 0, null, { ok: false, answer: '', pauses: [{ from: 60, to: null }] })
    const record = run([open], [send(1, 0, 60, 0)], { endedAt: null })

    expect(segments(record, 90)).toEqual(['lost 0-60'])
  })

  it('under way up to now, as far as is known', () => {
    const open = call(1, 0, null, { ok: false, answer: '' })
    const record = run([open], [send(1, 0, 60, 401)], { endedAt: null })

    expect(segments(record, 90)).toEqual(['rejected 0-60', 'open 60-90'])
    expect(traceOf(record, START + 90)).toMatchObject({ end: 90 })
  })

  it('by the page’s clock, however far ahead the server’s is', () => {
    const log = [send(1, 10, 50, 401), refresh(60, 300), send(1, 330, 360)]
    const record = run([call(1, 0, 370)], log, { ahead: 3_600_000 })

    expect(segments(record)).toEqual([
      'queued 0-10',
      'rejected 10-50',
      'waiting 50-300',
      'queued 300-330',
      'replayed 330-360',
    ])
  })
})

describe('round trips', () => {
  const trips = (...parameters: Parameters<typeof run>) => firstLane(run(...parameters)).trips

  it('one where nothing is wrong', () => {
    expect(trips([call(1, 0, 60)], [send(1, 0, 60)])).toBe(1)
  })

  it('two where the token was known to be dead', () => {
    expect(trips([call(1, 0, 260)], [refresh(0, 200), send(1, 201, 260)])).toBe(2)
  })

  it('three where it was refused', () => {
    const log = [send(1, 0, 60, 401), refresh(60, 300), send(1, 310, 370)]
    expect(trips([call(1, 0, 370)], log)).toBe(3)
  })

  it('two where the refresh was over when the refusal came', () => {
    const log = [send(1, 0, 400, 401), refresh(60, 300), send(1, 401, 470)]
    expect(trips([call(1, 0, 470)], log)).toBe(2)
  })

  it('each refresh that failed before the one that did not', () => {
    const log = [
      send(1, 0, 60, 401),
      refresh(60, 260, 503),
      refresh(1000, 1200, 503),
      refresh(3000, 3200),
      send(1, 3201, 3260),
    ]
    expect(trips([call(1, 0, 3260)], log)).toBe(5)
  })

  it('in the classic interceptor the refreshes of the others are not waited for', () => {
    const log = [
      send(1, 0, 60, 401),
      refresh(60, 200),
      refresh(60, 210, 401),
      refresh(60, 220, 401),
      send(1, 230, 290, 401, { tokenId: undefined }),
    ]
    const failed = call(1, 0, 290, { ok: false, answer: '401' })
    expect(trips([failed], log, { client: 'classic' })).toBe(3)
  })
})

describe('a trace', () => {
  it('has a lane for each call, in their order, whatever came first', () => {
    const { tabs } = traceOf(run([call(2, 0, 60), call(1, 0, 60)], []), 0)

    expect(tabs[0]!.lanes.map(({ lane }) => lane)).toEqual([1, 2])
  })

  it('gives each tab its own requests, and all of them one row of refreshes', () => {
    const record = run([call(1, 0, 60)], [send(1, 0, 60), refresh(70, 90)])
    const label = labelOf('r', 'tab 1', 1)
    record.log.push({ ...send(1, 0, 60, 401), label, at: START + 20, endedAt: START + 40 })
    record.tabs.push({ tab: 'tab 1', calls: [onClock(call(1, 20, 90))], done: true })
    const { tabs, refreshes } = traceOf(record, 0)

    const kinds = tabs.map(({ lanes }) => lanes[0]!.segments.map(({ kind }) => kind))
    expect(kinds).toEqual([['sent'], ['rejected']])
    expect(refreshes).toHaveLength(1)
  })

  it('tells of each refresh how it ended', () => {
    const record = run([], [refresh(0, 50, 503), refresh(90, 100, 0), refresh(200, 300)])

    expect(traceOf(record, 0).refreshes.map(({ answer, granted }) => [answer, granted])).toEqual([
      ['503', false],
      ['no answer', false],
      ['200', true],
    ])
  })

  it('ends with the last of it', () => {
    expect(traceOf(run([call(1, 0, 60)], [refresh(0, 90)]), 0).end).toBe(90)
  })

  it('says when the person was signed out, and when a caller was told', () => {
    const calls = [call(1, 0, 60, { told: [40] })]
    const trace = traceOf(run(calls, [], { signedOutAt: START + 70 }), 0)

    expect(trace.signedOutAt).toBe(70)
    expect(trace.tabs[0]!.lanes[0]!.told).toEqual([40])
  })
})

describe('the drawing beside the counts', () => {
  const log = [send(1, 0, 60, 401), refresh(60, 200, 503), refresh(200, 300), send(1, 310, 370)]

  it('says the same, for it comes from the same log', () => {
    const record = run([call(1, 0, 370)], log, { counts: countRun(1, log) })

    expect(contradictionOf(traceOf(record, 0))).toBeNull()
  })

  it.each([
    ['a call is missing', [], log, 'sent: 0 drawn, 2 counted; rejected: 0 drawn, 1 counted'],
    [
      'a refresh is missing',
      [call(1, 0, 370)],
      log.filter((entry) => entry !== log[1]),
      'refreshes: 1 drawn, 2 counted',
    ],
  ])('is called incomplete where %s', (_, calls, drawn, words) => {
    const record = run(calls, drawn, { counts: countRun(1, log) })

    expect(contradictionOf(traceOf(record, 0))).toContain(words)
  })

  it('is not compared before there are counts', () => {
    expect(contradictionOf(traceOf(run([], log), 0))).toBeNull()
  })
})
