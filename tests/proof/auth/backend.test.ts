import { inspect } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { createCookieBackend, createJsonBackend, createRequest } from '@/auth/index.ts'
import type { RequestDefaults } from '@/auth/index.ts'
import { retryAfter } from '@/auth/backoff.ts'
import { MissingRefreshTokenError, isRefusal } from '@/auth/errors.ts'
import { withTimeLimit } from '@/auth/signals.ts'
import { grantFor, httpError } from '../../support/backend.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'

const getAccessToken = async () => 'access'
const credentials = { username: 'ada', password: 'secret' }

/** A fetch that notes what it is asked, and gives these answers, one after the other. */
function stubFetch(...answers: (Response | Error)[]) {
  const sent: { url: string; method?: string; credentials?: string; body?: unknown }[] = []
  const fetch: typeof globalThis.fetch = async (input, init = {}) => {
    const body = typeof init.body === 'string' ? JSON.parse(init.body) : init.body
    sent.push({ url: String(input), method: init.method, credentials: init.credentials, body })
    const answer = answers.shift()
    if (answer instanceof Error) throw answer
    return answer ?? new Response(null, { status: 204 })
  }
  return { fetch, sent }
}

const json = (value: unknown, status = 200) => Response.json(value, { status })

function memoryStorage(entries: Record<string, string> = {}) {
  const map = new Map(Object.entries(entries))
  return {
    map,
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
    removeItem: (key: string) => void map.delete(key),
  }
}

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
      body: credentials,
      accessToken: 'access',
    }).catch((error) => error)
    expect(refused).toMatchObject({ status: 422, data: { message: 'No.' } })
    expect(inspect(refused, { depth: null, showHidden: true })).not.toMatch(/secret|access/)
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

describe('createJsonBackend', () => {
  const key = 'auth.refresh-token'

  it('keeps the refresh token of a sign-in, and each that follows', async () => {
    const { fetch, sent } = stubFetch(
      json({ ...grantFor(), refreshToken: 'r1' }),
      json({ ...grantFor(), refreshToken: 'r2' }),
      json(grantFor()),
    )
    const storage = memoryStorage()
    const backend = createJsonBackend({ fetch, storage })

    await backend.login(credentials)
    expect(storage.map.get(key)).toBe('r1')
    await backend.refresh()
    expect(storage.map.get(key)).toBe('r2')
    await backend.refresh()
    expect(storage.map.get(key)).toBe('r2')
    expect(sent.map(({ body }) => body)).toEqual([
      { ...credentials, mode: 'json' },
      { refreshToken: 'r1' },
      { refreshToken: 'r2' },
    ])
  })

  it('R6: a sign-in that brings none takes away that of whoever was here before', async () => {
    const { fetch } = stubFetch(json(grantFor()))
    const storage = memoryStorage({ [key]: 'r1' })
    await createJsonBackend({ fetch, storage }).login(credentials)
    expect(storage.map.size).toBe(0)
  })

  it.each([null, {}])(
    'a sign-in that is answered %j, which is no grant, takes none away',
    async (it) => {
      const { fetch } = stubFetch(json(it))
      const storage = memoryStorage({ [key]: 'r1' })
      await createJsonBackend({ fetch, storage }).login(credentials)
      expect(storage.map.get(key)).toBe('r1')
    },
  )

  it('R8: forgets a refresh token that was refused, R7: and no other', async () => {
    const { fetch } = stubFetch(json({}, 503), json({}, 401))
    const storage = memoryStorage({ [key]: 'r1' })
    const backend = createJsonBackend({ fetch, storage })

    await expect(backend.refresh()).rejects.toMatchObject({ status: 503 })
    expect(storage.map.get(key)).toBe('r1')
    await expect(backend.refresh()).rejects.toMatchObject({ status: 401 })
    expect(storage.map.size).toBe(0)
  })

  it('keeps the refresh token that another tab has put there meanwhile', async () => {
    const storage = memoryStorage({ [key]: 'r1' })
    const fetch: typeof globalThis.fetch = async () => {
      storage.setItem(key, 'r2')
      return json({}, 401)
    }
    await expect(createJsonBackend({ fetch, storage }).refresh()).rejects.toMatchObject({
      status: 401,
    })
    expect(storage.map.get(key)).toBe('r2')
  })

  it.each([{}, 7, ''])('R7: keeps its refresh token when it gets %j for one', async (next) => {
    const { fetch } = stubFetch(json({ ...grantFor(), refreshToken: next }))
    const storage = memoryStorage({ [key]: 'r1' })
    await createJsonBackend({ fetch, storage }).refresh()
    expect(storage.map.get(key)).toBe('r1')
  })

  it('S2: sends no token that another tab may have replaced, once its storage fails', async () => {
    const { fetch, sent } = stubFetch(json({ ...grantFor(), refreshToken: 'r2' }))
    const storage = memoryStorage({ [key]: 'r1' })
    const backend = createJsonBackend({ fetch, storage })
    await backend.refresh()
    storage.getItem = () => {
      throw new DOMException('Denied', 'SecurityError')
    }
    for (let tries = 0; tries < 2; tries += 1) {
      await expect(backend.refresh()).rejects.toBeInstanceOf(MissingRefreshTokenError)
    }
    expect(sent).toHaveLength(1)
  })

  it('R12: does not keep what was answered after it was given up', async () => {
    const abort = new AbortController()
    const fetch: typeof globalThis.fetch = async () => {
      abort.abort()
      return json({ ...grantFor(), refreshToken: 'r2' })
    }
    const storage = memoryStorage({ [key]: 'r1' })
    const backend = createJsonBackend({ fetch, storage })
    await expect(backend.refresh({ signal: abort.signal })).rejects.toThrow('aborted')
    expect(storage.map.get(key)).toBe('r1')
  })

  it('keeps it in a variable where the browser denies storage', async () => {
    vi.stubGlobal('window', {
      get localStorage() {
        throw new DOMException('Denied', 'SecurityError')
      },
    })
    const { fetch, sent } = stubFetch(
      json({ ...grantFor(), refreshToken: 'r1' }),
      json({ ...grantFor(), refreshToken: 'r2' }),
    )
    const backend = createJsonBackend({ fetch })
    await backend.login(credentials)
    await backend.refresh()
    await backend.logout({ getAccessToken })
    await backend.logout({ getAccessToken })
    expect(sent.slice(1).map(({ body }) => body)).toEqual([
      { refreshToken: 'r1' },
      { refreshToken: 'r2' },
    ])
    // R8: the tab that has it must not be signed out by one that has not.
    await expect(backend.refresh()).rejects.toBeInstanceOf(MissingRefreshTokenError)
    expect(sent).toHaveLength(3)
  })

  it('signs out with the refresh token, and has forgotten it before the API answers', async () => {
    const storage = memoryStorage({ [key]: 'r1' })
    const { fetch, sent } = stubFetch(new TypeError('Failed to fetch'))
    await expect(createJsonBackend({ fetch, storage }).logout({ getAccessToken })).rejects.toThrow(
      'Failed to fetch',
    )

    expect(sent[0]?.body).toEqual({ refreshToken: 'r1' })
    expect(storage.map.size).toBe(0)
  })
})

describe('withTimeLimit', () => {
  useFakeClock()

  it('passes on what the call gives or throws', async () => {
    const error = new Error('broken')
    await expect(withTimeLimit(() => Promise.resolve(1), 10)).resolves.toBe(1)
    await expect(withTimeLimit(() => Promise.reject(error), 10)).rejects.toBe(error)
    const throwing = () => {
      throw error
    }
    await expect(withTimeLimit(throwing, 10)).rejects.toBe(error)
    expect(vi.getTimerCount()).toBe(0) // R15
  })

  it('takes what a back end in JavaScript returns without a promise', async () => {
    await expect(withTimeLimit((() => 1) as never, 10)).resolves.toBe(1)
  })

  it('R12: rejects with the reason of the end, whatever else comes of the call', async () => {
    const controller = new AbortController()
    const call = () => {
      controller.abort('over')
      return Promise.reject(new Error('its own'))
    }
    await expect(withTimeLimit(call, 10, controller.signal)).rejects.toBe('over')
  })

  it('R11: gives up and aborts when the time is over', async () => {
    let signal: AbortSignal | undefined
    const hanging = outcome(
      withTimeLimit((options) => {
        signal = options.signal
        return new Promise(() => {})
      }, 10),
    )
    await elapse(10)
    expect(hanging.reason).toMatchObject({ name: 'TimeoutError' })
    expect(signal?.reason).toBe(hanging.reason)
  })

  it('R12: does not call at all when it is over before it begins', async () => {
    const call = vi.fn<() => Promise<void>>()
    const error = new Error('over')
    await expect(withTimeLimit(call, 10, AbortSignal.abort(error))).rejects.toBe(error)
    await elapse()
    expect(call).not.toHaveBeenCalled()
  })
})

describe('what an error means', () => {
  it.each([400, 401, 403, 404, 405, 409, 410, 418, 419, 422, 451, 499])(
    'R8: %i is a refusal',
    (status) => {
      expect(isRefusal(httpError(status))).toBe(true)
      expect(isRefusal(httpError(status, { 'content-type': 'application/problem+json' }))).toBe(
        true,
      )
    },
  )

  it.each([302, 408, 425, 429, 500, 503, 521, undefined])('R7: %s may pass', (status) => {
    expect(isRefusal(Object.assign(new Error('x'), { status }))).toBe(false)
  })

  it.each([400, 401, 403, 404])('R7: %i with an HTML page does not come from the API', (status) => {
    const page = (type: string) => httpError(status, { 'content-type': type })
    expect(isRefusal(page('text/html; charset=utf-8'))).toBe(false)
    expect(isRefusal(page('Text/HTML'))).toBe(false)
    expect(isRefusal(page('text/plain'))).toBe(true)
  })

  it('R7: the helpers for back ends tell a page from an answer', async () => {
    const { fetch } = stubFetch(
      new Response('<h1>Blocked</h1>', { status: 403, headers: { 'content-type': 'text/html' } }),
      json({}, 403),
    )
    const backend = createCookieBackend({ fetch })
    expect(isRefusal(await backend.refresh().catch((error) => error))).toBe(false)
    expect(isRefusal(await backend.refresh().catch((error) => error))).toBe(true)
  })

  it.each([null, undefined, 'text'])('%s may pass', (error) => {
    expect(isRefusal(error)).toBe(false)
    expect(retryAfter(error, 0)).toBeNull()
  })

  it('an answer that is none of fetch may pass', () => {
    const response = { status: 503, headers: { 'content-type': 'text/plain' } }
    expect(retryAfter(Object.assign(new Error('503'), { response }), 0)).toBeNull()
  })

  const at = (header: string, sent = '') => httpError(503, { 'retry-after': header, date: sent })

  it.each<[string, number | null]>([
    ['120', 120_000],
    ['0', null],
    ['soon', null],
    ['120s', null],
    ['in 120', null],
    ['-5', null],
    [new Date(90_000).toUTCString(), 60_000],
    [new Date(1_000).toUTCString(), null],
  ])('Retry-After: %s', (header, wait) => {
    expect(retryAfter(at(header), 30_000)).toBe(wait)
  })

  it('Retry-After as a date counts from the time of the answer, whatever time it is here', () => {
    const [sent, later] = [90_000, 95_000].map((time) => new Date(time).toUTCString())
    expect(retryAfter(at(later!, sent), 0)).toBe(5_000)
  })
})
