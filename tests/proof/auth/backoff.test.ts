/** R7: how long no refresh is tried after one that failed, and what `Retry-After` means. */
import { beforeEach, describe, expect, it } from 'vitest'
import { retryAfter } from '@/auth/backoff.ts'
import { httpError } from '../../support/backend.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'
import { createWorld } from '../../support/world.ts'

useFakeClock()

let { backend, openTab, signIn } = createWorld()

beforeEach(() => {
  ;({ backend, openTab, signIn } = createWorld())
})

describe('R7: the back-off', () => {
  /** Lets a refresh fail and returns for how many milliseconds no other one is tried. */
  async function silenceAfter(auth: ReturnType<typeof openTab>, error: unknown): Promise<number> {
    const failed = outcome(auth.sessions.current()!.nextToken('expiry'))
    await elapse()
    backend.latest('refresh').fail(error)
    await elapse()
    expect(failed.state).toBe('rejected')
    const calls = backend.count('refresh')
    for (let waited = 0; waited < 200_000; waited += 250) {
      const next = outcome(auth.sessions.current()!.nextToken('expiry'))
      await elapse()
      if (backend.count('refresh') > calls) {
        backend.latest('refresh').fail(error)
        await elapse()
        return waited
      }
      expect(next.reason).toBe(error)
      await elapse(250)
    }
    throw new Error('No other refresh was tried.')
  }

  it('backs off from 1 s, doubling to 30 s', async () => {
    const auth = await signIn()
    expect(await silenceAfter(auth, httpError(503))).toBe(1_000)
    // The refresh that ended the silence failed too: each silence counts two failures.
    await elapse(2_000)
    expect(await silenceAfter(auth, httpError(503))).toBe(4_000)
    await elapse(8_000)
    expect(await silenceAfter(auth, httpError(503))).toBe(16_000)
    await elapse(30_000)
    expect(await silenceAfter(auth, httpError(503))).toBe(30_000)
  })

  it('takes a random half off the wait, so that a fleet spreads out', async () => {
    const auth = openTab({ random: () => 0.999 })
    await signIn(auth)
    expect(await silenceAfter(auth, httpError(503))).toBe(750)
  })

  it('starts again after a success', async () => {
    const auth = await signIn()
    expect(await silenceAfter(auth, httpError(503))).toBe(1_000)
    await elapse(2_000)
    const refreshed = auth.refresh()
    await elapse()
    backend.latest('refresh').grant()
    await refreshed
    expect(await silenceAfter(auth, httpError(503))).toBe(1_000)
  })

  it.each([
    ['seconds', () => '120'],
    ['a date', () => new Date(Date.now() + 120_000).toUTCString()],
  ])('honours Retry-After in %s', async (_, header) => {
    const auth = await signIn()
    const retryAfter = header()
    const silence = await silenceAfter(auth, httpError(429, { 'retry-after': retryAfter }))
    expect(silence).toBeGreaterThan(118_000)
    expect(silence).toBeLessThanOrEqual(120_000)
  })

  it('counts the failures of a person who tries again', async () => {
    const auth = await signIn()
    for (let n = 0; n < 2; n += 1) {
      void auth.refresh().catch(() => {})
      await elapse()
      backend.latest('refresh').fail(httpError(503))
      await elapse()
    }
    const session = auth.sessions.current()!
    await elapse(1_999)
    await expect(session.nextToken('expiry')).rejects.toMatchObject({ status: 503 })
    await elapse(1)
    void session.nextToken('expiry').catch(() => {})
    await elapse()
    expect(backend.count('refresh')).toBe(3)
  })

  it('waits an hour at most, however long the server asks for', async () => {
    const auth = await signIn()
    const session = auth.sessions.current()!
    const failed = outcome(auth.refresh())
    await elapse()
    backend.latest('refresh').fail(httpError(503, { 'retry-after': '86400' }))
    await elapse(3_599_999)
    expect(failed.state).toBe('rejected')
    await expect(session.nextToken('expiry')).rejects.toMatchObject({ status: 503 })
    await elapse(1)
    void session.nextToken('expiry').catch(() => {})
    await elapse()
    expect(backend.count('refresh')).toBe(2)
  })
})

describe('Retry-After', () => {
  const at = (header: string, sent = '') => httpError(503, { 'retry-after': header, date: sent })

  it('an answer that is none of fetch may pass', () => {
    const response = { status: 503, headers: { 'content-type': 'text/plain' } }
    expect(retryAfter(Object.assign(new Error('503'), { response }), 0)).toBeNull()
  })

  it.each<[string, number | null]>([
    ['120', 120_000],
    ['0', null],
    ['soon', null],
    ['120s', null],
    ['in 120', null],
    ['-5', null],
    [new Date(90_000).toUTCString(), 60_000],
    [new Date(1_000).toUTCString(), null],
  ])('Retry-After: %s', (header, wait) => {
    expect(retryAfter(at(header), 30_000)).toBe(wait)
  })

  it('Retry-After as a date counts from the time of the answer, whatever time it is here', () => {
    const [sent, later] = [90_000, 95_000].map((time) => new Date(time).toUTCString())
    expect(retryAfter(at(later!, sent), 0)).toBe(5_000)
  })
})
