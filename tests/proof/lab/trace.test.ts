import { describe, expect, it } from 'vitest'
import { newRun } from '@/lab/record.ts'
import type { Call, RunRecord } from '@/lab/record.ts'
import type { Timing } from '@/lab/timing.ts'
import { traceOf } from '@/lab/trace.ts'

const START = 1_000_000

/** Times from the start of the run. */
const send = (lane: number, start: number, end: number, status: number | null, sent = start) =>
  ({ what: 'resource', lane, start, sent, end, status }) satisfies Timing
const refresh = (start: number, end: number, status: number | null = 200) =>
  ({ ...send(0, start, end, status), what: 'refresh' }) satisfies Timing

function call(lane: number, at: number, end: number | null, fields: Partial<Call> = {}): Call {
  return { lane, at, end, answer: '200', ok: true, told: [], ...fields }
}

interface Fields extends Partial<Omit<RunRecord, 'tabs'>> {
  calls: Call[]
  timings: Timing[]
  others?: { calls: Call[]; timings: Timing[] }[]
}

function run({ calls, timings, others = [], ...fields }: Fields): RunRecord {
  const plan = {
    requests: calls.length,
    apiMs: 0,
    refreshMs: 0,
    scenario: 'fine',
    compare: false,
  } as const
  const late = <T extends Call | Timing>(item: T): T => {
    const moved: Record<string, unknown> = { ...item }
    for (const name of ['at', 'end', 'start', 'sent']) {
      if (typeof moved[name] === 'number') moved[name] += START
    }
    if ('told' in item) moved.told = item.told.map((time) => time + START)
    return moved as unknown as T
  }
  const tabs = [{ calls, timings }, ...others].map((tab, index) => ({
    tab: `tab ${index}`,
    calls: tab.calls.map(late),
    timings: tab.timings.map(late),
    done: true,
  }))
  const base = newRun('r', 'silent', plan, 'tab 0')
  return { ...base, startedAt: START, endedAt: START + 10_000, tabs, ...fields }
}

/** `sent 0-60`: what the only lane did. */
function segments(record: RunRecord, now = 0, lane = 0): string[] {
  const found = traceOf(record, START + now).tabs[0]!.lanes[lane]!
  return found.segments.map(({ kind, from, to }) => `${kind} ${from}-${to}`)
}

describe('what a lane did', () => {
  it('sent, and answered', () => {
    const record = run({ calls: [call(1, 0, 60)], timings: [send(1, 0, 60, 200)] })

    expect(segments(record)).toEqual(['sent 0-60'])
  })

  it('queued by the browser before it was sent', () => {
    const record = run({ calls: [call(1, 0, 120)], timings: [send(1, 2, 120, 200, 60)] })

    expect(segments(record)).toEqual(['queued 0-60', 'sent 60-120'])
  })

  it('refused, waiting for the refresh, replayed; entries in any order', () => {
    const timings = [send(1, 310, 370, 200, 330), refresh(60, 300), send(1, 0, 60, 401)]
    const record = run({ calls: [call(1, 0, 371)], timings })

    expect(segments(record)).toEqual([
      'rejected 0-60',
      'waiting 60-310',
      'queued 310-330',
      'replayed 330-370',
    ])
  })

  it('waiting from the call on, where the token was known to be dead', () => {
    const timings = [refresh(1, 200), send(1, 201, 260, 200)]
    const record = run({ calls: [call(1, 0, 260)], timings })

    expect(segments(record)).toEqual(['waiting 0-201', 'sent 201-260'])
  })

  it('a refresh that ended after the request had left was not waited for', () => {
    const timings = [refresh(0, 200), send(1, 20, 260, 200)]
    const record = run({ calls: [call(1, 0, 260)], timings })

    expect(segments(record)).toEqual(['queued 0-20', 'sent 20-260'])
  })

  it('waiting for the refresh of another tab', () => {
    const record = run({
      calls: [call(1, 0, 370)],
      timings: [send(1, 0, 60, 401), send(1, 310, 370, 200)],
      others: [{ calls: [], timings: [refresh(50, 300)] }],
    })

    expect(segments(record)).toEqual(['rejected 0-60', 'waiting 60-310', 'replayed 310-370'])
  })

  it('waiting in vain for a refresh that was refused', () => {
    const record = run({
      calls: [call(1, 0, 300, { ok: false, answer: 'session ended' })],
      timings: [send(1, 0, 60, 401), refresh(60, 300, 401)],
    })

    expect(segments(record)).toEqual(['rejected 0-60', 'waiting 60-300'])
  })

  it('waiting in vain for a refresh that took too long, and was given up a little later', () => {
    const record = run({
      calls: [call(1, 0, 10_060, { ok: false, answer: 'time over' })],
      timings: [send(1, 0, 60, 401), refresh(60, 10_072, 0)],
    })

    expect(segments(record)).toEqual(['rejected 0-60', 'waiting 60-10060'])
    expect(traceOf(record, 0).tabs[0]!.lanes[0]!.trips).toBe(2)
  })

  it('waiting in vain, unsent', () => {
    const record = run({
      calls: [call(1, 5, 10_060, { ok: false, answer: 'time over' })],
      timings: [refresh(0, 10_072, 0)],
    })

    expect(segments(record)).toEqual(['waiting 5-10060'])
  })

  it('failed for another reason than the refresh that was under way', () => {
    const record = run({
      calls: [call(1, 0, 61, { ok: false, answer: '503' })],
      timings: [send(1, 0, 60, 503), refresh(20, 200)],
    })

    expect(segments(record)).toEqual(['sent 0-60'])
    expect(traceOf(record, 0).tabs[0]!.lanes[0]!.trips).toBe(1)
  })

  it('without an answer', () => {
    const record = run({
      calls: [call(1, 0, 50, { ok: false, answer: 'no answer' })],
      timings: [send(1, 0, 50, 0)],
    })

    expect(segments(record)).toEqual(['lost 0-50'])
  })

  it('where the browser tells no status: refused if it was followed by another', () => {
    const timings = [send(1, 0, 60, null), refresh(60, 200), send(1, 210, 270, null)]

    expect(segments(run({ calls: [call(1, 0, 270)], timings }))).toEqual([
      'rejected 0-60',
      'waiting 60-210',
      'replayed 210-270',
    ])
    const failed = [call(1, 0, 90, { ok: false, answer: '503' })]
    expect(segments(run({ calls: failed, timings: [send(1, 0, 60, null)] }))).toEqual([
      'rejected 0-60',
    ])
  })

  it('under way up to now, as far as is known', () => {
    const record = run({
      calls: [call(1, 0, null, { ok: false, answer: '' })],
      timings: [send(1, 0, 60, 401)],
      endedAt: null,
    })

    expect(segments(record, 90)).toEqual(['rejected 0-60', 'open 60-90'])
    expect(traceOf(record, START + 90)).toMatchObject({ end: 90 })
  })
})

describe('round trips', () => {
  const trips = (record: RunRecord) => traceOf(record, 0).tabs[0]!.lanes[0]!.trips

  it('one where nothing is wrong', () => {
    expect(trips(run({ calls: [call(1, 0, 60)], timings: [send(1, 0, 60, 200)] }))).toBe(1)
  })

  it('two where the token was known to be dead', () => {
    const timings = [refresh(0, 200), send(1, 201, 260, 200)]
    expect(trips(run({ calls: [call(1, 0, 260)], timings }))).toBe(2)
  })

  it('three where it was refused', () => {
    const timings = [send(1, 0, 60, 401), refresh(60, 300), send(1, 310, 370, 200)]
    expect(trips(run({ calls: [call(1, 0, 370)], timings }))).toBe(3)
  })

  it('two where the refresh was over when the refusal came', () => {
    const timings = [send(1, 0, 400, 401), refresh(60, 300), send(1, 401, 470, 200)]
    expect(trips(run({ calls: [call(1, 0, 470)], timings }))).toBe(2)
  })

  it('each refresh that failed before the one that did not', () => {
    const timings = [
      send(1, 0, 60, 401),
      refresh(60, 260, 503),
      refresh(1000, 1200, 503),
      refresh(3000, 3200),
      send(1, 3201, 3260, 200),
    ]
    expect(trips(run({ calls: [call(1, 0, 3260)], timings }))).toBe(5)
  })

  it('in the classic interceptor the refreshes of the others are not waited for', () => {
    const timings = [
      send(1, 0, 60, 401),
      refresh(60, 200),
      refresh(60, 210, 401),
      refresh(60, 220, 401),
      send(1, 230, 290, 401),
    ]
    const calls = [call(1, 0, 290, { ok: false, answer: '401' })]
    expect(trips(run({ calls, timings, client: 'classic' }))).toBe(3)
  })
})

describe('a trace', () => {
  it('has a lane for each call, in their order, whatever came first', () => {
    const record = run({ calls: [call(2, 0, 60), call(1, 0, 60)], timings: [] })

    expect(traceOf(record, 0).tabs[0]!.lanes.map(({ lane }) => lane)).toEqual([1, 2])
  })

  it('tells of each refresh how it ended', () => {
    const timings = [
      refresh(90, 100, 0),
      refresh(0, 50, 503),
      refresh(200, 300),
      refresh(5, 6, null),
    ]
    const record = run({ calls: [], timings })

    expect(
      traceOf(record, 0).tabs[0]!.refreshes.map(({ answer, granted }) => [answer, granted]),
    ).toEqual([
      ['503', false],
      ['answered', true],
      ['no answer', false],
      ['200', true],
    ])
  })

  it('ends with the last of it', () => {
    const record = run({ calls: [call(1, 0, 60)], timings: [refresh(0, 90)] })

    expect(traceOf(record, 0).end).toBe(90)
  })

  it('says when the person was signed out, and when a caller was told', () => {
    const calls = [call(1, 0, 60, { told: [40] })]
    const trace = traceOf(run({ calls, timings: [], signedOutAt: START + 70 }), 0)

    expect(trace.signedOutAt).toBe(70)
    expect(trace.tabs[0]!.lanes[0]!.told).toEqual([40])
  })
})
