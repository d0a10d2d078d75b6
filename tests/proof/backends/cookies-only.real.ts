import { beforeEach, describe, expect, it, vi } from 'vitest'
import { explainSignIn, fieldErrors } from '@/api/errors.ts'
import { SessionEndedError } from '@/auth/index.ts'
import type { AuthBackend } from '@/auth/index.ts'
import { createJourney, demo, messages } from './journeys.ts'
import type { Journey } from './journeys.ts'
import {
  createBetterAuthSession,
  sessionFetch as betterAuthFetch,
} from './examples/better-auth-session.ts'
import { createSessionBackend, sessionFetch } from './examples/cookies-only.ts'
import { useRealServer } from './realServer.ts'

/** The account `demo` signs in by its e-mail. */
function createBetterAuthBackend(baseURL: string): AuthBackend {
  const backend = createBetterAuthSession(baseURL)
  const emailOf = (username: string) => `${username}@example.com`
  return {
    ...backend,
    login: ({ username, password }, options) =>
      backend.login({ username: emailOf(username), password }, options),
  }
}

const openDjango = useRealServer('session', {
  path: '/api',
  hasCookies: true,
  clientFetch: sessionFetch,
  createBackend: createSessionBackend,
  isRefresh: ({ path }, before) => path === '/api/user' && before?.path !== '/api/login',
})
const openBetterAuth = useRealServer('better-auth-session', {
  path: '/api',
  hasCookies: true,
  clientFetch: betterAuthFetch,
  createBackend: createBetterAuthBackend,
  isRefresh: ({ path }, before) =>
    path === '/api/auth/get-session' && before?.path !== '/api/auth/sign-in/email',
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

  it('a reload finds the session again by one refresh', async () => {
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

it('what is wrong with a field is told by its name', async () => {
  const here = await createJourney(openDjango())
  const cookie = () => `XSRF-TOKEN=${here.api.cookies!.get('XSRF-TOKEN') ?? ''}`
  vi.stubGlobal('document', Object.defineProperty(new EventTarget(), 'cookie', { get: cookie }))
  const { api } = await here.signIn()
  const refused = await api('/projects', { method: 'POST', body: { name: '' } }).catch((e) => e)
  expect(fieldErrors(refused)).toEqual({ name: 'This field may not be blank.' })
})
