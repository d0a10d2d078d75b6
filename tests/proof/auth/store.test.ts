import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, watch } from 'vue'
import { UserSchema } from '@/api/user.ts'
import { SessionEndedError, createAuth } from '@/auth/index.ts'
import { ada, bob, createManualBackend, grantFor, httpError } from '../../support/backend.ts'
import type { ManualBackend } from '../../support/backend.ts'
import { FakeBrowser } from '../../support/browser.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'

const credentials = { username: 'ada', password: 'secret' }

useFakeClock()

let backend: ManualBackend
let browser: FakeBrowser

beforeEach(() => {
  backend = createManualBackend()
  browser = new FakeBrowser()
})

function openTab() {
  return createAuth({ backend, user: UserSchema, tabs: browser.openTab(), random: () => 0 })
}

async function signIn(auth = openTab(), grant = grantFor()) {
  const signedIn = auth.login(credentials)
  await elapse()
  backend.latest('login').grant(grant)
  await signedIn
  await elapse() // The other tabs have heard of it.
  return { auth, grant, session: auth.sessions.current()! }
}

describe('sign-in', () => {
  it('holds the user and the access token', async () => {
    const { auth, grant } = await signIn()

    expect(auth.status.value).toBe('authenticated')
    expect(auth.isAuthenticated.value).toBe(true)
    expect(auth.user.value).toEqual(ada)
    expect(auth.accessToken.value).toBe(grant.accessToken)
    expect(auth.hasRole.value('admin')).toBe(true)
    expect(auth.hasRole.value('owner')).toBe(false)
  })

  it('nobody has no role', () => {
    expect(openTab().hasRole.value('admin')).toBe(false)
  })

  it('R14: puts no token into web storage', async () => {
    const { grant } = await signIn()

    expect(browser.storage.size).toBe(1)
    expect(JSON.stringify([...browser.storage])).not.toContain(grant.accessToken)
  })

  it('is refused with the error of the back end, and costs no refresh', async () => {
    const auth = openTab()
    const refused = outcome(auth.login(credentials))
    await elapse()
    const error = httpError(401)
    backend.latest('login').fail(error)
    await elapse()

    expect(refused.reason).toBe(error)
    expect(auth.status.value).toBe('anonymous')
    expect(auth.endReason.value).toBeNull()
    expect(backend.count('refresh')).toBe(0)
  })

  it('leaves the session there is in place when it is refused', async () => {
    const { auth } = await signIn()
    const refused = outcome(auth.login(credentials))
    await elapse()
    backend.latest('login').fail(httpError(401))
    await elapse()

    expect(refused.state).toBe('rejected')
    expect(auth.user.value).toEqual(ada)
  })

  it('R6: takes the place of the session of another person', async () => {
    const { auth, session } = await signIn()
    await signIn(auth, grantFor(bob))

    expect(auth.user.value).toEqual(bob)
    expect(session.ended).toMatchObject({ reason: 'replaced' })
    await expect(session.tokenToSend()).rejects.toBe(session.ended)
  })

  it.each([
    ['no object', '<html>'],
    ['no user', { accessToken: 'secret', expiresIn: 900 }],
    ['no header can carry the token', { ...grantFor(), accessToken: 'secret\r\n' }],
  ])(
    'says what is wrong with an answer that is no grant, and shows none of it: %s',
    async (_, answer) => {
      const auth = openTab()
      const failed = outcome(auth.login(credentials))
      await elapse()
      backend.latest('login').grant(answer)
      await elapse()

      expect(String(failed.reason)).toMatch(/Check: (body|accessToken|expiresIn)|no user/)
      expect(String(failed.reason)).not.toMatch(/secret|access-/)
      expect(auth.status.value).toBe('anonymous')
    },
  )

  it('R11: ends after its time limit when the back end never answers', async () => {
    const auth = openTab()
    const failed = outcome(auth.login(credentials))
    await elapse(9_999)
    expect(failed.state).toBe('pending')
    await elapse(1)

    expect(failed.reason).toMatchObject({ name: 'TimeoutError' })
    expect(backend.latest('login').signal?.aborted).toBe(true)
  })
})

describe('sign-out', () => {
  it('ends the session at once, before the API has answered', async () => {
    const { auth, session } = await signIn()
    const signedOut = outcome(auth.logout())

    expect(auth.status.value).toBe('anonymous')
    expect(auth.user.value).toBeNull()
    expect(auth.accessToken.value).toBeNull()
    expect(auth.endReason.value).toBe('signed-out')
    expect(session.ended).toBeInstanceOf(SessionEndedError)
    await elapse()
    expect(signedOut.state).toBe('pending')
    backend.latest('logout').done()
    await elapse()
    expect(signedOut.state).toBe('fulfilled')
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })

  it('R12: wins over a refresh that answers later', async () => {
    const { auth, session } = await signIn()
    const refreshed = outcome(auth.refresh())
    await elapse()
    const call = backend.latest('refresh')
    const signedOut = auth.logout()
    await elapse()

    expect(refreshed.reason).toBe(session.ended)
    expect(call.signal?.aborted).toBe(true)
    call.grant()
    backend.latest('logout').done()
    await signedOut
    expect(auth.status.value).toBe('anonymous')
    expect(auth.accessToken.value).toBeNull()
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })

  it('R12: wins over a sign-in that answers later', async () => {
    const auth = openTab()
    const signedIn = outcome(auth.login(credentials))
    await elapse()
    const call = backend.latest('login')
    const signedOut = auth.logout()
    await elapse()
    call.grant()
    backend.latest('logout').done()
    await signedOut

    expect(signedIn.reason).toMatchObject({ name: 'SessionEndedError', reason: 'signed-out' })
    expect(auth.status.value).toBe('anonymous')
  })

  it('does not send the sign-in that still waits for its turn', async () => {
    const { auth } = await signIn()
    void auth.refresh().catch(() => {})
    const signedIn = outcome(auth.login(credentials))
    void auth.logout()
    await elapse()

    expect(signedIn.state).toBe('rejected')
    expect(backend.count('login')).toBe(1)
  })

  it('is done again on the next restore when the API could not be told', async () => {
    const { auth } = await signIn()
    const signedOut = auth.logout()
    await elapse()
    backend.latest('logout').fail(httpError(503))
    await signedOut

    const reloaded = openTab()
    expect(reloaded.status.value).toBe('anonymous')
    const restored = reloaded.restore()
    await elapse()
    expect(backend.count('logout')).toBe(2)
    backend.latest('logout').done()
    await restored
    expect(backend.count('refresh')).toBe(0)
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })

  it('that is still owed does not stop who is signing in', async () => {
    const { auth } = await signIn()
    const signedOut = auth.logout()
    await elapse()
    backend.latest('logout').fail(httpError(503))
    await signedOut

    const signedIn = outcome(auth.login(credentials))
    const restored = outcome(auth.restore())
    await elapse()
    backend.latest('login').grant(grantFor(bob))
    await elapse()
    expect(signedIn.state).toBe('fulfilled')
    expect(restored.state).toBe('fulfilled')
    expect(auth.user.value).toEqual(bob)
    expect(backend.count('logout')).toBe(1)
  })

  it('is done when the API says that there was nobody to sign out', async () => {
    const { auth } = await signIn()
    const signedOut = auth.logout()
    await elapse()
    backend.latest('logout').fail(httpError(401))
    await signedOut
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })

  it('that waits for the API does not sign out who signs in next', async () => {
    const { auth } = await signIn()
    const signedOut = auth.logout()
    const signedIn = auth.login(credentials)
    await elapse()
    backend.latest('logout').done()
    await signedOut
    await elapse()
    backend.latest('login').grant(grantFor(bob))
    await signedIn

    expect(backend.calls.map(({ kind }) => kind)).toEqual(['login', 'logout', 'login'])
    expect(auth.user.value).toEqual(bob)
  })
})

describe('what is watched', () => {
  it('changes all at once', async () => {
    const auth = openTab()
    const seen: unknown[] = []
    const look = () => seen.push([auth.status.value, auth.user.value?.name, auth.endReason.value])
    watch([auth.status, auth.user, auth.endReason], look, { flush: 'sync' })
    await signIn(auth)
    void auth.logout()
    expect(seen).toEqual([
      ['authenticated', ada.name, null],
      ['anonymous', undefined, 'signed-out'],
    ])
  })

  it('R12: may sign out at once who has just signed in', async () => {
    const auth = openTab()
    watch(auth.user, (user) => void (user && auth.logout()), { flush: 'sync' })
    const signedIn = outcome(auth.login(credentials))
    await elapse()
    backend.latest('login').grant()
    await elapse()
    expect(signedIn.state).toBe('fulfilled')
    expect(auth.status.value).toBe('anonymous')
    backend.latest('logout').done()
    await elapse()
    await auth.restore()
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })
})

describe('restore', () => {
  it('costs nothing for a visitor who never signed in', async () => {
    const auth = openTab()
    expect(auth.status.value).toBe('anonymous')
    await auth.restore()

    expect(backend.calls).toEqual([])
    expect(auth.endReason.value).toBeNull()
  })

  it('brings the session back after a reload, by one refresh', async () => {
    await signIn()
    const auth = openTab()
    expect(auth.status.value).toBe('restoring')
    const restored = Promise.all([auth.restore(), auth.restore()])
    await elapse(100)
    expect(backend.count('refresh')).toBe(1)
    backend.latest('refresh').grant()
    await restored

    expect(auth.status.value).toBe('authenticated')
    expect(auth.user.value).toEqual(ada)
  })

  it('R8: ends the session that the API refuses', async () => {
    await signIn()
    const auth = openTab()
    const restored = auth.restore()
    await elapse(100)
    backend.latest('refresh').fail(httpError(401))
    await restored

    expect(auth.status.value).toBe('anonymous')
    expect(auth.endReason.value).toBe('expired')
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })

  it('R7: keeps the session when the API cannot answer, and brings it back later', async () => {
    await signIn()
    const auth = openTab()
    const restored = outcome(auth.restore())
    await elapse(100)
    const error = httpError(503)
    backend.latest('refresh').fail(error)
    await elapse()
    expect(restored.reason).toBe(error)
    expect(auth.status.value).toBe('restoring')

    await elapse(1_000)
    const again = auth.restore()
    await elapse(100)
    backend.latest('refresh').grant()
    await again
    expect(auth.status.value).toBe('authenticated')
  })

  it('R11: settles where a back end says itself that the session has ended', async () => {
    await signIn()
    const auth = openTab()
    const error = new SessionEndedError('expired')
    const restored = outcome(auth.restore())
    await elapse(100)
    backend.latest('refresh').fail(error)
    await elapse()
    expect(restored.reason).toBe(error)
  })
})

describe('refresh', () => {
  it('R1: is one for all who ask at once', async () => {
    const { auth, session } = await signIn()
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

    const { auth } = await signIn()
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
    const { session, grant } = await signIn()
    await elapse(839_000)

    expect(await session.tokenToSend()).toBe(grant.accessToken)
    expect(backend.count('refresh')).toBe(0)
  })

  it('in its last stretch a token is used while the next one is fetched', async () => {
    const { auth, session, grant } = await signIn()
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
    const { session, grant } = await signIn()
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
    const auth = createAuth({
      backend,
      user: UserSchema,
      tabs: browser.openTab(),
      random: () => row.random,
    })
    const { session } = await signIn(auth, grantFor(ada, row.lifetime))
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
    const { session, grant } = await signIn()
    const renewed = outcome(session.tokenAfter401(grant.accessToken, 'GET /x')!)
    await elapse()
    backend.latest('refresh').grant(grant)
    await elapse()
    expect(renewed.value).toBe(grant.accessToken)
    expect(await session.tokenToSend()).toBe(grant.accessToken)
    expect(backend.count('refresh')).toBe(1)
  })

  it('R2: a token past its lifetime is not given out', async () => {
    const { session } = await signIn()
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
    const { session, grant } = await signIn()
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
    const { auth, session, grant } = await signIn()
    const refreshed = auth.refresh()
    await elapse()
    const next = grantFor()
    backend.latest('refresh').grant(next)
    await refreshed

    expect(await session.tokenAfter401(grant.accessToken, 'GET /x')!).toBe(next.accessToken)
    expect(backend.count('refresh')).toBe(1)
  })

  it('R4: a rejected token is sent again while no refresh brings another one', async () => {
    const { auth, session, grant } = await signIn()
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

    expect(session.tokenToSend()).toBe(next.accessToken)
    expect(session.tokenAfter401(grant.accessToken, 'GET /x')).toBe(next.accessToken)
    await expect(session.tokenAfter401(next.accessToken, 'GET /y')).rejects.toMatchObject({
      status: 503,
    })
  })

  it.each([400, 401, 403, 404, 422])(
    'R8: %i ends the session once, for all who wait',
    async (status) => {
      const { auth, session } = await signIn()
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
    const { auth, session } = await signIn()
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
    const { auth, session } = await signIn()
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
    const { auth, grant } = await signIn()
    const refreshed = outcome(auth.refresh())
    await elapse()
    backend.latest('refresh').grant(answer)
    await elapse()

    expect(String(refreshed.reason)).toMatch(/not a (token grant|user)/)
    expect(auth.accessToken.value).toBe(grant.accessToken)
  })

  it('R11: a refresh that hangs is given up after its time limit', async () => {
    const { auth } = await signIn()
    const refreshed = outcome(auth.refresh())
    await elapse(10_000)

    expect(refreshed.reason).toMatchObject({ name: 'TimeoutError' })
    expect(backend.latest('refresh').signal?.aborted).toBe(true)
    expect(auth.status.value).toBe('authenticated')
  })

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
    const { auth } = await signIn()
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
    const auth = createAuth({
      backend,
      user: UserSchema,
      tabs: browser.openTab(),
      random: () => 0.999,
    })
    await signIn(auth)
    expect(await silenceAfter(auth, httpError(503))).toBe(750)
  })

  it('starts again after a success', async () => {
    const { auth } = await signIn()
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
    const { auth } = await signIn()
    const retryAfter = header()
    const silence = await silenceAfter(auth, httpError(429, { 'retry-after': retryAfter }))
    expect(silence).toBeGreaterThan(118_000)
    expect(silence).toBeLessThanOrEqual(120_000)
  })

  it('counts the failures of a person who tries again', async () => {
    const { auth } = await signIn()
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
    const { auth, session } = await signIn()
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

  it('does not stop a token that still lives', async () => {
    const { auth, session, grant } = await signIn()
    const failed = outcome(auth.refresh())
    await elapse()
    backend.latest('refresh').fail(httpError(503))
    await elapse()

    expect(failed.state).toBe('rejected')
    expect(await session.tokenToSend()).toBe(grant.accessToken)
  })
})

describe('the store of the app', () => {
  /** Reloaded, because the back end is chosen when its module loads. */
  async function openStore() {
    vi.resetModules()
    const { useAuthStore } = await import('@/stores/auth.ts')
    const fetch = vi.fn<typeof globalThis.fetch>(() => Promise.resolve(Response.json(grantFor())))
    vi.stubGlobal('fetch', fetch)
    setActivePinia(createPinia())
    const auth = useAuthStore()
    return { auth, fetch }
  }

  it('signs in at VITE_API_BASE_URL, with a cookie', async () => {
    vi.stubEnv('VITE_API_BASE_URL', 'https://api.example/v1')
    const { auth, fetch } = await openStore()
    await auth.login(credentials)
    expect(auth.isAuthenticated).toBe(true)
    const [url, init] = fetch.mock.calls[0]!
    const { credentials: cookies, body } = init!
    expect([url, cookies]).toEqual(['https://api.example/v1/auth/login', 'include'])
    expect(JSON.parse(String(body)).mode ?? 'cookie').toBe('cookie')
  })

  it('VITE_REFRESH_TOKEN_MODE=json asks for the refresh token in JSON', async () => {
    vi.stubEnv('VITE_API_BASE_URL', 'https://api.example/v1')
    vi.stubEnv('VITE_REFRESH_TOKEN_MODE', 'json')
    const { auth, fetch } = await openStore()
    await auth.login(credentials)
    const [url, init] = fetch.mock.calls[0]!
    expect(url).toBe('https://api.example/v1/auth/login')
    expect(JSON.parse(String(init!.body)).mode).toBe('json')
  })

  it('hears of other tabs no more when its scope is disposed of', async () => {
    const scope = effectScope()
    const left = scope.run(openTab)!
    scope.stop()
    await signIn()
    expect(left.status.value).toBe('anonymous')
  })
})
