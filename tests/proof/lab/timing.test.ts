import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readEntry, watchTimings } from '@/lab/timing.ts'
import { stubResourceTiming } from './resourceTiming.ts'
import type { Entry } from './resourceTiming.ts'

const ORIGIN = 'http://localhost'
const never = () => {}

function entry(fields: Partial<Entry> = {}): Entry {
  const name = `${ORIGIN}/api/protected-resource?run=r&lane=7`
  return { name, startTime: 100, responseEnd: 160, responseStatus: 200, ...fields }
}

const read = (fields: Partial<Entry>) =>
  readEntry(
    { requestStart: 0, responseStart: 0, ...entry(fields) } as PerformanceResourceTiming,
    'r',
  )

describe('readEntry', () => {
  it('reads run and lane from the address, and times on the clock of all tabs', () => {
    const { timeOrigin } = performance

    expect(read({ requestStart: 110 })).toEqual({
      what: 'resource',
      lane: 7,
      start: timeOrigin + 100,
      sent: timeOrigin + 110,
      end: timeOrigin + 160,
      status: 200,
    })
  })

  it('knows a refresh, whoever made it', () => {
    expect(read({ name: `${ORIGIN}/api/auth/refresh` })).toMatchObject({ what: 'refresh', lane: 0 })
  })

  it.each(['/api/protected-resource?run=other&lane=7', '/api/protected-resource', '/api/stats'])(
    'leaves out what is not of the run: %s',
    (path) => {
      expect(read({ name: ORIGIN + path })).toBeNull()
    },
  )

  it('takes a request that was never on the wire as sent when it was made', () => {
    const { timeOrigin } = performance

    expect(read({ requestStart: 0, responseStatus: 0 })).toMatchObject({
      sent: timeOrigin + 100,
      status: 0,
    })
  })

  it.each([
    ['browsers that do not tell a status', { responseStatus: undefined }],
    ['an answer that was let go unread', { responseStatus: 0, responseStart: 120 }],
  ])('does not make up the status of %s', (_, fields) => {
    expect(read(fields)?.status).toBeNull()
  })
})

describe('watchTimings', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('collects the entries of the run as they come', () => {
    const timing = stubResourceTiming()
    const onChange = vi.fn<() => void>()
    const watch = watchTimings('r', onChange)
    timing.queue(entry())
    timing.queue(entry({ name: `${ORIGIN}/favicon.svg` }))
    timing.deliver()

    expect(watch.all().map(({ lane }) => lane)).toEqual([7])
    expect(onChange).toHaveBeenCalledOnce()
  })

  it('does not call for what is not of the run', () => {
    const timing = stubResourceTiming()
    const onChange = vi.fn<() => void>()
    watchTimings('r', onChange)
    timing.queue(entry({ name: `${ORIGIN}/favicon.svg` }))
    timing.deliver()

    expect(onChange).not.toHaveBeenCalled()
  })

  it('takes what has come and was not told yet', async () => {
    const timing = stubResourceTiming()
    const watch = watchTimings('r', never)
    timing.queue(entry())

    await watch.until(() => watch.all().length === 1, 0)
    expect(watch.all()).toHaveLength(1)
  })

  it('waits for entries that come late', async () => {
    const timing = stubResourceTiming()
    const watch = watchTimings('r', never)
    const settled = vi.fn<() => void>()
    const waiting = watch.until(() => watch.all().length === 1, 500).then(settled)
    await vi.advanceTimersByTimeAsync(300)
    expect(settled).not.toHaveBeenCalled()

    timing.queue(entry())
    await vi.advanceTimersByTimeAsync(20)
    await waiting
    expect(settled).toHaveBeenCalled()
  })

  it('waits no longer than its patience', async () => {
    stubResourceTiming()
    const watch = watchTimings('r', never)
    const waiting = watch.until(() => false, 500)
    await vi.advanceTimersByTimeAsync(520)

    await expect(waiting).resolves.toBeUndefined()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('waits for nothing where the browser has no such entries', async () => {
    stubResourceTiming({ supported: false })
    const watch = watchTimings('r', never)

    await expect(watch.until(() => false, 60_000)).resolves.toBeUndefined()
  })

  it('empties the list of the page, which ends at 250', () => {
    stubResourceTiming()
    const clear = vi.spyOn(performance, 'clearResourceTimings')
    watchTimings('r', never)

    expect(clear).toHaveBeenCalledOnce()
  })

  it('stops', () => {
    const timing = stubResourceTiming()
    const watch = watchTimings('r', never)
    expect(timing.isObserved()).toBe(true)
    watch.stop()

    expect(timing.isObserved()).toBe(false)
  })
})
