import { describe, expect, it } from 'vitest'
import { createJourney, describeJourneys } from './journeys.ts'
import { createExpressBackend } from './examples/express.ts'
import { useRealServer } from './realServer.ts'

const api = {
  createBackend: createExpressBackend,
  isRefresh: ({ path }: { path: string }) => path === '/refresh-token',
}
const open = useRealServer('express', api)
const openStrange = useRealServer('express', api, { EXPIRED_STATUS: '403' })

describeJourneys('Express and jsonwebtoken', { leeway: true, revokes: false }, open())

describe('what only the claims tell', () => {
  it('claims are base64url of UTF-8, which is not what atob reads', async () => {
    const here = await createJourney(open())
    const claims = { username: '>>>???Ā 演示', iat: 0, exp: 900 }
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url')
    expect(payload).toMatch(/-.*_/)
    here.breakNext('/login', Response.json({ accessToken: `e30.${payload}.x`, refreshToken: 'r' }))
    const { auth } = await here.signIn()
    expect(auth.user.value).toMatchObject({ username: claims.username })
  })

  it.each([
    ['is no JWT', 'opaque'],
    ['has claims that are no JSON', `e30.${btoa('claims')}.x`],
    ['says nothing of its lifetime', `e30.${btoa('{"id":"2"}')}.x`],
  ])('R7: a token that %s is a temporary failure', async (_, accessToken) => {
    const here = await createJourney(open())
    const { auth } = await here.signIn()
    here.breakRefresh(Response.json({ accessToken }))
    await expect(auth.refresh()).rejects.not.toHaveProperty('status')
    expect(auth.status.value).toBe('authenticated')
  })
})

it('R8: the 403 for a bad refresh token is a refusal, and the token is forgotten', async () => {
  const here = await createJourney(open())
  const { auth } = await here.signIn()
  here.expireAll()
  await expect(auth.refresh()).rejects.toMatchObject({ reason: 'expired', cause: { status: 403 } })
  expect(here.left()).toBe(0)
})

describe('an API that says 403 where it means 401', () => {
  /** What the app gives createApiClient. It cannot tell the two apart, and need not. */
  const clientFetch: typeof fetch = async (...args) => {
    const response = await fetch(...args)
    if (response.status !== 403) return response
    return new Response(response.body, { status: 401, headers: response.headers })
  }
  it('R1: ten calls with an expired token: one refresh', async () => {
    const here = await createJourney(openStrange({ clientFetch }))
    const { api } = await here.signIn()
    here.expireAccess()
    await Promise.all(Array.from({ length: 10 }, () => api('/projects')))
    expect(here.refreshes()).toHaveLength(1)
  })

  it('R4: a 403 that was meant costs one refresh, and comes to the caller', async () => {
    const here = await createJourney(openStrange({ clientFetch }))
    const { auth, api } = await here.signIn()
    await expect(api('/forbidden')).rejects.toMatchObject({ status: 401 })
    expect(here.refreshes()).toHaveLength(1)
    expect(auth.status.value).toBe('authenticated')
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
