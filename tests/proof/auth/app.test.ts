// @vitest-environment node
/** What is sent is what was checked (R5), and what an app sees of a session. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  SessionEndedError,
  createApiClient,
  createAuth,
  createAuthFetch,
  createCookieBackend,
} from '@/auth/index.ts'
import type { AuthEvent, AuthOptions, User } from '@/auth/index.ts'
import { createStubApi, ok, unauthorized } from '../../support/api.ts'
import { ada, bob, createManualBackend, grantFor, httpError } from '../../support/backend.ts'
import type { ManualBackend } from '../../support/backend.ts'
import { FakeBrowser } from '../../support/browser.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'

useFakeClock()

const baseURL = 'https://api.example/v1'
const credentials = { username: 'ada', password: 'secret' }

let backend: ManualBackend
let browser: FakeBrowser

beforeEach(() => {
  backend = createManualBackend()
  browser = new FakeBrowser()
})

function openTab(options: Partial<AuthOptions> = {}) {
  return createAuth({ backend, tabs: browser.openTab(), random: () => 0, ...options })
}

type Auth = ReturnType<typeof openTab>

async function signIn(auth: Auth = openTab(), grant = grantFor()) {
  const signedIn = auth.login(credentials)
  await elapse()
  backend.latest('login').grant(grant)
  await signedIn
  await elapse()
  return auth
}

/** A client whose API answers 401 on the given routes, and to dead tokens. */
function openClient(auth: Auth, refuses: (path: string) => boolean) {
  const dead = new Set<string | null>()
  const paths: string[] = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const { pathname } = new URL(String(input))
    paths.push(pathname)
    const isDead = dead.has(new Headers(init?.headers).get('authorization'))
    return refuses(pathname) || isDead ? unauthorized() : ok()
  }
  const api = createApiClient({ baseURL, auth, fetch })
  return { api, paths, kill: () => dead.add(`Bearer ${auth.accessToken.value}`) }
}

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
    await logout()
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
    const { api, kill } = openClient(auth, () => false)
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

  it('a lifetime that cannot be seconds is reported', async () => {
    const payload = btoa(JSON.stringify({ iat: 1000, exp: 1900 }))
    const onEvent = vi.fn<(event: AuthEvent) => void>()
    const accessToken = `x.${payload}.y`
    await signIn(openTab({ onEvent }), { ...grantFor(ada, 900_000), accessToken })
    expect(onEvent.mock.calls[0]![0]).toMatchObject({
      problem: 'expiresIn is 900000, but the token lives 900 seconds (exp - iat)',
    })
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

  it('a visitor without a session is not told that one has ended', async () => {
    const auth = openTab({ restore: 'always' })
    const restored = auth.restore()
    await elapse()
    backend.latest('refresh').fail(httpError(401))
    await restored
    expect([auth.status.value, auth.endReason.value]).toEqual(['anonymous', null])
  })
})
