import { H3, HTTPError } from 'h3'
import type { H3Event } from 'h3'
import { beforeEach, expect, it, vi } from 'vitest'
import { SessionEndedError } from '@/auth/index.ts'
import { createJourney, demo, messages } from './journeys.ts'
import type { Journey } from './journeys.ts'
import { createSessionBackend, sessionFetch } from './examples/cookies-only.ts'

/** The wire of Laravel Sanctum: a session cookie, a CSRF cookie, 419 before 401. */
function createApi() {
  const sessions = new Map<string, string>()
  const jar = new Map<string, string>()
  let serial = 0
  const app = new H3()

  const cookie = (event: H3Event, name: string) =>
    new RegExp(`${name}=([^;]+)`).exec(event.req.headers.get('cookie') ?? '')?.[1] ?? ''
  const set = (event: H3Event, name: string, value: string) =>
    event.res.headers.append('set-cookie', `${name}=${value}`)
  const refuse = (status: number, message: string) => new HTTPError({ status, message })
  function requireCsrf(event: H3Event) {
    const sent = event.req.headers.get('x-xsrf-token')
    if (!sent || sent !== decodeURIComponent(cookie(event, 'XSRF-TOKEN'))) {
      throw refuse(419, 'CSRF token mismatch.')
    }
  }
  function requireUser(event: H3Event): string {
    const user = sessions.get(cookie(event, 'session'))
    if (!user || event.req.headers.has('authorization')) throw refuse(401, 'Unauthenticated.')
    return user
  }

  app.get('/api/sanctum/csrf-cookie', (event) => {
    set(event, 'XSRF-TOKEN', `csrf-${++serial}%3D`)
    return null
  })
  app.post('/api/login', async (event) => {
    requireCsrf(event)
    const { email, password } = (await event.req.json()) as Record<string, string>
    if (password !== 'password') throw refuse(422, 'These credentials do not match our records.')
    sessions.set(`session-${++serial}`, email!)
    set(event, 'session', `session-${serial}`)
    set(event, 'XSRF-TOKEN', `csrf-${serial}%3D`)
    return null
  })
  app.get('/api/user', (event) => {
    const email = requireUser(event)
    set(event, 'XSRF-TOKEN', `csrf-${++serial}%3D`) // Laravel sets it with every answer.
    return { id: email === 'demo' ? 2 : 1, name: email, email }
  })
  app.post('/api/logout', (event) => {
    requireCsrf(event)
    sessions.delete(cookie(event, 'session'))
    return null
  })
  app.get('/api/projects', (event) => [requireUser(event)])
  app.post('/api/projects', async (event) => {
    requireCsrf(event)
    requireUser(event)
    return event.req.json()
  })

  const fetch: typeof globalThis.fetch = async (input) => {
    const request = input as Request
    const headers = new Headers(request.headers)
    headers.set('cookie', [...jar].map((pair) => pair.join('=')).join('; '))
    const body = request.method === 'POST' ? await request.text() : undefined
    const response = await app.fetch(
      new Request(request.url, { method: request.method, headers, body }),
    )
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = line.split('=') as [string, string]
      jar.set(name, value)
    }
    return response
  }
  return { fetch, sessions, jar }
}

let server: ReturnType<typeof createApi>
let here: Journey

beforeEach(async () => {
  server = createApi()
  here = await createJourney(() => ({
    baseURL: 'http://api.example/api',
    fetch: server.fetch,
    createBackend: createSessionBackend,
    clientFetch: sessionFetch,
    isRefresh: ({ method, path }) => method === 'GET' && path === '/api/user',
  }))
  const cookie = () =>
    [...server.jar]
      .filter(([name]) => name === 'XSRF-TOKEN') // The other one is HttpOnly.
      .map((pair) => pair.join('='))
      .join('; ')
  vi.stubGlobal('document', Object.defineProperty(new EventTarget(), 'cookie', { get: cookie }))
})

it('signs in, and calls carry the cookie and the CSRF token, and no other', async () => {
  const { auth, api } = await here.signIn()
  expect(auth.user.value).toMatchObject({ id: '2', username: 'demo' })
  expect(await api('/projects')).toEqual(['demo'])
  expect(await api('/projects', { method: 'POST', body: { name: 'Harbour' } })).toEqual({
    name: 'Harbour',
  })
  expect(here.sent.map(({ token }) => token).filter(Boolean)).toEqual([])
  expect(new Set(here.sent.map(({ credentials }) => credentials))).toEqual(new Set(['include']))
  expect([...here.browser.storage.values()].join()).not.toMatch(/csrf-|session-/)
})

it('a wrong password is refused in the words of the API', async () => {
  const { auth } = here.openTab()
  await expect(auth.login({ ...demo, password: 'wrong' })).rejects.toMatchObject({
    status: 422,
    data: { message: 'These credentials do not match our records.' },
  })
  expect(auth.status.value).toBe('anonymous')
})

it('R8: a session that is over at the API ends here by one request, for a POST too', async () => {
  const { auth, api } = await here.signIn()
  const before = here.refreshes().length
  server.sessions.clear()
  const answers = await Promise.allSettled([
    api('/projects'),
    api('/projects', { method: 'POST', body: { name: 'Lost' } }),
  ])
  for (const answer of answers) {
    expect(answer).toMatchObject({ reason: expect.any(SessionEndedError) })
  }
  expect(here.refreshes().length - before).toBe(1)
  expect(auth.endReason.value).toBe('expired')
})

it('a POST without a CSRF token that is good is sent again with the next one', async () => {
  const { api } = await here.signIn()
  server.jar.delete('XSRF-TOKEN')
  const sent = api('/projects', { method: 'POST', body: { name: 'Again' } })
  await expect(sent).resolves.toEqual({ name: 'Again' })
})

it('R3: six late 401s cost one request', async () => {
  const { auth, api } = await here.signIn()
  const before = here.refreshes().length
  const [cookie] = server.sessions.keys()
  server.sessions.delete(cookie!)
  const held = Array.from({ length: 6 }, () => {
    const answer = here.holdNext()
    return { answer, call: api('/projects') }
  })
  await Promise.all(held.map(({ answer }) => answer.answered))
  server.sessions.set(cookie!, 'demo') // The API had lost its store, and has it again.
  for (const { answer, call } of held) {
    answer.release()
    await call
  }
  expect(here.refreshes().length - before).toBe(1)
  expect(auth.status.value).toBe('authenticated')
})

it('R13: two tabs share sign-in and sign-out, and the API hears of it', async () => {
  const second = here.openTab()
  const first = await here.signIn()
  expect(second.auth.user.value).toMatchObject({ username: 'demo' })
  await second.auth.logout()
  await messages()
  expect(first.auth.status.value).toBe('anonymous')
  expect(server.sessions.size).toBe(0)
})

it('a reload finds the session again', async () => {
  await here.signIn()
  const { auth } = here.openTab()
  await auth.restore()
  expect(auth.user.value).toMatchObject({ username: 'demo' })
})

it('R5: another origin gets neither cookie nor CSRF token', async () => {
  const { api } = await here.signIn()
  const seen: Request[] = []
  vi.stubGlobal('fetch', async (input: RequestInfo, init: RequestInit) => {
    seen.push(new Request(input, init))
    return Response.json([])
  })
  await api('https://elsewhere.example/projects')
  expect(seen[0]!.credentials).toBe('same-origin')
  expect(Object.fromEntries(seen[0]!.headers)).not.toHaveProperty('x-xsrf-token')
})
