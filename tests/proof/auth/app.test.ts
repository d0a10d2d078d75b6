// @vitest-environment node
/** What is sent is what was checked (R5), and what an app sees of a session. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import {
  SessionEndedError,
  createApiClient,
  createAuthFetch,
  createCookieBackend,
} from '@/auth/index.ts'
import type { User } from '@/api/user.ts'
import type { AuthEvent } from '@/auth/index.ts'
import { createStubApi } from '../../support/api.ts'
import { ada, bob, grantFor, httpError } from '../../support/backend.ts'
import { FakePage } from '../../support/browser.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'
import { baseURL, createWorld, credentials, openClient } from '../../support/world.ts'

useFakeClock()

let { backend, browser, openTab, signIn } = createWorld()

beforeEach(() => {
  ;({ backend, browser, openTab, signIn } = createWorld())
})

describe('R5: what is checked is what is sent', () => {
  it('a URL that changes while the call waits', async () => {
    const auth = await signIn()
    const { fetch, sent, arrived } = createStubApi()
    const api = createApiClient({ baseURL, auth, fetch })
    await elapse(900_000)
    const url = new URL(`${baseURL}/notes`)
    void api(url as never)
    await elapse()
    url.hostname = 'elsewhere.example'
    backend.latest('refresh').grant()
    await elapse()
    await arrived(1)
    expect(sent.map(({ url }) => url)).toEqual([`${baseURL}/notes`])
  })

  it('an object that answers differently the second time', async () => {
    const auth = await signIn()
    const { fetch, sent, arrived } = createStubApi()
    const addresses = [`${baseURL}/notes`, 'https://elsewhere.example/']
    const trick = { toString: () => addresses.shift()! }
    void createAuthFetch({ baseURL, auth, fetch })(trick as never)
    await arrived(1)
    expect(sent.map(({ url }) => url)).toEqual([`${baseURL}/notes`])
  })

  it('a Request whose url is shadowed', async () => {
    const auth = await signIn()
    const { fetch, sent, arrived } = createStubApi()
    const request = new Request('https://elsewhere.example/')
    Object.defineProperty(request, 'url', { value: `${baseURL}/notes` })
    void createAuthFetch({ baseURL, auth, fetch })(request)
    await arrived(1)
    expect(sent).toMatchObject([{ url: 'https://elsewhere.example/', token: null }])
  })

  it('passwords and refresh tokens follow no redirect', async () => {
    const fetch = vi.fn<typeof globalThis.fetch>(async () => Response.json(grantFor()))
    const { login, refresh, logout } = createCookieBackend({ fetch })
    await login(credentials)
    await refresh()
    await logout({ getAccessToken: async () => 'a' })
    expect(fetch.mock.calls.map(([, init]) => init!.redirect)).toEqual(['error', 'error', 'error'])
  })

  it.each(['capacitor://localhost/api', 'file:///api', 'data:text/plain,x'])(
    'an API at %s is refused at once',
    (address) => {
      expect(() => createCookieBackend({ baseURL: address })).toThrow(/http or https/)
      expect(() => createAuthFetch({ baseURL: address, auth: openTab() })).toThrow(/http or https/)
    },
  )
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
    const refreshed = outcome(auth.refresh())
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
    const refreshed = auth.refresh()
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
      const refreshed = auth.refresh()
      await elapse()
      backend.latest('refresh').grant({ accessToken, expiresIn: 900 })
      await refreshed
    }
    expect(getUser.mock.calls.map(([token]) => token)).toEqual(['second'])
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

  it('errors say what was refused, and by what the session has ended', async () => {
    const answer = new Response('{}', { status: 503, statusText: 'Service Unavailable' })
    const { refresh } = createCookieBackend({ fetch: async () => answer })
    const failed = await refresh().catch(String)
    expect(failed).toBe('ApiError: POST /auth/refresh: 503 Service Unavailable')
    const ended = await openTab().getAccessToken().catch(String)
    expect(ended).toBe('SessionEndedError: The session has ended (signed-out). Sign in again.')
    const wrong = await signIn(openTab(), {} as never).catch(String)
    expect(wrong).toMatch(/^InvalidGrantError: The API's answer is not a token grant. Check: /)
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

  // By the claims of the token, it lives 900 seconds. The name needs the characters - and _.
  it.each([
    [900_000, 'expiresIn is 900000, but the token lives 900 seconds (exp - iat)'],
    [15, 'expiresIn is 15, but the token lives 900 seconds (exp - iat)'],
    [9_000, undefined],
    [900, undefined],
    [90, undefined],
  ])('a lifetime of %i that cannot be seconds is reported', async (expiresIn, problem) => {
    const payload = Buffer.from(JSON.stringify({ iat: 1000, exp: 1900, name: '?>?>~~ÿ' }))
    const onEvent = vi.fn<(event: AuthEvent) => void>()
    const accessToken = `x.${payload.toString('base64url')}.y`
    expect(accessToken).toMatch(/-.*_|_.*-/)
    await signIn(openTab({ onEvent }), { ...grantFor(ada, expiresIn), accessToken })
    expect(onEvent.mock.calls[0]).toEqual([expect.objectContaining({ problem })])
  })
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

describe('R13: what a tab that slept says of an end', () => {
  it.each(['expired', 'signed-out'] as const)('%s', async (reason) => {
    const first = await signIn()
    const page = new FakePage()
    const tabs = browser.openTab({ page: page as unknown as Document })
    const auth = openTab({ tabs })
    const restored = auth.restore()
    await elapse()
    backend.latest('refresh').grant()
    await restored
    tabs.asleep = true
    if (reason === 'signed-out') void first.logout()
    else void first.refresh().catch(() => {})
    await elapse()
    if (reason === 'expired') backend.latest('refresh').fail(httpError(401))
    await elapse()
    expect(auth.status.value).toBe('authenticated')
    page.show('visible')
    expect([auth.status.value, auth.endReason.value]).toEqual(['anonymous', reason])
  })
})
