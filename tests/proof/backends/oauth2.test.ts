import { inspect } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { createJourney, describeJourneys } from '../../support/journeys.ts'
import type { OpenApi } from '../../support/journeys.ts'
import { createOAuth2Backend } from './examples/oauth2.ts'
import { listen } from './servers/common.ts'
import { createOAuth2Server } from './servers/oauth2.ts'
import type { OAuth2ServerOptions } from './servers/oauth2.ts'

const open =
  (options?: OAuth2ServerOptions): OpenApi =>
  async (now) => ({
    baseURL: await listen(createOAuth2Server(now, options)),
    createBackend: createOAuth2Backend,
    isRefresh: ({ body }) => new URLSearchParams(body).get('grant_type') === 'refresh_token',
  })

describeJourneys('an OAuth 2 server', { leeway: true, revokes: true }, open())

it('asks as RFC 6749 §4.3.2, §6 and RFC 7009 §2.1 say, in forms', async () => {
  const here = await createJourney(open())
  const { auth } = await here.signIn()
  await auth.refresh()
  await auth.logout()

  const forms = here.sent.filter(({ method }) => method === 'POST')
  expect(forms.map(({ path }) => path)).toEqual(['/oauth/token', '/oauth/token', '/oauth/revoke'])
  const fields = forms.map(({ body }) => Object.fromEntries(new URLSearchParams(body)))
  expect(fields).toEqual([
    { client_id: 'web', grant_type: 'password', username: 'demo', password: 'password' },
    { client_id: 'web', grant_type: 'refresh_token', refresh_token: expect.any(String) },
    { client_id: 'web', token: expect.any(String) },
  ])
  expect(fields[2]!.token).not.toBe(fields[1]!.refresh_token)
})

describe('errors of RFC 6749 §5.2', () => {
  const problem = (error: string, status = 400, headers = {}) =>
    Response.json({ error }, { status, headers })

  it.each(['invalid_grant', 'invalid_request', 'unauthorized_client'])(
    'R8: 400 %s ends the session',
    async (error) => {
      const here = await createJourney(open())
      const { auth } = await here.signIn()
      here.breakRefresh(problem(error))
      await expect(auth.refresh()).rejects.toMatchObject({ reason: 'expired' })
      expect(here.left()).toBe(0)
    },
  )

  it('R7: 503 temporarily_unavailable does not, and its Retry-After is honoured', async () => {
    const here = await createJourney(open())
    const { auth, api } = await here.signIn()
    here.breakRefresh(problem('temporarily_unavailable', 503, { 'retry-after': '90' }))
    await expect(auth.refresh()).rejects.toMatchObject({ status: 503 })
    here.expireAccess()
    here.elapse(89_000)
    await expect(api('/projects')).rejects.toMatchObject({ status: 503 })
    here.elapse(1_000)
    await api('/projects')
    expect(here.refreshes()).toHaveLength(2)
  })
})

it('a server that sends no new refresh token goes on with the old one', async () => {
  const here = await createJourney(open({ rotates: false }))
  const { api } = await here.signIn()
  for (let round = 0; round < 3; round += 1) {
    here.elapse(16 * 60_000)
    await api('/projects')
  }
  expect(new Set(here.refreshes().map(({ body }) => body)).size).toBe(1)
  expect(here.refreshes()).toHaveLength(3)
})

it('R6: a sign-in that brings no refresh token leaves none of whoever was here before', async () => {
  const here = await createJourney(open())
  const { auth } = await here.signIn()
  here.breakNext('/oauth/token', Response.json({ access_token: 'a', expires_in: 900 }))
  here.breakNext(
    '/userinfo',
    Response.json({ sub: '2', preferred_username: 'bob', name: 'Bob', roles: [] }),
  )
  await auth.login({ username: 'bob', password: 'password' })
  expect(auth.user.value).toMatchObject({ username: 'bob' })
  expect([...here.browser.storage.keys()]).toEqual(['silent-refresh.session'])
})

it('passwords and refresh tokens follow no redirect, and a refresh outlives its page', async () => {
  const requests: RequestInit[] = []
  vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
    requests.push(init)
    return Response.json({ sub: '1', access_token: 'a' })
  })
  const backend = createOAuth2Backend('https://api.example', null)
  await backend.login({ username: 'demo', password: 'password' })
  await backend.refresh()
  const posts = requests.filter(({ method }) => method === 'POST')
  expect(posts).toHaveLength(2)
  for (const post of posts) expect(post).toMatchObject({ redirect: 'error', keepalive: true })
})

it('S2: without a leeway, an answer that gets lost costs the session', async () => {
  const here = await createJourney(open({ leeway: 0 }))
  const { auth } = await here.signIn()
  here.loseRefresh()
  await expect(auth.refresh()).rejects.toThrow('Failed to fetch')
  here.elapse(1_000)
  await expect(auth.refresh()).rejects.toMatchObject({ reason: 'expired' })
})

describe('/userinfo', () => {
  it('is asked at sign-in and restore, and not at a refresh', async () => {
    const here = await createJourney(open())
    const { auth } = await here.signIn()
    await auth.refresh()
    expect(here.count('GET', '/userinfo')).toBe(1)
    await here.openTab().auth.restore()
    expect(here.count('GET', '/userinfo')).toBe(2)
  })

  it.each([401, 403])('R17: its %i for a fresh token is a refusal', async (status) => {
    const here = await createJourney(open())
    await here.signIn()
    const { auth } = here.openTab()
    here.breakNext('/userinfo', new Response('{}', { status }))
    await auth.restore()
    expect([auth.status.value, auth.endReason.value]).toEqual(['anonymous', 'expired'])
    expect(here.left()).toBe(0)
  })

  it.each([401, 500])(
    'R6: its %i at a sign-in leaves the last session as it is',
    async (status) => {
      const here = await createJourney(open({ leeway: 0 }))
      const { auth, api } = await here.signIn()
      here.breakNext('/userinfo', new Response('{}', { status }))
      const signIn = auth.login({ username: 'admin', password: 'password' })
      await expect(signIn).rejects.toMatchObject({ status })
      here.elapse(16 * 60_000)
      await api('/projects', { method: 'POST', body: { name: 'Of demo' } })
      await here.openTab().auth.restore()
      expect(auth.user.value).toMatchObject({ username: 'demo' })
      const reloaded = here.openTab()
      await reloaded.auth.restore()
      expect(reloaded.auth.user.value).toMatchObject({ username: 'demo' })
    },
  )

  it('R7: its 500 loses neither the session nor the new refresh token', async () => {
    const here = await createJourney(open({ leeway: 0 }))
    await here.signIn()
    const { auth } = here.openTab()
    here.breakNext('/userinfo', new Response('{}', { status: 500 }))
    await expect(auth.restore()).rejects.toMatchObject({ status: 500 })
    expect(auth.status.value).toBe('restoring')

    here.elapse(1_000)
    await auth.restore()
    expect(auth.user.value).toMatchObject({ username: 'demo' })
  })

  it('shows no token when the connection breaks', async () => {
    const here = await createJourney(open())
    await here.signIn()
    const { auth } = here.openTab()
    here.breakNext('/userinfo', new TypeError('Failed to fetch'))
    const error = await auth.restore().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ message: expect.stringContaining('Failed to fetch') })
    const shown = inspect(error, { depth: null, showHidden: true, getters: true })
    expect(shown).not.toContain('Bearer')
  })
})

it('asks for no cookies of another origin: `Access-Control-Allow-Origin: *` will do', async () => {
  const here = await createJourney(open())
  const { auth, api } = await here.signIn()
  await api('/projects')
  await auth.refresh()
  await auth.logout()
  expect(new Set(here.sent.map(({ credentials }) => credentials))).toEqual(new Set(['same-origin']))
})
