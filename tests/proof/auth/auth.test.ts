// @vitest-environment node
/** Signing in and out, restoring, and what is reported of it. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import * as v from 'valibot'
import {
  SessionEndedError,
  UserSchema,
  createAuth,
  createAuthFetch,
  createJsonBackend,
} from '@/auth/index.ts'
import type { AuthBackend, AuthEvent } from '@/auth/index.ts'
import { createStubApi, ok } from '../../support/api.ts'
import { bob, grantFor, httpError } from '../../support/backend.ts'
import { FakePage } from '../../support/browser.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'
import { baseURL, createWorld, credentials, openClient } from '../../support/world.ts'

useFakeClock()

const SESSION_KEY = 'silent-refresh.session'

let { backend, browser, openTab, signIn } = createWorld()

beforeEach(() => {
  ;({ backend, browser, openTab, signIn } = createWorld())
})

describe('a sign-out that the API wants an access token for', () => {
  /** An API that takes a sign-out only with its newest token. */
  function createStrictBackend() {
    const good = new Set<string>()
    const told: string[] = []
    let isDown = false
    const grant = () => {
      if (isDown) throw httpError(503)
      const next = grantFor()
      good.clear()
      good.add(next.accessToken)
      return next
    }
    const strict: AuthBackend = {
      login: async () => grant(),
      refresh: vi.fn<AuthBackend['refresh']>(async () => {
        if (good.size === 0) throw httpError(401)
        return grant()
      }),
      async logout({ getAccessToken }) {
        if (isDown) throw httpError(503)
        const token = await getAccessToken()
        if (!good.has(token)) throw httpError(401)
        good.clear()
        told.push(token)
      },
    }
    return { strict, told, good, down: (value: boolean) => (isDown = value) }
  }

  it('R13: carries the token of the session while that lives', async () => {
    const { strict, told } = createStrictBackend()
    const auth = openTab({ backend: strict })
    await auth.login(credentials)
    const token = auth.accessToken.value
    await auth.logout()
    expect(told).toEqual([token])
    expect(strict.refresh).not.toHaveBeenCalled()
  })

  it.each([
    ['is dead by the clock', 900_000],
    ['was revoked', 0],
  ])('R13: carries a fresh token where the one of another tab %s', async (what, age) => {
    const { strict, told, good } = createStrictBackend()
    const [first, second] = [openTab({ backend: strict }), openTab({ backend: strict })]
    await first.login(credentials)
    await elapse(age)
    if (what === 'was revoked') good.clear()
    good.add('anything else')
    await second.logout()
    await elapse()
    expect(told).toHaveLength(1)
    expect(strict.refresh).toHaveBeenCalledOnce()
    expect([first.status.value, browser.storage.get(SESSION_KEY)]).toEqual([
      'anonymous',
      'signed-out',
    ])
  })

  it('R13: while the API is down is told after the reload', async () => {
    const { strict, told, down } = createStrictBackend()
    const auth = openTab({ backend: strict })
    await auth.login(credentials)
    down(true)
    await auth.logout()
    down(false)
    const next = openTab({ backend: strict, restore: 'always' })
    await next.restore()
    expect([next.status.value, told.length]).toEqual(['anonymous', 1])
  })

  it('R13: of a session that the API does not know any more is told', async () => {
    const { strict, good } = createStrictBackend()
    const auth = openTab({ backend: strict })
    await auth.login(credentials)
    good.clear()
    await auth.logout()
    expect(browser.storage.get(SESSION_KEY)).toBe('signed-out')
    expect(strict.refresh).toHaveBeenCalledOnce()
  })
})

it('a sign-out for the reason "expired" asks all tabs to sign in again', async () => {
  const auth = await signIn()
  const other = openTab()
  void auth.logout({ reason: 'expired' })
  await elapse()
  backend.latest('logout').done()
  await elapse()
  expect([auth.endReason.value, other.endReason.value]).toEqual(['expired', 'expired'])
  expect(browser.storage.get(SESSION_KEY)).toBe('expired')
})

it('a sign-out here does not depend on who can be told', async () => {
  const error = vi.spyOn(console, 'error').mockImplementation(() => {})
  const tabs = { ...browser.openTab() }
  const auth = await signIn(openTab({ tabs }))
  tabs.post = () => {
    throw new Error('The channel is closed.')
  }
  void auth.logout()
  expect(auth.status.value).toBe('anonymous')
  expect(error).toHaveBeenCalledOnce()
})

describe('R6: a sign-in that got no answer', () => {
  it('opens a new session id, so that a tab that slept does not show the last person', async () => {
    const page = new FakePage()
    const tabs = browser.openTab({ page: page as unknown as Document })
    const sleeper = await signIn(openTab({ tabs }))
    tabs.asleep = true
    const auth = openTab()
    const lost = outcome(auth.login(credentials))
    await elapse()
    backend.latest('login').fail(new TypeError('Failed to fetch'))
    await elapse()
    expect(lost.state).toBe('rejected')
    const restored = auth.restore()
    await elapse()
    backend.latest('refresh').grant(grantFor(bob)) // The cookie was set all the same.
    await restored
    await elapse()

    tabs.asleep = false
    page.show('visible')
    await elapse()
    expect(sleeper.user.value).toBeNull()
    backend.latest('refresh').grant(grantFor(bob))
    await elapse()
    expect(sleeper.user.value).toEqual(bob)
  })

  it('does not replace a session that another tab has begun since', async () => {
    const page = new FakePage()
    const tabs = browser.openTab({ page: page as unknown as Document })
    const sleeper = await signIn(openTab({ tabs }))
    const lost = outcome(sleeper.login(credentials))
    await elapse()
    backend.latest('login').fail(new TypeError('Failed to fetch'))
    await elapse()
    expect(lost.state).toBe('rejected')
    tabs.asleep = true
    const auth = await signIn()
    const session = auth.sessions.current()!

    tabs.asleep = false
    page.show('visible')
    await elapse()
    backend.latest('refresh').grant()
    await elapse()
    expect(session.ended).toBeNull()
    expect(sleeper.sessions.current()!.id).toBe(session.id)
  })

  it('is none if it was never sent', async () => {
    const tabs = Object.assign(browser.openTab(), { asleep: true })
    const [auth, other] = [openTab(), openTab({ tabs })]
    const signedIn = auth.login(credentials)
    await elapse()
    const cancelled = outcome(other.login(credentials)) // Waits for the lock.
    await elapse()
    void other.logout()
    backend.latest('login').grant()
    await signedIn
    await elapse(1_000)
    expect(cancelled.reason).toBeInstanceOf(SessionEndedError)
    const { id } = auth.sessions.current()!
    backend.latest('refresh').grant()
    await elapse()
    expect([auth, other].map(({ sessions }) => sessions.current()?.id)).toEqual([id, id])
  })
})

describe('R8: a tab that has no refresh token', () => {
  it('ends its own session, and no other', async () => {
    const sessionStorage = () => {
      const map = new Map<string, string>()
      return {
        getItem: (key: string) => map.get(key) ?? null,
        setItem: (key: string, value: string) => void map.set(key, value),
        removeItem: (key: string) => void map.delete(key),
      }
    }
    const fetch: typeof globalThis.fetch = async () =>
      Response.json({ ...grantFor(), refreshToken: 'r1' })
    const open = () => openTab({ backend: createJsonBackend({ fetch, storage: sessionStorage() }) })
    const first = open()
    await first.login(credentials)
    const duplicate = open()
    await duplicate.restore()
    await elapse()
    expect([first.status.value, duplicate.status.value]).toEqual(['authenticated', 'anonymous'])
    await first.refresh()
    expect(first.status.value).toBe('authenticated')
  })
})

it('R14: where nothing can be stored, a new page asks the API who is signed in', async () => {
  const auth = openTab({ tabs: browser.openTab({ storage: null }) })
  expect(auth.status.value).toBe('restoring')
  const restored = auth.restore()
  await elapse()
  backend.latest('refresh').grant()
  await restored
  expect(auth.status.value).toBe('authenticated')
})

describe('R13: in the moment of a sign-out', () => {
  it('the id that another tab has just stored stays', async () => {
    const auth = await signIn()
    const storage = browser.storage
    // Another process stores its id between this tab's look and its sign-out.
    const { endReason } = auth
    vi.spyOn(storage, 'set').mockImplementationOnce(function (this: typeof storage, key) {
      Map.prototype.set.call(storage, key, 'the id of another')
      return storage
    })
    void auth.logout()
    await elapse()
    expect(endReason.value).toBe('signed-out')
    expect(storage.get(SESSION_KEY)).toBe('the id of another')
    expect(backend.count('logout')).toBe(0)
  })
})

describe('a function of the back end that calls the store', () => {
  it.each(['refresh', 'getUser'] as const)('%s throws at once, and says why', async (name) => {
    browser.storage.set(SESSION_KEY, 'x')
    const call = () => openClient(auth).api('/me')
    const grant = async () => ({ accessToken: 'a', expiresIn: 900 })
    const auth = openTab({ backend: { ...backend, refresh: grant, getUser: call, [name]: call } })
    const restored = outcome(auth.restore())
    await elapse()
    expect(String(restored.reason)).toContain('would wait for itself')
  })
})

describe('the user of an app', () => {
  it('has the fields of its schema in all tabs, and a number for an id becomes a string', async () => {
    const user = v.object({
      ...UserSchema.entries,
      email: v.string(),
      permissions: v.array(v.string()),
    })
    const open = () => createAuth({ backend, user, tabs: browser.openTab() })
    const [first, second] = [open(), open()]
    const signedIn = first.login(credentials)
    await elapse()
    const known = { email: 'ada@example.com', roles: [], permissions: ['invoices.read'] }
    backend
      .latest('login')
      .grant({ accessToken: 'a', expiresIn: 900, user: { ...known, id: 7, x: 1 } })
    await signedIn
    await elapse()
    for (const auth of [first, second]) {
      expect(auth.user.value).toEqual({ ...known, id: '7' })
      expect([auth.can.value('invoices.read'), auth.can.value('invoices.write')]).toEqual([
        true,
        false,
      ])
    }
  })

  it('may be anything with an id and roles where the app says nothing', async () => {
    const signedIn = openTab().login(credentials)
    await elapse()
    backend.latest('login').grant({ ...grantFor(), user: { id: '1', roles: [], email: 'a@b.c' } })
    await signedIn
    expect(openTab().can.value('anything')).toBe(false)
  })
})

describe('onEvent', () => {
  it('tells of a sign-out in mid-refresh as it is', async () => {
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
})

it('R8: what the API says as it refuses a refresh reaches all tabs', async () => {
  const events: AuthEvent[] = []
  const first = await signIn()
  const second = openTab({ onEvent: (event) => events.push(event) })
  first.refresh().catch(() => {})
  await elapse()
  const refused = Object.assign(httpError(403), {
    data: { message: 'Your account was suspended.' },
  })
  backend.latest('refresh').fail(refused)
  await elapse()
  expect(first.endCause.value).toBe(refused)
  expect(second.endCause.value).toMatchObject({ status: 403, data: refused.data })
  expect(events).toContainEqual({ type: 'end', reason: 'expired', cause: second.endCause.value })
})

it('R6: a fetch that ignores its signal does not resolve after a sign-out', async () => {
  const auth = await signIn()
  const { fetch, sent, arrived } = createStubApi()
  const deaf: typeof fetch = (input, init) => fetch(input, { ...init, signal: undefined })
  const answer = outcome(createAuthFetch({ baseURL, auth, fetch: deaf })(`${baseURL}/notes`))
  await arrived(1)
  void auth.logout()
  sent[0]!.answer(ok())
  await elapse()
  expect(answer.reason).toBeInstanceOf(SessionEndedError)
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
