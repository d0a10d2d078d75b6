import { beforeEach, describe, expect, it, vi } from 'vitest'
import { explainSignIn, fieldErrors } from '@/api/errors.ts'
import { SessionEndedError, createRequest } from '@/auth/index.ts'
import type { AuthBackend, CallOptions } from '@/auth/index.ts'
import { createJourney, demo, messages } from './journeys.ts'
import type { Journey } from './journeys.ts'
import { createSessionBackend, sessionFetch } from './examples/cookies-only.ts'
import { useRealServer } from './realServer.ts'

/** The lines of docs/backends/cookies-only.md for better-auth. */
function createBetterAuthSession(baseURL: string): AuthBackend {
  const request = createRequest({ baseURL })
  async function refresh({ signal }: CallOptions = {}) {
    const session = await request('GET', '/auth/get-session', { signal })
    if (!session) throw Object.assign(new Error('Nobody is signed in'), { status: 401 })
    const { id, name } = session.user
    const accessToken = `${Date.now()}.${Math.random()}`
    const user = { id, username: name, name, roles: [] }
    return { accessToken, tokenType: 'cookie', expiresIn: 31_536_000, user }
  }
  return {
    async login({ username, password }, { signal } = {}) {
      const body = { email: `${username}@example.com`, password }
      await request('POST', '/auth/sign-in/email', { body, signal })
      return refresh({ signal })
    },
    refresh,
    logout: ({ signal }) => request('POST', '/auth/sign-out', { body: {}, signal }),
  }
}

const cookiesOnly = { hasCookies: true, clientFetch: sessionFetch }
const openDjango = useRealServer('session', {
  ...cookiesOnly,
  path: '/api',
  createBackend: createSessionBackend,
  isRefresh: ({ path }, before) => path === '/api/user' && before?.path !== '/api/login',
})
const openBetterAuth = useRealServer('better-auth', {
  ...cookiesOnly,
  createBackend: createBetterAuthSession,
  isRefresh: ({ path }, before) =>
    path === '/auth/get-session' && before?.path !== '/auth/sign-in/email',
})

describe.each([
  ['Django with sessions and CSRF', openDjango, 'Unable to log in with provided credentials.'],
  ['better-auth without tokens', openBetterAuth, 'Invalid email or password'],
])('journeys with cookies only on %s', (_, open, wrong) => {
  let here: Journey

  beforeEach(async () => {
    here = await createJourney(open())
    const cookie = () => `XSRF-TOKEN=${here.api.cookies!.get('XSRF-TOKEN') ?? ''}`
    vi.stubGlobal('document', Object.defineProperty(new EventTarget(), 'cookie', { get: cookie }))
  })

  it('a person signs in and works, and no token is sent', async () => {
    const { auth, api } = await here.signIn()
    expect(auth.user.value).toMatchObject({ username: 'demo' })
    await api('/projects', { method: 'POST', body: { name: 'Harbour' } })
    expect(await api('/projects')).toContainEqual({ name: 'Harbour' })
    expect(here.refreshes()).toEqual([])
    expect(here.sent.map(({ token }) => token).filter(Boolean)).toEqual([])
  })

  it('a wrong password is told in the words of the API', async () => {
    const { auth } = here.openTab()
    const refused = await auth.login({ ...demo, password: 'wrong' }).catch((error) => error)
    expect(explainSignIn(refused)).toBe(wrong)
    expect(auth.status.value).toBe('anonymous')
  })

  it('R8: a session that has expired at the API ends once, for all who wait', async () => {
    const { auth, api } = await here.signIn()
    here.expireAll()
    const answers = await Promise.allSettled([api('/projects'), api('/projects'), api('/projects')])
    for (const answer of answers) {
      expect(answer).toMatchObject({ reason: expect.any(SessionEndedError) })
    }
    expect(here.refreshes()).toHaveLength(1)
    expect(auth.endReason.value).toBe('expired')
  })

  it('R7: a server that is down keeps the session', async () => {
    const { auth } = await here.signIn()
    here.breakRefresh(new TypeError('Failed to fetch'))
    await expect(auth.refresh()).rejects.toThrow('Failed to fetch')
    expect(auth.status.value).toBe('authenticated')
    await auth.refresh()
  })

  it('a reload finds the session again by one request', async () => {
    await here.signIn()
    const { auth, api } = here.openTab()
    await auth.restore()
    expect(auth.user.value).toMatchObject({ username: 'demo' })
    await api('/projects')
    expect(here.refreshes()).toHaveLength(1)
  })

  it('R13: a sign-out in the other tab ends the session at the API', async () => {
    const second = here.openTab()
    const first = await here.signIn()
    const copy = here.rest()
    await second.auth.logout()
    await messages()
    expect(first.auth.status.value).toBe('anonymous')
    here.putBack(copy)
    const thief = here.openTab()
    await thief.auth.restore()
    expect(thief.auth.isAuthenticated.value).toBe(false)
  })

  it('R13: signing in as somebody else in one tab switches the other', async () => {
    const [first, second] = [await here.signIn(), here.openTab()]
    await second.auth.login({ username: 'admin', password: 'password' })
    await messages()
    expect(first.auth.user.value).toMatchObject({ username: 'admin' })
  })
})

it('Django says what is wrong with a field', async () => {
  const here = await createJourney(openDjango())
  const cookie = () => `XSRF-TOKEN=${here.api.cookies!.get('XSRF-TOKEN') ?? ''}`
  vi.stubGlobal('document', Object.defineProperty(new EventTarget(), 'cookie', { get: cookie }))
  const { api } = await here.signIn()
  const refused = await api('/projects', { method: 'POST', body: { name: '' } }).catch((e) => e)
  expect(fieldErrors(refused)).toEqual({ name: 'This field may not be blank.' })
})
