/**
 * Both ways of keeping the refresh token, on the mock API: the same journeys, and what json mode
 * alone has to get right.
 */
import { describe, expect, it } from 'vitest'
import { createCookieBackend, createJsonBackend } from '@/auth/index.ts'
import type { AuthBackend } from '@/auth/index.ts'
import { hashPassword } from '../../../mock-server/users.ts'
import { createJourney, describeJourneys, messages } from './journeys.ts'
import type { Journey, OpenApi } from './journeys.ts'
import { createMockBrowser } from '../../support/mock-client.ts'

const MINUTE = 60_000
const KEY = 'auth.refresh-token'

const passwordHash = await hashPassword('password', 2)
const users = [
  { id: '1', username: 'admin', name: 'Admin', roles: ['admin', 'user'], passwordHash },
  { id: '2', username: 'demo', name: 'Demo', roles: ['user'], passwordHash },
]

const openMock =
  (createBackend: (baseURL: string, storage: Storage) => AuthBackend): OpenApi =>
  (now) => {
    const { fetch: callMock, cookies } = createMockBrowser({ now, users })
    const fetch = withProjects(callMock)
    const isRefresh = ({ path }: { path: string }) => path === '/api/auth/refresh'
    return { baseURL: 'http://localhost/api', fetch, createBackend, isRefresh, cookies }
  }

/** The projects that the journeys work on: the mock says who may, and what they sent. */
function withProjects(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  const projects: unknown[] = []
  return async (input, init) => {
    const request = new Request(input, init)
    if (new URL(request.url).pathname !== '/api/projects') return fetch(request)
    const response = await fetch('http://localhost/api/protected-resource', request)
    if (!response.ok) return response
    const { method, body } = await response.json()
    if (method === 'POST') projects.push(body)
    return Response.json(method === 'POST' ? body : projects)
  }
}

const openCookieMode = openMock((baseURL) => createCookieBackend({ baseURL }))
const openJsonMode = openMock((baseURL, storage) => createJsonBackend({ baseURL, storage }))
const traits = { leeway: true, revokes: true }

describeJourneys('the mock API, cookie mode', traits, openCookieMode)
describeJourneys('the mock API, json mode', traits, openJsonMode)

const kept = ({ browser }: Journey) => browser.storage.get(KEY)
const refreshToken = ({ body }: { body: string }) => JSON.parse(body).refreshToken as string

describe('the refresh token in json mode', () => {
  it('is kept in storage, alone: no access token, and no cookie', async () => {
    const here = await createJourney(openJsonMode)
    const { auth } = await here.signIn()
    expect([...here.browser.storage.keys()].sort()).toEqual([KEY, 'silent-refresh.session'])
    expect([...here.browser.storage.values()].join()).not.toContain(auth.accessToken.value)
    expect(here.api.cookies!.size).toBe(0)
  })

  it('in cookie mode there is none for a script to read (R14)', async () => {
    const here = await createJourney(openCookieMode)
    await here.signIn()
    expect([...here.browser.storage.keys()]).toEqual(['silent-refresh.session'])
  })

  it('R5: goes to the two routes that need it and nowhere else', async () => {
    const here = await createJourney(openJsonMode)
    const { auth, api } = await here.signIn()
    const first = kept(here)!
    await api('/projects', { method: 'POST', body: { name: 'Harbour' } })
    await auth.refresh()
    const second = kept(here)!
    await auth.logout()

    const carriers = here.sent.filter((sent) => {
      const all = Object.values(sent).join()
      return all.includes(first) || all.includes(second)
    })
    expect(carriers.map(({ path }) => path)).toEqual(['/api/auth/refresh', '/api/auth/logout'])
  })

  it('R13: every refresh of every tab sends the newest one', async () => {
    const here = await createJourney(openJsonMode)
    const [first, second] = [await here.signIn(), here.openTab()]
    await second.auth.restore()
    const newest: (string | undefined)[] = []
    for (const { api } of [second, first, first, second]) {
      here.elapse(16 * MINUTE)
      newest.push(kept(here))
      await api('/projects')
    }
    expect(here.refreshes().slice(1).map(refreshToken)).toEqual(newest)
    expect(new Set(newest).size).toBe(4)
  })

  it('S2: one that is used again after the leeway costs the whole session', async () => {
    const here = await createJourney(openJsonMode)
    const { auth } = await here.signIn()
    const copy = here.rest()
    await auth.refresh()
    here.putBack(copy)
    here.elapse(31_000)
    await expect(auth.refresh()).rejects.toMatchObject({ reason: 'expired' })
    expect(here.left()).toBe(0)
  })

  it('R8: is gone from the storage of all tabs once the API has refused it', async () => {
    const here = await createJourney(openJsonMode)
    const [first, second] = [await here.signIn(), here.openTab()]
    await second.auth.restore()
    here.expireAll()
    await expect(second.api('/projects')).rejects.toMatchObject({ reason: 'expired' })
    await messages()
    expect(first.auth.endReason.value).toBe('expired')
    expect(here.left()).toBe(0)
  })

  it('R13: a sign-out without a connection is told by the next start, and a copy is worth nothing then', async () => {
    const here = await createJourney(openJsonMode)
    const { auth } = await here.signIn()
    const copy = here.rest()
    here.breakNext('/api/auth/logout', new Response('', { status: 503 }))
    await auth.logout()
    expect(kept(here)).toBeUndefined()

    await here.openTab().auth.restore()
    expect(here.count('POST', '/auth/logout')).toBe(2)
    expect(here.left()).toBe(0)
    await messages()
    here.putBack(copy)
    const thief = here.openTab()
    await thief.auth.restore()
    expect(thief.auth.isAuthenticated.value).toBe(false)
  })

  it('R13: in cookie mode, the next start tells it', async () => {
    const here = await createJourney(openCookieMode)
    const { auth } = await here.signIn()
    here.breakNext('/api/auth/logout', new Response('', { status: 503 }))
    await auth.logout()
    await here.openTab().auth.restore()
    expect(here.count('POST', '/auth/logout')).toBe(2)
    expect(here.left()).toBe(0)
  })
})
