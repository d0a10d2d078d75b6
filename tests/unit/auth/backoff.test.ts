// @vitest-environment node
/** R7: how long no refresh is tried after one that failed, and who does not wait. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { httpError } from '../../support/backend.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'
import { createWorld } from '../../support/world.ts'
import type { Auth } from '../../support/world.ts'

useFakeClock()

let { backend, signIn } = createWorld()

beforeEach(() => {
  ;({ backend, signIn } = createWorld())
})

describe('R7: the back-off', () => {
  async function fail(auth: Auth, error: Error) {
    const failed = outcome(auth.refresh())
    await elapse()
    backend.latest('refresh').fail(error)
    await elapse()
    expect(failed.reason).toBe(error)
  }

  it('does not hold back a person', async () => {
    const auth = await signIn()
    await fail(auth, httpError(503, { 'retry-after': '120' }))
    await fail(auth, httpError(503, { 'retry-after': '120' }))
    expect(backend.count('refresh')).toBe(2)
  })

  it('does not hold back a person who asks as a request is held back', async () => {
    const auth = await signIn()
    await fail(auth, httpError(503))
    const held = outcome(auth.sessions.current()!.nextToken('expiry'))
    void auth.refresh()
    await elapse()
    expect(held.reason).toMatchObject({ status: 503 })
    expect(backend.count('refresh')).toBe(2)
  })

  it('ends when the browser is online again', async () => {
    const listeners = new EventTarget()
    vi.stubGlobal('addEventListener', listeners.addEventListener.bind(listeners))
    const auth = await signIn()
    await fail(auth, new TypeError('Failed to fetch'))
    expect(auth.sessions.current()!.isPaused()).toBe(true)
    listeners.dispatchEvent(new Event('online'))
    expect(auth.sessions.current()!.isPaused()).toBe(false)
  })
})
