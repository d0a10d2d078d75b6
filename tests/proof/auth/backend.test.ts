/** What the helpers for back ends send, and what they make of the answer. */
import { inspect } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { createCookieBackend, createRequest } from '@/auth/index.ts'
import type { RequestDefaults } from '@/auth/index.ts'
import { grantFor } from '../../support/backend.ts'
import { json, stubFetch } from './stub-fetch.ts'

const getAccessToken = async () => 'access'
const credentials = { username: 'ada', password: 'secret' }

describe('createRequest', () => {
  /** What reaches `fetch`, and what a server would read of it. */
  function open(defaults: RequestDefaults = {}) {
    const sent: { url: string; init: RequestInit; request: Request }[] = []
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const url = String(input)
      sent.push({ url, init: init!, request: new Request(new URL(url, 'http://localhost'), init) })
      return json({ id: '1' })
    }
    return { request: createRequest({ fetch, ...defaults }), sent }
  }
  const headersOf = ({ request }: { request: Request }) => Object.fromEntries(request.headers)

  it('sends an object as JSON, and resolves to the JSON of the answer', async () => {
    const { request, sent } = open({ baseURL: 'https://api.example/v1/' })
    const answer = await request('POST', '/login', { body: { username: 'ada', code: undefined } })
    expect(answer).toEqual({ id: '1' })
    expect(sent[0]!.url).toBe('https://api.example/v1/login')
    expect(await sent[0]!.request.text()).toBe('{"username":"ada"}')
    expect(headersOf(sent[0]!)).toEqual({ 'content-type': 'application/json' })
  })

  it('sends forms as the forms that they are', async () => {
    const { request, sent } = open()
    const form = new FormData()
    form.set('username', 'ada')
    await request('POST', '/token', { body: new URLSearchParams(credentials) })
    await request('POST', '/token', { body: form })
    expect(sent.map((one) => headersOf(one)['content-type'])).toEqual([
      expect.stringMatching(/^application\/x-www-form-urlencoded/),
      expect.stringMatching(/^multipart\/form-data; boundary=/),
    ])
    for (const one of sent) expect((await one.request.formData()).get('username')).toBe('ada')
  })

  it('gets with a cookie, or with an access token', async () => {
    const { request, sent } = open()
    const { signal } = new AbortController()
    await request('GET', '/refresh', { signal })
    await request('GET', '/me', { accessToken: 'access' })
    const init = { method: 'GET', credentials: 'include', body: undefined }
    expect(sent.map((one) => one.init)).toMatchObject([{ ...init, signal }, init])
    expect(sent.map(headersOf)).toEqual([{}, { authorization: 'Bearer access' }])
  })

  it('sends headers of its own, asked for anew each time, and none without a value', async () => {
    const tokens = [undefined, 'csrf-1', 'csrf-2']
    const { request, sent } = open({ headers: () => ({ 'x-csrf': tokens.shift(), 'x-team': '7' }) })
    await request('GET', '/a')
    await request('POST', '/b', {
      accessToken: 'a',
      headers: { Authorization: 'Bearer refresh-token' },
    })
    await request('POST', '/c', { headers: { 'x-team': null } })
    expect(sent.map(headersOf)).toEqual([
      { 'x-team': '7' },
      { 'x-team': '7', 'x-csrf': 'csrf-1', authorization: 'Bearer refresh-token' },
      { 'x-csrf': 'csrf-2' },
    ])
  })

  it('sends no cookies if told so: `Access-Control-Allow-Origin: *` will do', async () => {
    const { request, sent } = open({ credentials: 'same-origin' })
    await request('POST', '/login', { body: credentials })
    expect(sent[0]!.init.credentials).toBe('same-origin')
  })

  it('R5: follows no redirect, and goes to another address only if that is whole', async () => {
    const { request, sent } = open({ baseURL: 'https://api.example' })
    await request('POST', 'https://login.example/token')
    await request('POST', '//evil.example/token')
    expect(sent.map(({ url }) => new URL(url).host)).toEqual(['login.example', 'api.example'])
    expect(sent.map(({ init }) => init.redirect)).toEqual(['error', 'error'])
  })

  it('R16: outlives the page without a body; bodies would share 64 KiB with all others', async () => {
    const { request, sent } = open()
    await request('POST', '/auth/refresh')
    await request('POST', '/auth/login', { body: credentials })
    expect(sent.map(({ init }) => init.keepalive)).toEqual([true, false])
  })

  it('rejects with what the API says, and no word of what was sent', async () => {
    const fetch = async () => json({ message: 'No.' }, 422)
    const refused = await createRequest({ fetch })('POST', '/login', {
      body: { username: 'ada', password: '7%password' },
      accessToken: '7%token',
    }).catch((error) => error)
    expect(refused).toMatchObject({ status: 422, data: { message: 'No.' } })
    expect(inspect(refused, { depth: null, showHidden: true })).not.toContain('7%')
  })

  it('does not compile with what it cannot send', () => {
    const { request } = open()
    const never = () => {
      // @ts-expect-error -- would be {}
      void request('POST', '/a', { body: new Map() })
      // @ts-expect-error -- would be {}
      void request('POST', '/a', { body: { file: new Blob() } })
      // @ts-expect-error -- would be {}
      void request('POST', '/a', { body: new ReadableStream() })
      // @ts-expect-error -- JSON.stringify throws
      void request('POST', '/a', { body: { big: 1n } })
      // @ts-expect-error -- would be left out
      void request('POST', '/a', { body: { call: () => 1 } })
      // @ts-expect-error -- fetch throws
      void request('GET', '/a', { body: { a: 1 } })
    }
    expect(never).toBeTypeOf('function')
  })
})

describe('createCookieBackend', () => {
  it('posts to the API, with cookies, and reads no token', async () => {
    const grant = grantFor()
    const { fetch, sent } = stubFetch(json(grant), json(grant), new Response(null, { status: 204 }))
    const backend = createCookieBackend({ baseURL: 'https://api.example/v1/', fetch })

    expect(await backend.login(credentials)).toEqual(grant)
    expect(await backend.refresh()).toEqual(grant)
    await backend.logout({ getAccessToken })
    const call = { method: 'POST', credentials: 'include' }
    expect(sent).toEqual([
      { ...call, url: 'https://api.example/v1/auth/login', body: credentials },
      { ...call, url: 'https://api.example/v1/auth/refresh', body: undefined },
      { ...call, url: 'https://api.example/v1/auth/logout', body: undefined },
    ])
  })

  it('says that a body is JSON, and hands on the signal', async () => {
    const { signal } = new AbortController()
    const fetch = vi.fn<typeof globalThis.fetch>(async () => json(grantFor()))
    const backend = createCookieBackend({ fetch })
    await backend.login(credentials, { signal })
    await backend.refresh({ signal })
    const [login, refresh] = fetch.mock.calls.map(([, init]) => init!)
    expect([login!.signal, refresh!.signal]).toEqual([signal, signal])
    expect(Object.fromEntries(login!.headers as Headers)).toEqual({
      'content-type': 'application/json',
    })
    expect(Object.fromEntries(refresh!.headers as Headers)).toEqual({})
  })

  it('sends no password to an address that others have put into Object.prototype', async () => {
    const { fetch, sent } = stubFetch(json(grantFor()), json(grantFor()))
    vi.stubGlobal('fetch', fetch)
    const polluted = Object.prototype as { baseURL?: string }
    polluted.baseURL = 'https://evil.example'
    try {
      await createCookieBackend({ fetch }).login(credentials)
      await createCookieBackend().login(credentials)
    } finally {
      delete polluted.baseURL
    }
    expect(sent.map(({ url }) => url)).toEqual(['/api/auth/login', '/api/auth/login'])
  })

  it('does not repeat a call that failed', async () => {
    const { fetch, sent } = stubFetch(new TypeError('Failed to fetch'))
    await expect(createCookieBackend({ fetch }).refresh()).rejects.toThrow('Failed to fetch')
    expect(sent).toHaveLength(1)
  })

  it('uses the fetch that is there at the time of the call', async () => {
    const backend = createCookieBackend()
    const fetch = vi.fn<typeof globalThis.fetch>(async () => json(grantFor()))
    vi.stubGlobal('fetch', fetch)
    await backend.refresh()
    expect(fetch).toHaveBeenCalledOnce()
  })
})

it('R5: passwords and refresh tokens follow no redirect', async () => {
  const fetch = vi.fn<typeof globalThis.fetch>(async () => Response.json(grantFor()))
  const { login, refresh, logout } = createCookieBackend({ fetch })
  await login(credentials)
  await refresh()
  await logout({ getAccessToken: async () => 'a' })
  expect(fetch.mock.calls.map(([, init]) => init!.redirect)).toEqual(['error', 'error', 'error'])
})
