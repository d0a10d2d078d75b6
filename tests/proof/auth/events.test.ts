// @vitest-environment node
/** What `onEvent` is told. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { SessionEndedError } from '@/auth/index.ts'
import type { AuthEvent } from '@/auth/index.ts'
import { ada, grantFor, httpError } from '../../support/backend.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'
import { createWorld, openClient } from '../../support/world.ts'

useFakeClock()

let { backend, openTab, signIn } = createWorld()

beforeEach(() => {
  ;({ backend, openTab, signIn } = createWorld())
})

it('onEvent tells what happens, without secrets, and may throw', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {})
  const events: AuthEvent[] = []
  const onEvent = (event: AuthEvent) => {
    events.push(event)
    throw new Error('broken observer')
  }
  const auth = await signIn(openTab({ onEvent }))
  const { api, kill } = openClient(auth)
  kill()
  const answer = api('/notes?secret=1')
  await elapse()
  backend.latest('refresh').grant(grantFor(ada, 900))
  await answer
  void auth.logout()
  await elapse()
  expect(events).toMatchObject([
    { type: 'sign-in', outcome: 'granted' },
    { type: 'refresh', cause: 'unauthorized', outcome: 'granted', waiting: 1 },
    { type: 'replay', path: '/v1/notes', status: 200 },
    { type: 'end', reason: 'signed-out' },
  ])
  expect(JSON.stringify(events)).not.toMatch(/access-|secret/)
  expect(log).toHaveBeenCalledTimes(4)
})

it('onEvent says why a refresh began, what came of it, and how long it took', async () => {
  const onEvent = vi.fn<(event: AuthEvent) => void>()
  await signIn()
  const auth = openTab({ onEvent })
  async function refreshTakes(milliseconds: number, answer: () => void) {
    await elapse(milliseconds)
    answer()
    await elapse(1)
  }
  const grant = () => backend.latest('refresh').grant(grantFor(ada, 900))
  const { api } = openClient(auth)

  void auth.restore()
  await refreshTakes(30, grant)
  await elapse(850_000)
  await api('/notes') // In the last minute of the token.
  await refreshTakes(40, grant)
  await elapse(900_000)
  void api('/notes').catch(() => {})
  await refreshTakes(50, () => backend.latest('refresh').fail(httpError(503)))
  void auth.refresh().catch(() => {})
  await refreshTakes(60, () => backend.latest('refresh').fail(httpError(401)))
  expect(onEvent.mock.calls.map(([event]) => event)).toMatchObject([
    { type: 'refresh', cause: 'restore', outcome: 'granted', milliseconds: 30 },
    { type: 'refresh', cause: 'background', outcome: 'granted', milliseconds: 40, waiting: 0 },
    { type: 'refresh', cause: 'expiry', outcome: 'failed', milliseconds: 50, status: 503 },
    { type: 'refresh', cause: 'requested', outcome: 'refused', milliseconds: 60, status: 401 },
    { type: 'end', reason: 'expired' },
  ])
})

it('onEvent tells what another tab brought', async () => {
  const onEvent = vi.fn<(event: AuthEvent) => void>()
  const first = openTab()
  openTab({ onEvent })
  await signIn(first)
  void first.refresh().catch(() => {})
  await elapse()
  backend.latest('refresh').fail(httpError(503))
  await elapse(1)
  void first.logout()
  await elapse()
  expect(onEvent.mock.calls.map(([event]) => event)).toEqual([
    { type: 'other-tab', brought: 'grant' },
    { type: 'other-tab', brought: 'failure' },
    { type: 'end', reason: 'signed-out' },
    { type: 'other-tab', brought: 'end' },
  ])
})

describe('the status of a refresh that is taken for what few APIs mean by it', () => {
  async function reported(error: Error) {
    const onEvent = vi.fn<(event: AuthEvent) => void>()
    const auth = await signIn(openTab({ onEvent }))
    const refreshed = outcome(auth.refresh())
    await elapse()
    backend.latest('refresh').fail(error)
    await elapse()
    expect(refreshed.state).toBe('rejected')
    const refresh = onEvent.mock.calls
      .map(([event]) => event)
      .find(({ type }) => type === 'refresh')
    return (refresh as { problem?: string }).problem
  }

  it.each([404, 419, 422])('is named if %i ended the session', async (status) => {
    expect(await reported(httpError(status))).toContain(`refused with ${status}`)
  })

  it.each([401, 403])('is named if %i came with a page, and the session stays', async (status) => {
    const page = httpError(status, { 'content-type': 'text/html' })
    expect(await reported(page)).toContain(`${status} with an HTML page`)
  })

  it.each([400, 401, 403, 429, 503])('is not named if it is %i, as everywhere', async (status) => {
    expect(await reported(httpError(status))).toBeUndefined()
  })
})

it('onEvent tells of a sign-out in mid-refresh as it is', async () => {
  const events: [AuthEvent, string][] = []
  const auth = openTab({ onEvent: (event) => events.push([event, auth.status.value]) })
  await signIn(auth)
  const { api } = openClient(auth)
  await elapse(900_000)
  const call = outcome(api('/notes'))
  await elapse()
  events.length = 0
  void auth.logout()
  await elapse()
  expect(call.reason).toBeInstanceOf(SessionEndedError)
  expect(events).toEqual([
    [{ type: 'end', reason: 'signed-out' }, 'anonymous'],
    [
      expect.objectContaining({ type: 'refresh', outcome: 'ended', cause: 'expiry', waiting: 1 }),
      'anonymous',
    ],
  ])
})

it('onEvent tells that a session was replaced by another sign-in', async () => {
  const onEvent = vi.fn<(event: AuthEvent) => void>()
  const auth = await signIn(openTab({ onEvent }))
  await signIn(auth)
  const ends = onEvent.mock.calls.map(([event]) => event).filter(({ type }) => type === 'end')
  expect(ends).toEqual([{ type: 'end', reason: 'replaced' }])
})
