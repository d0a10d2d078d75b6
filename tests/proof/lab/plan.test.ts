import { describe, expect, it } from 'vitest'
import { SCENARIOS, assertPlan, faultsOf } from '@/lab/plan.ts'
import type { Plan } from '@/lab/plan.ts'

const RESOURCE = '/api/protected-resource'
const REFRESH = '/api/auth/refresh'

function plan(fields: Partial<Plan> = {}): Plan {
  return {
    requests: 10,
    apiMs: 60,
    refreshMs: 200,
    scenario: 'refused',
    rivals: [],
    ...fields,
  }
}

describe('assertPlan', () => {
  it.each([
    { requests: 1, apiMs: 0, refreshMs: 0 },
    { requests: 1000, apiMs: 5000, refreshMs: 8000 },
  ])('takes %o', (fields) => {
    expect(() => assertPlan(plan(fields))).not.toThrow()
  })

  it.each([0, -1, 1001, 2.5, NaN, '' as unknown as number])('refuses %o requests', (requests) => {
    expect(() => assertPlan(plan({ requests }))).toThrow(RangeError)
  })

  it.each([
    [2, 1000],
    [3, 816],
  ])('counts for %i tabs, no more than the log of the mock has room for', (tabs, most) => {
    expect(() => assertPlan(plan({ requests: most }), tabs)).not.toThrow()
    expect(() => assertPlan(plan({ requests: most + 1 }), tabs)).toThrow(`from 1 to ${most}.`)
  })

  it('counts for this tab alone in a session of the lab’s own, which no other tab shares', () => {
    expect(() => assertPlan(plan({ requests: 1000, scenario: 'denied' }), 3)).not.toThrow()
  })

  it('says which field to correct', () => {
    expect(() => assertPlan(plan({ apiMs: -1 }))).toThrow('API (ms): enter a whole number')
    expect(() => assertPlan(plan({ refreshMs: 8001 }))).toThrow('from 0 to 8000')
  })
})

describe('faultsOf', () => {
  it('lets three 401s come when the refresh is over, one by one', () => {
    const delays = faultsOf(plan({ scenario: 'late' })).map(({ path, times, delayMs }) => [
      path === REFRESH ? 'refresh' : times,
      delayMs,
    ])

    expect(delays.slice(0, 4)).toEqual([
      [7, 60],
      [1, 570],
      [1, 1080],
      [1, 1590],
    ])
  })

  it('orders none where nothing is to take any time', () => {
    expect(faultsOf(plan({ apiMs: 0, refreshMs: 0 }))).toEqual([])
  })

  it('delays the API and the refresh', () => {
    expect(faultsOf(plan())).toMatchObject([
      { path: RESOURCE, delayMs: 60 },
      { path: REFRESH, delayMs: 200 },
    ])
  })

  it('has a slow refresh take two seconds at least', () => {
    const ofRefresh = (refreshMs: number) =>
      faultsOf(plan({ scenario: 'slow', refreshMs })).find(({ path }) => path === REFRESH)

    expect(ofRefresh(200)?.delayMs).toBe(2000)
    expect(ofRefresh(3000)?.delayMs).toBe(3000)
  })

  it('has the refresh answered with a 503 twice, and then as it should be', () => {
    const faults = faultsOf(plan({ scenario: 'unavailable' }))

    expect(faults.filter(({ path }) => path === REFRESH)).toMatchObject([
      { times: 2, status: 503, delayMs: 200 },
      { delayMs: 200 },
    ])
  })

  it('breaks the connection for every refresh, until it is back', () => {
    const [first] = faultsOf(plan({ scenario: 'offline' }))

    expect(first).toMatchObject({ path: REFRESH, kind: 'drop' })
    expect(first!.times).toBeGreaterThan(1000)
  })
})

it('every scenario has a name and a word of what it shows', () => {
  for (const { label, hint } of SCENARIOS) expect([label, hint].every(Boolean)).toBe(true)
  expect(new Set(SCENARIOS.map(({ id }) => id)).size).toBe(8)
})
