// @vitest-environment node
/** Which token is given out, when a refresh is sent, and what comes of one that fails. */
import { getEventListeners } from 'node:events'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { SessionEndedError } from '@/auth/index.ts'
import { ada, bob, grantFor, httpError } from '../../support/backend.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'
import { createWorld } from '../../support/world.ts'

useFakeClock()

let { backend, browser, openTab, signIn, grantAll } = createWorld()

beforeEach(() => {
  ;({ backend, browser, openTab, signIn, grantAll } = createWorld())
})

describe('refresh', () => {
  it('R1: is one for all who ask at once', async () => {
    const auth = await signIn()
    const session = auth.sessions.current()!
    const lock = vi.spyOn(browser.locks!, 'request')
    const asked = [auth.refresh(), auth.refresh(), session.nextToken('expiry')]
    await elapse()
    expect(backend.count('refresh')).toBe(1)
    const grant = grantFor()
    backend.latest('refresh').grant(grant)
    await Promise.all(asked)

    expect(auth.accessToken.value).toBe(grant.accessToken)
    // They did not queue for the lock, each for a token that was there by then.
    expect(lock).toHaveBeenCalledOnce()
  })

  it('is refused to a visitor, with what has become of the session', async () => {
    await expect(openTab().refresh()).rejects.toMatchObject({ reason: 'signed-out' })
    expect(backend.calls).toEqual([])

    const auth = await signIn()
    const refused = outcome(auth.refresh())
    await elapse()
    backend.latest('refresh').fail(httpError(401))
    await elapse()
    expect(refused.reason).toBeInstanceOf(SessionEndedError)
    expect(auth.endReason.value).toBe('expired')
    await expect(auth.refresh()).rejects.toMatchObject({ reason: 'expired' })
    expect(backend.count('refresh')).toBe(1)
  })

  it('a fresh token is used as it is', async () => {
    const grant = grantFor()
    const auth = await signIn(openTab(), grant)
    const session = auth.sessions.current()!
    await elapse(839_000)

    expect(await session.tokenToSend()).toBe(grant.accessToken)
    expect(backend.count('refresh')).toBe(0)
  })

  it('in its last stretch a token is used while the next one is fetched', async () => {
    const grant = grantFor()
    const auth = await signIn(openTab(), grant)
    const session = auth.sessions.current()!
    await elapse(840_000)

    expect(await session.tokenToSend()).toBe(grant.accessToken)
    expect(await session.tokenToSend()).toBe(grant.accessToken)
    await elapse()
    expect(backend.count('refresh')).toBe(1)
    const next = grantFor()
    backend.latest('refresh').grant(next)
    await elapse()
    expect(auth.accessToken.value).toBe(next.accessToken)
  })

  it('R7: a failure in that stretch is nobody’s', async () => {
    const grant = grantFor()
    const auth = await signIn(openTab(), grant)
    const session = auth.sessions.current()!
    await elapse(840_000)
    session.tokenToSend()
    await elapse()
    backend.latest('refresh').fail(httpError(503))
    await elapse()
    expect(await session.tokenToSend()).toBe(grant.accessToken)
  })

  it.each([
    { lifetime: 900, random: 0, begins: 840 },
    { lifetime: 900, random: 0.5, begins: 780 },
    { lifetime: 900, random: 0.9999, begins: 720.012 },
    { lifetime: 60, random: 0, begins: 56 },
    { lifetime: 60, random: 0.5, begins: 52 },
  ])('R7: that stretch is drawn for each token: $begins s of $lifetime s', async (row) => {
    const auth = openTab({ random: () => row.random })
    await signIn(auth, grantFor(ada, row.lifetime))
    const session = auth.sessions.current()!
    await elapse(row.begins * 1000 - 1)
    session.tokenToSend()
    await elapse()
    expect(backend.count('refresh')).toBe(0)
    await elapse(1)
    session.tokenToSend()
    await elapse()
    expect(backend.count('refresh')).toBe(1)
  })

  it('the rejected token is good again when the API brings it again', async () => {
    const grant = grantFor()
    const auth = await signIn(openTab(), grant)
    const session = auth.sessions.current()!
    const renewed = outcome(session.tokenAfter401(grant.accessToken, 'GET /x')!)
    await elapse()
    backend.latest('refresh').grant(grant)
    await elapse()
    expect(renewed.value).toBe(grant.accessToken)
    expect(await session.tokenToSend()).toBe(grant.accessToken)
    expect(backend.count('refresh')).toBe(1)
  })

  it('R2: a token past its lifetime is not given out', async () => {
    const auth = await signIn()
    const session = auth.sessions.current()!
    await elapse(900_000)
    const asked = outcome(session.tokenToSend())
    await elapse()
    expect(asked.state).toBe('pending')
    const next = grantFor()
    backend.latest('refresh').grant(next)
    await elapse()

    expect(asked.value).toBe(next.accessToken)
  })

  it('R2: a token that was rejected is not given out again', async () => {
    const grant = grantFor()
    const auth = await signIn(openTab(), grant)
    const session = auth.sessions.current()!
    const replayed = outcome(session.tokenAfter401(grant.accessToken, 'GET /x')!)
    const asked = outcome(session.tokenToSend())
    await elapse()
    expect([replayed.state, asked.state]).toEqual(['pending', 'pending'])
    const next = grantFor()
    backend.latest('refresh').grant(next)
    await elapse()

    expect([replayed.value, asked.value]).toEqual([next.accessToken, next.accessToken])
    expect(backend.count('refresh')).toBe(1)
  })

  it('R3: a late rejection of an old token costs no second refresh', async () => {
    const grant = grantFor()
    const auth = await signIn(openTab(), grant)
    const session = auth.sessions.current()!
    const refreshed = auth.refresh()
    await elapse()
    const next = grantFor()
    backend.latest('refresh').grant(next)
    await refreshed

    expect(await session.tokenAfter401(grant.accessToken, 'GET /x')!).toBe(next.accessToken)
    expect(backend.count('refresh')).toBe(1)
  })

  it('R4: a rejected token goes to other routes while no refresh brings another one', async () => {
    const grant = grantFor()
    const auth = await signIn(openTab(), grant)
    const session = auth.sessions.current()!
    const refreshed = auth.refresh()
    await elapse()
    const next = grantFor()
    backend.latest('refresh').grant(next)
    await refreshed
    const failed = outcome(Promise.resolve(session.tokenAfter401(next.accessToken, 'GET /x')!))
    await elapse()
    backend.latest('refresh').fail(httpError(503))
    await elapse()
    expect(failed.reason).toMatchObject({ status: 503 })

    const isUnavailable = expect.objectContaining({ status: 503 })
    expect(session.tokenToSend('GET /y')).toBe(next.accessToken)
    expect(session.tokenAfter401(grant.accessToken, 'GET /y')).toBe(next.accessToken)
    await expect(session.tokenToSend('GET /x')).rejects.toEqual(isUnavailable)
    await expect(session.tokenAfter401(next.accessToken, 'GET /y')).rejects.toEqual(isUnavailable)
  })

  it.each([400, 401, 403, 404, 422])(
    'R8: %i ends the session once, for all who wait',
    async (status) => {
      const auth = await signIn()
      const session = auth.sessions.current()!
      const waiting = [
        outcome(auth.refresh()),
        outcome(session.tokenAfter401(auth.accessToken.value!, 'GET /x')!),
      ]
      await elapse()
      const error = httpError(status)
      backend.latest('refresh').fail(error)
      await elapse()

      for (const { reason } of waiting) expect(reason).toBe(session.ended)
      expect(session.ended).toMatchObject({ reason: 'expired', cause: error })
      expect(auth.status.value).toBe('anonymous')
      expect(auth.accessToken.value).toBeNull()
      expect(auth.endReason.value).toBe('expired')
      expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
    },
  )

  it('R6: that brings the token of somebody else starts a session of theirs', async () => {
    const auth = await signIn()
    const session = auth.sessions.current()!
    const refreshed = outcome(auth.refresh())
    await elapse()
    backend.latest('refresh').grant(grantFor(bob))
    await elapse()

    expect(refreshed.reason).toMatchObject({ reason: 'replaced' })
    expect(session.ended).toMatchObject({ reason: 'replaced' })
    expect(auth.user.value).toEqual(bob)
  })
})

describe('R7: a temporary failure', () => {
  const failures: [string, unknown][] = [
    ['no network', new TypeError('Failed to fetch')],
    ...[408, 425, 429, 500, 502, 503, 504].map((status): [string, unknown] => [
      `status ${status}`,
      httpError(status),
    ]),
  ]

  it.each(failures)('%s keeps the session and is told as it is', async (_, error) => {
    const auth = await signIn()
    const session = auth.sessions.current()!
    const waiting = [
      outcome(auth.refresh()),
      outcome(session.tokenAfter401(auth.accessToken.value!, 'GET /x')!),
    ]
    await elapse()
    backend.latest('refresh').fail(error)
    await elapse()

    for (const { reason } of waiting) expect(reason).toBe(error)
    expect(auth.status.value).toBe('authenticated')
    expect(session.ended).toBeNull()
  })

  it.each<[string, unknown]>([
    ['HTML', '<!doctype html>'],
    ['broken JSON', '{"accessToken":'],
    ['nothing', null],
    ['a user without roles', { ...grantFor(), user: { ...ada, roles: undefined } }],
    ['roles that are none', { ...grantFor(), user: { ...ada, roles: [7] } }],
    ['a user whose id is none', { ...grantFor(), user: { ...ada, id: {} } }],
    ...[0, -1, NaN, Infinity].map((expiresIn): [string, unknown] => [
      `expiresIn ${expiresIn}`,
      { ...grantFor(), expiresIn },
    ]),
  ])('an answer that is no grant keeps the session: %s', async (_, answer) => {
    const grant = grantFor()
    const auth = await signIn(openTab(), grant)
    const refreshed = outcome(auth.refresh())
    await elapse()
    backend.latest('refresh').grant(answer)
    await elapse()

    expect(String(refreshed.reason)).toMatch(/not a (token grant|user)/)
    expect(auth.accessToken.value).toBe(grant.accessToken)
  })

  it('R11: a refresh that hangs is given up after its time limit', async () => {
    const auth = await signIn()
    const refreshed = outcome(auth.refresh())
    await elapse(10_000)

    expect(refreshed.reason).toMatchObject({ name: 'TimeoutError' })
    expect(backend.latest('refresh').signal?.aborted).toBe(true)
    expect(auth.status.value).toBe('authenticated')
  })

  it('does not stop a token that still lives', async () => {
    const grant = grantFor()
    const auth = await signIn(openTab(), grant)
    const session = auth.sessions.current()!
    const failed = outcome(auth.refresh())
    await elapse()
    backend.latest('refresh').fail(httpError(503))
    await elapse()

    expect(failed.state).toBe('rejected')
    expect(await session.tokenToSend()).toBe(grant.accessToken)
  })
})

it('R2: after the clock was set back, no token of before is given out', async () => {
  const auth = await signIn()
  const before = auth.accessToken.value
  vi.setSystemTime(Date.now() - 3_600_000)
  const token = outcome(auth.getAccessToken())
  await elapse()
  expect(token.state).toBe('pending')
  backend.latest('refresh').grant()
  await elapse()
  expect(token.value).not.toBe(before)
})

it('R15: a thousand refreshes leave no listener on the session', async () => {
  const auth = await signIn()
  grantAll()
  for (let n = 0; n < 1000; n += 1) await auth.refresh()
  await Promise.resolve()
  expect(getEventListeners(auth.sessions.current()!.signal, 'abort')).toEqual([])
})
