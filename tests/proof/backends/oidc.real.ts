import { describe, expect, it } from 'vitest'
import { createJourney, demo, describeJourneys } from './journeys.ts'
import type { JourneyApi } from './journeys.ts'
import { createOidcBackend, UnknownStateError } from './examples/oidc.ts'
import { useRealServer } from './realServer.ts'

const APP = 'http://localhost:8092'
const left: string[] = []

function createBackend(issuer: string, storage: Storage | null) {
  const backend = createOidcBackend({
    issuer,
    clientId: 'web',
    redirectUri: `${APP}/callback`,
    signedOutUri: `${APP}/login`,
    storage,
    tabStorage: null,
    leave: (url) => left.push(url),
  })
  return {
    ...backend,
    /** As a person does it: to the provider's page, and back. */
    async login({ username, password }: typeof demo, options = {}) {
      const callback = await signInAt(await backend.signInUrl(), username)
      // The provider shows its own alert for a wrong password. What reaches the app is a wrong code.
      const wrong = callback.replace(/code=[^&]+/, 'code=wrong')
      return backend.login({ callback: password === 'password' ? callback : wrong }, options)
    },
  }
}

const network = globalThis.fetch

/** A browser without scripts: follows redirects, keeps cookies, fills in the form. */
async function signInAt(start: string, login: string): Promise<string> {
  const cookies = new Map<string, string>()
  let url = start
  let form: URLSearchParams | undefined
  for (let step = 0; step < 12; step += 1) {
    const cookie = [...cookies].map((pair) => pair.join('=')).join('; ')
    const init = { method: form ? 'POST' : 'GET', body: form, headers: { cookie } }
    const response = await network(url, { ...init, redirect: 'manual' })
    form = undefined
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      cookies.set(name!, value!)
    }
    const location = response.headers.get('location')
    if (!location) form = new URLSearchParams({ login, password: 'password' })
    else url = new URL(location, url).href
    if (url.startsWith(APP)) return url
  }
  throw new Error(`The provider does not lead back: ${url}`)
}

const open = useRealServer('oidc', {
  createBackend: createBackend as JourneyApi['createBackend'],
  isRefresh: ({ body }) => new URLSearchParams(body).get('grant_type') === 'refresh_token',
})

describeJourneys('oidc-provider', { leeway: false, revokes: true }, open())

describe('a sign-in that comes back', () => {
  it.each(['', '?code=a', '?code=a&state=forged'])('with no state of ours: %s', async (query) => {
    const here = await createJourney(open())
    const backend = createOidcBackend({ issuer: here.api.baseURL, clientId: 'web', ...uris })
    await backend.signInUrl()
    const callback = `${APP}/callback${query}`
    await expect(backend.login({ callback })).rejects.toBeInstanceOf(UnknownStateError)
    expect(here.sent.filter(({ method }) => method === 'POST')).toEqual([])
  })

  it('cancelled, with access_denied', async () => {
    const here = await createJourney(open())
    const backend = createOidcBackend({ issuer: here.api.baseURL, clientId: 'web', ...uris })
    const state = new URL(await backend.signInUrl()).searchParams.get('state')
    const query = new URLSearchParams({
      error: 'access_denied',
      state: state!,
      iss: here.api.baseURL,
    })
    const attempt = backend.login({ callback: `${APP}/callback?${query}` })
    await expect(attempt).rejects.toMatchObject({ error: 'access_denied' })
  })

  it('twice: the second time its state is used up', async () => {
    const here = await createJourney(open())
    const backend = createOidcBackend({ issuer: here.api.baseURL, clientId: 'web', ...uris })
    const callback = await signInAt(await backend.signInUrl('/projects'), 'demo')
    expect(backend.returnTo()).toBe('/projects')
    await backend.login({ callback })
    await expect(backend.login({ callback })).rejects.toBeInstanceOf(UnknownStateError)
  })
})

const uris = {
  redirectUri: `${APP}/callback`,
  signedOutUri: `${APP}/login`,
  storage: null,
  tabStorage: null,
}

it('discovery is read once, and the user not at a refresh', async () => {
  const here = await createJourney(open())
  const { auth } = await here.signIn()
  await auth.sessions.current()!.nextToken('unauthorized')
  expect(here.count('GET', '/.well-known/openid-configuration')).toBe(1)
  expect(here.count('GET', '/me')).toBe(1)
})

it("a sign-out leads to the provider's, with id_token_hint", async () => {
  const here = await createJourney(open())
  const { auth } = await here.signIn()
  await auth.logout()
  const { pathname, searchParams } = new URL(left.at(-1)!)
  expect(pathname).toBe('/session/end')
  expect(searchParams.get('id_token_hint')).toMatch(/^ey/)
  expect(searchParams.get('post_logout_redirect_uri')).toBe(`${APP}/login`)
})

it('R7: 503 with Retry-After is temporary, and honoured', async () => {
  const here = await createJourney(open())
  const { auth, api } = await here.signIn()
  here.breakRefresh(new Response('{}', { status: 503, headers: { 'retry-after': '90' } }))
  await expect(auth.refresh()).rejects.toMatchObject({ status: 503 })
  here.expireAccess()
  here.elapse(89_000)
  await expect(api('/projects')).rejects.toMatchObject({ status: 503 })
  here.elapse(1_000)
  await api('/projects')
  expect(here.refreshes()).toHaveLength(2)
})

it('R7: the 500 of /userinfo loses neither session nor refresh token', async () => {
  const here = await createJourney(open())
  await here.signIn()
  const { auth } = here.openTab()
  here.breakNext('/me', new Response('{}', { status: 500 }))
  await expect(auth.restore()).rejects.toMatchObject({ status: 500 })
  here.elapse(1_000)
  await auth.restore()
  expect(auth.user.value).toMatchObject({ username: 'demo' })
})
