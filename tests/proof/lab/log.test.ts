import { describe, expect, it } from 'vitest'
import { countRun, entriesOf, markOf, labelOf } from '@/lab/log.ts'
import type { LogEntry } from '@/lab/log.ts'

const CAPACITY = 5000

function entry(at: number, fields: Partial<LogEntry> = {}): LogEntry {
  const label = labelOf('r', 'tab', 1)
  return { method: 'GET', path: '/api/protected-resource', label, status: 200, at, ...fields }
}

function entries(count: number, at: number, fields: Partial<LogEntry> = {}): LogEntry[] {
  return Array.from({ length: count }, () => entry(at, fields))
}

/** The log as the server keeps it. */
function capped(log: LogEntry[]): LogEntry[] {
  return log.slice(-CAPACITY)
}

describe('entriesOf', () => {
  it('finds everything in a log that was empty', () => {
    const log = entries(3, 1)

    expect(entriesOf('r', markOf([]), log)).toEqual(log)
  })

  it('finds nothing where nothing came', () => {
    const log = entries(3, 1)

    expect(entriesOf('r', markOf(log), log)).toEqual([])
  })

  it('tells apart what came before and after within one millisecond', () => {
    const before = [...entries(2, 1), ...entries(3, 2)]
    const after = [...entries(4, 2, { status: 401 }), entry(3)]

    expect(entriesOf('r', markOf(before), [...before, ...after])).toEqual(after)
  })

  it('counts right in a full log, which drops as many as it gets', () => {
    const before = capped([...entries(4000, 1), ...entries(1000, 2)])
    const after = [...entries(600, 2, { status: 401 }), ...entries(400, 3)]

    expect(entriesOf('r', markOf(before), capped([...before, ...after]))).toEqual(after)
  })

  it('goes by the latest time, also where the log is not in order', () => {
    const before = [entry(5), entry(4)]
    const after = [entry(6)]

    expect(entriesOf('r', markOf(before), [...before, ...after])).toEqual(after)
  })

  it('has the requests of this run alone, and all refreshes', () => {
    const refresh = entry(2, { path: '/api/auth/refresh', label: undefined })
    const others = [
      entry(1, { label: labelOf('another', 'tab', 1) }),
      entry(1, { label: undefined }),
      entry(1, { path: '/api/projects' }),
    ]

    expect(entriesOf('r', markOf([]), [...others, entry(1), refresh])).toEqual([entry(1), refresh])
  })
})

describe('countRun', () => {
  it('counts a run with an expired token', () => {
    const refresh = entry(2, { method: 'POST', path: '/api/auth/refresh' })
    const log = [...entries(10, 1, { status: 401 }), refresh, ...entries(10, 3)]

    expect(countRun(10, log)).toEqual({
      sent: 20,
      rejected: 10,
      asked: 1,
      refreshes: 1,
      replayed: 10,
    })
  })

  it('counts as refreshes only those that brought a token, and all that were asked for', () => {
    const refused = entry(1, { method: 'POST', path: '/api/auth/refresh', status: 401 })
    const granted = entry(2, { method: 'POST', path: '/api/auth/refresh' })

    expect(countRun(0, [refused, granted])).toMatchObject({ asked: 2, refreshes: 1 })
  })

  it('leaves requests for anything else out', () => {
    const log = [entry(1, { path: '/api/projects', status: 401 }), entry(1, { path: '/api/stats' })]

    expect(countRun(0, log)).toEqual({ sent: 0, rejected: 0, asked: 0, refreshes: 0, replayed: 0 })
  })

  it('counts no replay where fewer arrived than were asked for', () => {
    expect(countRun(10, entries(4, 1)).replayed).toBe(0)
  })
})
