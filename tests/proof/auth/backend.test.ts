import { describe, expect, it, vi } from 'vitest'
import { createCookieBackend, createGet, createJsonBackend } from '@/auth/index.ts'
import { retryAfter } from '@/auth/backoff.ts'
import { isRefusal } from '@/auth/errors.ts'
import { withTimeLimit } from '@/auth/signals.ts'
import { grantFor, httpError } from '../../support/backend.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'

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

describe('createGet', () => {
  it('asks with the token, and brings the JSON or what was wrong', async () => {
    const fetch = vi.fn<typeof globalThis.fetch>(async () => json({ id: '1' }))
    const get = createGet({ baseURL: 'https://api.example/v1', fetch })
    const { signal } = new AbortController()
    await expect(get('/me', 'access', signal)).resolves.toEqual({ id: '1' })
    const headers = { authorization: 'Bearer access' }
    const init = { headers, signal, redirect: 'error' }
    expect(fetch.mock.calls).toEqual([['https://api.example/v1/me', init]])

    fetch.mockResolvedValue(new Response('<h1>Not here</h1>', { status: 404 }))
    await expect(get('/me', 'access')).rejects.toMatchObject({
      message: expect.stringMatching(/^GET \/me: 404/),
      data: null,
    })
  })
})

describe('createCookieBackend', () => {
  it('posts to the API, with cookies, and reads no token', async () => {
    const grant = grantFor()
    const { fetch, sent } = stubFetch(json(grant), json(grant), new Response(null, { status: 204 }))
    const backend = createCookieBackend({ baseURL: 'https://api.example/v1/', fetch })

    expect(await backend.login(credentials)).toEqual(grant)
    expect(await backend.refresh()).toEqual(grant)
    await backend.logout()
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
    const headers = { 'content-type': 'application/json' }
    expect(fetch.mock.calls[0]![1]).toMatchObject({ headers, signal })
    expect(fetch.mock.calls[1]![1]).toMatchObject({ signal })
    expect(fetch.mock.calls[1]![1]).not.toHaveProperty('headers')
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
      await expect(backend.refresh()).rejects.not.toMatchObject({ status: expect.any(Number) })
    }
    expect(sent).toHaveLength(1)
  })

  it('R12: does not keep what was answered after it was given up', async () => {
    const abort = new AbortController()
    const fetch: typeof globalThis.fetch = async () => {
      abort.abort()
      return json({ ...grantFor(), refreshToken: 'r2' })
    }
    const storage = memoryStorage()
    const backend = createJsonBackend({ fetch, storage })
    await expect(backend.refresh({ signal: abort.signal })).rejects.toThrow('aborted')
    expect(storage.map.size).toBe(0)
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
    await backend.logout()
    await backend.logout()
    expect(sent.slice(1).map(({ body }) => body)).toEqual([
      { refreshToken: 'r1' },
      { refreshToken: 'r2' },
    ])
    // R8: the tab that has it must not be signed out by one that has not.
    await expect(backend.refresh()).rejects.not.toMatchObject({ status: expect.any(Number) })
    expect(sent).toHaveLength(3)
  })

  it('signs out with the refresh token, and has forgotten it before the API answers', async () => {
    const storage = memoryStorage({ [key]: 'r1' })
    const { fetch, sent } = stubFetch(new TypeError('Failed to fetch'))
    await expect(createJsonBackend({ fetch, storage }).logout()).rejects.toThrow('Failed to fetch')

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
