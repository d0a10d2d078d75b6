import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SessionEndedError } from '@/auth/index.ts'
import { nameOf, sendBurst } from '@/lab/burst.ts'
import type { BurstOptions } from '@/lab/burst.ts'
import type { Call } from '@/lab/record.ts'

const unavailable = Object.assign(new Error('503'), { status: 503 })
const offline = new TypeError('Failed to fetch')

let calls: Call[]

beforeEach(() => {
  vi.useFakeTimers()
  calls = []
})
afterEach(() => {
  vi.useRealTimers()
})

function burst(options: Partial<BurstOptions> & Pick<BurstOptions, 'send'>) {
  const { signal } = new AbortController()
  const defaults = { requests: 3, patient: false, isOver: () => false, onChange: () => {} }
  return sendBurst({ ...defaults, calls, signal, ...options })
}

describe('sendBurst', () => {
  it('makes all calls at once, numbered from 1', () => {
    const lanes: number[] = []
    void burst({ send: (lane) => (lanes.push(lane), new Promise(() => {})) })

    expect(lanes).toEqual([1, 2, 3])
    expect(calls.map(({ lane, end }) => [lane, end])).toEqual([
      [1, null],
      [2, null],
      [3, null],
    ])
  })

  it('notes how each ended for its caller', async () => {
    const send = async (lane: number) => {
      if (lane === 2) throw unavailable
      if (lane === 3) throw new SessionEndedError('expired')
    }
    await burst({ send })

    expect(calls.map(({ ok, answer }) => [ok, answer])).toEqual([
      [true, '200'],
      [false, '503'],
      [false, 'session ended'],
    ])
    expect(calls.every(({ end }) => end !== null)).toBe(true)
  })

  it('makes half of the calls only when the refresh is under way', async () => {
    let underWay = () => {}
    const late = () => new Promise<void>((resolve) => (underWay = resolve))
    const sent: number[] = []
    const run = burst({ requests: 5, late, send: async (lane) => void sent.push(lane) })
    await vi.advanceTimersByTimeAsync(1000)
    expect(sent).toEqual([1, 2, 3])

    underWay()
    await run
    expect(sent).toEqual([1, 2, 3, 4, 5])
  })

  it('says when nothing is left that could start a refresh', async () => {
    let isOver = () => false
    const late = (over: () => boolean) => new Promise<void>(() => (isOver = over))
    let answer = () => {}
    void burst({ requests: 2, late, send: () => new Promise<void>((go) => (answer = go)) })
    expect(isOver()).toBe(false)

    answer()
    await vi.advanceTimersByTimeAsync(0)
    expect(isOver()).toBe(true)
  })

  it('a patient caller tries again after 1, 2 and 4 s, until it gets its answer', async () => {
    let failures = 3
    const send = vi.fn<() => Promise<void>>(async () => {
      if (failures-- > 0) throw unavailable
    })
    const run = burst({ requests: 1, patient: true, send })
    await vi.advanceTimersByTimeAsync(6999)
    expect(send).toHaveBeenCalledTimes(3)
    await vi.advanceTimersByTimeAsync(1)
    await run

    expect(send).toHaveBeenCalledTimes(4)
    expect(calls).toMatchObject([{ ok: true, answer: '200' }])
  })

  it('marks the failures that were waited for, not those that came at once', async () => {
    let failures = 0
    const send = async () => {
      failures += 1
      if (failures === 1) await new Promise((resolve) => setTimeout(resolve, 200))
      if (failures < 4) throw offline
    }
    const run = burst({ requests: 1, patient: true, send })
    await vi.advanceTimersByTimeAsync(8000)
    await run

    expect(calls[0]!.told).toHaveLength(1)
  })

  it('notes how long the caller paused, over tries that failed at once', async () => {
    const startedAt = Date.now()
    let failures = 0
    const send = async () => {
      failures += 1
      if (failures === 1) await new Promise((resolve) => setTimeout(resolve, 200))
      if (failures < 3) throw offline
    }
    const run = burst({ requests: 1, patient: true, send })
    await vi.advanceTimersByTimeAsync(500)
    expect(calls[0]!.pauses).toEqual([{ from: startedAt + 200, to: null }])
    await vi.advanceTimersByTimeAsync(3000)
    await run

    expect(calls[0]!.pauses).toEqual([{ from: startedAt + 200, to: startedAt + 3200 }])
  })

  it('is not patient with a refusal, nor with a session that is over', async () => {
    const refusal = Object.assign(new Error('404'), { status: 404 })
    await burst({ requests: 1, patient: true, send: () => Promise.reject(refusal) })
    await burst({
      requests: 1,
      patient: true,
      isOver: () => true,
      send: () => Promise.reject(offline),
    })

    expect(calls.map(({ answer }) => answer)).toEqual(['404', 'no answer'])
  })

  it('loses its patience in the end', async () => {
    const run = burst({ requests: 1, patient: true, send: () => Promise.reject(offline) })
    await vi.advanceTimersByTimeAsync(15_000)
    await run

    expect(calls).toMatchObject([{ ok: false, answer: 'no answer' }])
  })

  it('tells of the first failure alone', async () => {
    const onFailure = vi.fn<() => Promise<void>>(async () => {})
    await burst({ onFailure, send: () => Promise.reject(unavailable) })

    expect(onFailure).toHaveBeenCalledOnce()
  })

  it('tries no more when one leaves', async () => {
    const leave = new AbortController()
    const send = vi.fn<() => Promise<void>>(() => Promise.reject(offline))
    const run = burst({ requests: 2, patient: true, send, signal: leave.signal })
    await vi.advanceTimersByTimeAsync(100)
    leave.abort()
    await run

    expect(send).toHaveBeenCalledTimes(4)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('nameOf', () => {
  it.each([
    [unavailable, '503'],
    [offline, 'no answer'],
    [new SessionEndedError('expired'), 'session ended'],
    [new DOMException('late', 'TimeoutError'), 'time over'],
    [new DOMException('left', 'AbortError'), 'given up'],
  ])('%s', (error, name) => {
    expect(nameOf(error)).toBe(name)
  })
})
