// @vitest-environment node
/** Signing in and out, restoring, and what is reported of it. */
import { createPinia, setActivePinia } from 'pinia'
import * as v from 'valibot'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, watch } from 'vue'
import type { User } from '@/api/user.ts'
import { SessionEndedError, UserSchema, createAuth, createJsonBackend } from '@/auth/index.ts'
import type { AuthBackend, AuthEvent, TokenGrant } from '@/auth/index.ts'
import { ada, bob, grantFor, httpError } from '../../support/backend.ts'
import { FakePage } from '../../support/browser.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'
import { createWorld, credentials, openClient } from '../../support/world.ts'

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

  it('also if the page is reloaded before it refreshes', async () => {
    const page = new FakePage()
    const tabs = browser.openTab({ page: page as unknown as Document })
    const sleeper = await signIn(openTab({ tabs }))
    tabs.asleep = true
    const lost = outcome(openTab().login({ username: 'bob', password: 'secret' }))
    await elapse()
    expect(lost.state).toBe('pending')
    browser.locks!.release('silent-refresh') // As when its page is closed.
    const next = openTab()
    const restored = next.restore()
    await elapse()
    backend.latest('refresh').grant(grantFor(bob)) // The cookie was set all the same.
    await restored
    await elapse()

    tabs.asleep = false
    page.show('visible')
    await elapse()
    expect(sleeper.user.value).toBeNull()
    expect(sleeper.sessions.current()!.id).toBe(next.sessions.current()!.id)
  })

  it('R13: does not keep an end from a tab that sleeps', async () => {
    const page = new FakePage()
    const tabs = browser.openTab({ page: page as unknown as Document })
    const sleeper = await signIn(openTab({ tabs }))
    tabs.asleep = true
    const auth = openTab()
    void auth.login(credentials).catch(() => {})
    await elapse()
    backend.latest('login').fail(new TypeError('Failed to fetch'))
    await elapse()
    void auth.restore()
    await elapse()
    backend.latest('refresh').fail(httpError(401))
    await elapse()
    tabs.asleep = false
    page.show('visible')
    expect([auth, sleeper].map(({ status }) => status.value)).toEqual(['anonymous', 'anonymous'])
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

describe('a back end for what an app has', () => {
  it('adopts a grant that came in the address, from a single sign-on', async () => {
    const singleSignOn: AuthBackend<{ grant: TokenGrant }> = {
      ...backend,
      login: async ({ grant }) => grant,
    }
    const options = { backend: singleSignOn, random: () => 0 }
    const auth = createAuth({ ...options, tabs: browser.openTab() })
    const other = createAuth({ ...options, tabs: browser.openTab() })
    const grant = grantFor(bob)
    await auth.login({ grant })
    await elapse()
    expect([auth.user.value, other.user.value]).toEqual([bob, bob])
    expect([auth.accessToken.value, other.accessToken.value]).toEqual(
      Array(2).fill(grant.accessToken),
    )
  })

  it('R8: an API that refuses inside a 200: any error with a status of 401 will do', async () => {
    const auth = await signIn()
    const refused = Object.assign(new Error('Your account was suspended.'), { status: 401 })
    const refreshed = outcome(auth.refresh())
    await elapse()
    backend.latest('refresh').fail(refused)
    await elapse()
    expect(refreshed.reason).toBeInstanceOf(SessionEndedError)
    expect([auth.endReason.value, auth.endCause.value]).toEqual(['expired', refused])
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

describe('sign-in', () => {
  it('holds the user and the access token', async () => {
    const grant = grantFor()
    const auth = await signIn(openTab(), grant)

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
    const grant = grantFor()
    await signIn(openTab(), grant)

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
    const auth = await signIn()
    const refused = outcome(auth.login(credentials))
    await elapse()
    backend.latest('login').fail(httpError(401))
    await elapse()

    expect(refused.state).toBe('rejected')
    expect(auth.user.value).toEqual(ada)
  })

  it('R6: takes the place of the session of another person', async () => {
    const auth = await signIn()
    const session = auth.sessions.current()!
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
    const auth = await signIn()
    const session = auth.sessions.current()!
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
    const auth = await signIn()
    const session = auth.sessions.current()!
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
    const auth = await signIn()
    void auth.refresh().catch(() => {})
    const signedIn = outcome(auth.login(credentials))
    void auth.logout()
    await elapse()

    expect(signedIn.state).toBe('rejected')
    expect(backend.count('login')).toBe(1)
  })

  it('is done again on the next restore when the API could not be told', async () => {
    const auth = await signIn()
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
    const auth = await signIn()
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
    const auth = await signIn()
    const signedOut = auth.logout()
    await elapse()
    backend.latest('logout').fail(httpError(401))
    await signedOut
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })

  it('that waits for the API does not sign out who signs in next', async () => {
    const auth = await signIn()
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
    const look = () => seen.push([auth.status.value, auth.user.value?.id, auth.endReason.value])
    watch([auth.status, auth.user, auth.endReason], look, { flush: 'sync' })
    await signIn(auth)
    void auth.logout()
    expect(seen).toEqual([
      ['authenticated', ada.id, null],
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

  it.each([
    ['with Web Locks', true],
    ['on plain http', false],
  ])('restoreSent resolves when the refresh has been sent, %s', async (_, locks) => {
    ;({ backend, browser, openTab, signIn } = createWorld({ locks }))
    await signIn()
    const auth = openTab()
    void auth.restore()
    await auth.restoreSent()

    expect(backend.count('refresh')).toBe(1)
  })

  it('restoreSent waits for no other tab, and for nothing if nobody is signed in', async () => {
    await openTab().restoreSent()
    await signIn()
    void openTab().restore() // Holds the lock.
    const auth = openTab()
    void auth.restore()
    await auth.restoreSent()

    expect(auth.status.value).toBe('restoring')
    expect(backend.count('refresh')).toBe(1) // R1
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

    const again = auth.restore() // A person has pressed Retry: the pause does not count.
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
    const left = scope.run(() => openTab())!
    scope.stop()
    await signIn()
    expect(left.status.value).toBe('anonymous')
  })
})

describe('what an app sees', () => {
  it('the user stays the same object while nothing has changed', async () => {
    const auth = await signIn()
    const user = auth.user.value
    const refreshed = auth.refresh()
    await elapse()
    backend.latest('refresh').grant(grantFor({ ...ada }))
    await refreshed
    expect(auth.user.value).toBe(user)
  })

  it('a refresh without a user keeps the one that is known', async () => {
    const auth = await signIn()
    const refreshed = auth.refresh()
    await elapse()
    backend.latest('refresh').grant({ accessToken: 'next', expiresIn: 900 })
    await refreshed
    expect([auth.accessToken.value, auth.user.value]).toEqual(['next', ada])
  })

  it('R6: after a sign-in that was lost on its way the user is asked for again', async () => {
    const getUser = vi.fn<(token: string) => Promise<User>>(async () => bob)
    const auth = await signIn(openTab({ backend: { ...backend, getUser } }))
    const lost = outcome(auth.login({ username: 'bob', password: 'secret' }))
    await elapse()
    backend.latest('login').fail(new TypeError('Failed to fetch'))
    await elapse()
    expect(lost.state).toBe('rejected')
    const refreshed = outcome(auth.sessions.current()!.nextToken('unauthorized'))
    await elapse()
    backend.latest('refresh').grant({ accessToken: 'of bob', expiresIn: 900 })
    await elapse()
    expect(auth.user.value).toEqual(bob)
    expect(refreshed.reason).toMatchObject({ reason: 'replaced' })
  })

  it.each(['refused', 'repeated'])('R6: a sign-in that was %s leaves no doubt', async (how) => {
    const getUser = vi.fn<(token: string) => Promise<User>>(async () => ada)
    const auth = await signIn(openTab({ backend: { ...backend, getUser } }))
    const failed = auth.login(credentials).catch(() => {})
    await elapse()
    const error = how === 'refused' ? httpError(401) : new TypeError('Failed to fetch')
    backend.latest('login').fail(error)
    await failed
    if (how === 'repeated') await signIn(auth)
    const refreshed = auth.sessions.current()!.nextToken('unauthorized')
    await elapse()
    backend.latest('refresh').grant({ accessToken: 'next', expiresIn: 900 })
    await refreshed
    expect(getUser).not.toHaveBeenCalled()
  })

  it('R6: the doubt ends when the API has named the user', async () => {
    const getUser = vi.fn<(token: string) => Promise<User>>(async () => ada)
    const auth = await signIn(openTab({ backend: { ...backend, getUser } }))
    const lost = auth.login(credentials).catch(() => {})
    await elapse()
    backend.latest('login').fail(new TypeError('Failed to fetch'))
    await lost
    for (const accessToken of ['second', 'third']) {
      const refreshed = auth.sessions.current()!.nextToken('unauthorized')
      await elapse()
      backend.latest('refresh').grant({ accessToken, expiresIn: 900 })
      await refreshed
    }
    expect(getUser.mock.calls.map(([token]) => token)).toEqual(['second'])
  })

  it('refresh() asks for the user, who may have another role by now', async () => {
    const admin = { ...ada, roles: ['admin'] }
    const getUser = vi.fn<(token: string) => Promise<User>>(async () => admin)
    const auth = await signIn(openTab({ backend: { ...backend, getUser } }))
    const refreshed = auth.refresh()
    await elapse()
    backend.latest('refresh').grant({ accessToken: 'next', expiresIn: 900 })
    await refreshed
    expect(auth.user.value).toEqual(admin)
  })

  it('a session that another person replaces is no end to tell the user of', async () => {
    const auth = await signIn()
    await signIn(auth, grantFor(bob))
    expect([auth.user.value, auth.endReason.value]).toEqual([bob, null])
  })

  it('getAccessToken waits for a token that may be sent', async () => {
    const auth = await signIn()
    await expect(auth.getAccessToken()).resolves.toBe(auth.accessToken.value)
    await elapse(900_000)
    const token = outcome(auth.getAccessToken())
    await elapse()
    backend.latest('refresh').grant()
    await elapse()
    expect(token.value).toBe(auth.accessToken.value)
  })

  it('with its scope ends what it listens to', async () => {
    const listeners = new EventTarget()
    vi.stubGlobal('addEventListener', listeners.addEventListener.bind(listeners))
    vi.stubGlobal('removeEventListener', listeners.removeEventListener.bind(listeners))
    const scope = effectScope()
    const auth = await signIn(scope.run(() => openTab())!)
    const failed = auth.refresh().catch(() => {})
    await elapse()
    backend.latest('refresh').fail(httpError(503))
    await elapse(1)
    await failed
    scope.stop()
    listeners.dispatchEvent(new Event('online'))
    expect(auth.sessions.current()!.isPaused()).toBe(true)
  })

  it('getAccessToken of nobody rejects', async () => {
    await expect(openTab().getAccessToken()).rejects.toBeInstanceOf(SessionEndedError)
  })
})

describe("restore: 'always'", () => {
  it('finds a session that is not known in this browser', async () => {
    const auth = openTab({ restore: 'always' })
    expect(auth.status.value).toBe('restoring')
    const restored = auth.restore()
    await elapse()
    backend.latest('refresh').grant()
    await restored
    expect(auth.user.value).toEqual(ada)
  })

  it('is the default without other tabs, whose storage would know', async () => {
    const auth = openTab({ tabs: null })
    const restored = auth.restore()
    await elapse()
    backend.latest('refresh').grant()
    await restored
    expect(auth.user.value).toEqual(ada)
  })

  it('a visitor without a session is not told that one has ended', async () => {
    const onEvent = vi.fn<(event: AuthEvent) => void>()
    const auth = openTab({ restore: 'always', onEvent })
    const restored = auth.restore()
    await elapse()
    backend.latest('refresh').fail(httpError(401))
    await restored
    expect([auth.status.value, auth.endReason.value]).toEqual(['anonymous', null])
    expect(onEvent).not.toHaveBeenCalledWith(expect.objectContaining({ type: 'end' }))
  })
})
