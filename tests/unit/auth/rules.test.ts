// @vitest-environment node
/** The rules of docs/rules.md, each by a test or two. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  SessionEndedError,
  createApiClient,
  createAuthFetch,
  createCookieBackend,
} from '@/auth/index.ts'
import type { AuthEvent } from '@/auth/index.ts'
import { bearer, createStubApi, ok, unauthorized } from '../../support/api.ts'
import { grantFor, httpError } from '../../support/backend.ts'
import { FakePage } from '../../support/browser.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'
import { baseURL, createWorld, openClient } from '../../support/world.ts'
import type { Auth } from '../../support/world.ts'

useFakeClock()

const SESSION_KEY = 'silent-refresh.session'

let { backend, browser, openTab, signIn, grantAll } = createWorld()

beforeEach(() => {
  ;({ backend, browser, openTab, signIn, grantAll } = createWorld())
})

describe('R4: a route that refuses every token', () => {
  it('costs one refresh, however often it is called', async () => {
    const auth = await signIn()
    const refresh = grantAll()
    const { api } = openClient(auth, (path) => path.endsWith('/broken'))
    for (let n = 0; n < 10; n += 1) {
      await expect(api('/broken')).rejects.toMatchObject({ status: 401 })
      await expect(api('/healthy')).resolves.toEqual({ ok: true })
    }
    expect(refresh).toHaveBeenCalledOnce()
  })

  it('does not make others fail when the refresh fails', async () => {
    const auth = await signIn()
    const refresh = grantAll()
    const { api } = openClient(auth, (path) => path.endsWith('/broken'))
    await expect(api('/broken')).rejects.toMatchObject({ status: 401 })
    refresh.mockRejectedValue(httpError(429))
    await expect(api('/broken')).rejects.toMatchObject({ status: 401 })
    await expect(api('/healthy')).resolves.toEqual({ ok: true })
  })

  it('leaves a token that really died to be refreshed', async () => {
    const auth = await signIn()
    const refresh = grantAll()
    const { api, kill } = openClient(auth, (path) => path.endsWith('/broken'))
    await api('/healthy')
    await expect(api('/broken')).rejects.toMatchObject({ status: 401 })
    kill()
    await expect(api('/healthy')).resolves.toEqual({ ok: true })
    expect(refresh).toHaveBeenCalledTimes(2)
  })

  it('spaces refreshes out where every route refuses', async () => {
    const auth = await signIn()
    const refresh = grantAll()
    const { api } = openClient(auth, () => true)
    for (let n = 0; n < 10; n += 1) {
      await expect(api(`/${n}`)).rejects.toMatchObject({ status: 401 })
    }
    expect(refresh).toHaveBeenCalledOnce()
    await elapse(1_000)
    await expect(api('/later')).rejects.toMatchObject({ status: 401 })
    expect(refresh).toHaveBeenCalledTimes(2)
    await elapse(1_999)
    await expect(api('/too-early')).rejects.toMatchObject({ status: 401 })
    expect(refresh).toHaveBeenCalledTimes(2)
  })

  it('is not blamed for the next token by an answer that comes late', async () => {
    const auth = await signIn()
    const refresh = grantAll()
    const { fetch, sent, arrived } = createStubApi()
    const api = createApiClient({ baseURL, auth, fetch })
    const late = outcome(api('/notes'))
    await arrived(1)
    sent[0]!.answer(unauthorized())
    await arrived(2) // The replay, with the second token.
    await auth.refresh()
    sent[1]!.answer(unauthorized())
    await elapse()
    expect(late.reason).toMatchObject({ status: 401 })

    const next = outcome(api('/notes'))
    await arrived(3)
    sent[2]!.answer(unauthorized()) // Now the third token has died.
    await elapse()
    await arrived(4)
    sent[3]!.answer(ok())
    await elapse()
    expect(next.value).toEqual({ ok: true })
    expect(refresh).toHaveBeenCalledTimes(3)
  })

  it('with refresh: false a 401 is the answer', async () => {
    const auth = await signIn()
    const { api, paths } = openClient(auth, () => true)
    const options = { method: 'POST', refresh: false } as const
    await expect(api('/change-password', options)).rejects.toMatchObject({ status: 401 })
    expect([paths, backend.count('refresh')]).toEqual([['/v1/change-password'], 0])
    expect(auth.sessions.current()!.isAlive()).toBe(true)
  })
})

describe('one refresh', () => {
  it('R1: ten 401s at once cause one, and each call is sent once more', async () => {
    const auth = await signIn()
    const { api, paths, kill } = openClient(auth)
    kill()
    const answers = Promise.all(Array.from({ length: 10 }, (_, n) => api(`/${n}`)))
    await elapse()
    backend.latest('refresh').grant()
    await expect(answers).resolves.toHaveLength(10)
    expect([backend.count('refresh'), paths.length]).toEqual([1, 20])
  })

  it('R2: a token past its lifetime is not sent', async () => {
    const auth = await signIn()
    const { api, paths } = openClient(auth)
    await elapse(900_000)
    const answer = api('/notes')
    await elapse()
    expect(paths).toEqual([])
    backend.latest('refresh').grant()
    await answer
    expect(paths).toEqual(['/v1/notes'])
  })

  it('R3: a late 401 is replayed without a second refresh', async () => {
    const auth = await signIn()
    const { fetch, sent, arrived } = createStubApi()
    const api = createApiClient({ baseURL, auth, fetch })
    const late = outcome(api('/slow'))
    await arrived(1)
    const refreshed = auth.refresh()
    await elapse()
    backend.latest('refresh').grant()
    await refreshed
    sent[0]!.answer(unauthorized())
    await arrived(2)
    sent[1]!.answer(ok())
    await elapse()
    expect(late.value).toEqual({ ok: true })
    expect(backend.count('refresh')).toBe(1)
  })

  it('R5: another origin gets no token', async () => {
    const auth = await signIn()
    const { fetch, sent, arrived } = createStubApi()
    const api = createApiClient({ baseURL, auth, fetch })
    const answers = [api('/notes'), api('https://elsewhere.example/notes')]
    await arrived(2)
    for (const { answer } of sent) answer(ok())
    await Promise.all(answers)
    const tokenTo = (host: string) => sent.find(({ url }) => url.includes(host))!.token
    expect(tokenTo('api.example')).toBe(`Bearer ${auth.accessToken.value}`)
    expect(tokenTo('elsewhere.example')).toBe(null)
  })

  it.each([
    ['a firewall', 403],
    ['a gateway', 404],
    ['a single-sign-on proxy', 401],
  ])('R7: an HTML page of %s with %i keeps the session', async (_, status) => {
    const auth = await signIn()
    const { api, kill } = openClient(auth)
    kill()
    const answer = outcome(api('/a'))
    await elapse()
    const page = httpError(status, { 'content-type': 'text/html' })
    backend.latest('refresh').fail(page)
    await elapse()
    expect(answer.reason).toBe(page)
    expect(auth.status.value).toBe('authenticated')
  })

  it.each([400, 401, 403, 404, 419, 422])(
    'R8: %i ends the session, for all who wait',
    async (status) => {
      const auth = await signIn()
      const { api, kill } = openClient(auth)
      kill()
      const answers = [outcome(api('/a')), outcome(api('/b'))]
      await elapse()
      backend.latest('refresh').fail(httpError(status))
      await elapse()
      for (const { reason } of answers) expect(reason).toBeInstanceOf(SessionEndedError)
      expect([auth.status.value, auth.endReason.value]).toEqual(['anonymous', 'expired'])
      expect(auth.accessToken.value).toBeNull()
    },
  )

  it('R9: an aborted call rejects while it waits, and is not sent', async () => {
    const auth = await signIn()
    const { api, paths } = openClient(auth)
    await elapse(900_000)
    const controller = new AbortController()
    const [aborted, other] = [outcome(api('/a', { signal: controller.signal })), api('/b')]
    await elapse()
    const reason = new Error('no longer wanted')
    controller.abort(reason)
    await elapse()
    expect(aborted.reason).toBe(reason)
    backend.latest('refresh').grant()
    await other
    expect(paths).toEqual(['/v1/b'])
  })

  it('R11: a refresh that hangs is given up after 10 s', async () => {
    const auth = await signIn()
    const refreshed = outcome(auth.refresh())
    await elapse(10_000)
    expect(refreshed.reason).toMatchObject({ name: 'TimeoutError' })
    expect(auth.status.value).toBe('authenticated')
  })

  it('R12: a refresh that answers after sign-out changes nothing', async () => {
    const auth = await signIn()
    const refreshed = outcome(auth.refresh())
    await elapse()
    void auth.logout()
    backend.latest('refresh').grant()
    await elapse()
    expect(refreshed.reason).toBeInstanceOf(SessionEndedError)
    expect([auth.status.value, auth.accessToken.value]).toEqual(['anonymous', null])
  })

  it('R14: web storage holds no token', async () => {
    const auth = await signIn()
    const stored = JSON.stringify([...browser.storage])
    expect(stored).not.toContain(auth.accessToken.value)
    expect(browser.storage.size).toBe(1)
  })
})

describe('R10: a replay sends the same bytes', () => {
  const form = new FormData()
  form.set('file', new Blob([new Uint8Array([0, 255, 10, 13])]), 'a.bin')

  it.each<[string, BodyInit | Record<string, unknown>]>([
    ['JSON', { name: 'ä' }],
    ['FormData', form],
    ['a Blob', new Blob([new Uint8Array([1, 0, 255])], { type: 'image/x-test' })],
    ['a typed array', new Uint8Array([9, 0, 255])],
  ])('%s', async (_, body) => {
    const auth = await signIn()
    const { fetch, sent, arrived } = createStubApi()
    const answer = createApiClient({ baseURL, auth, fetch })('/upload', { method: 'POST', body })
    await arrived(1)
    sent[0]!.answer(unauthorized())
    await elapse()
    backend.latest('refresh').grant()
    await elapse()
    await arrived(2)
    sent[1]!.answer(ok())
    await answer
    expect(sent[1]!.bytes).toBe(sent[0]!.bytes)
    expect(sent[1]!.headers.get('content-type')).toBe(sent[0]!.headers.get('content-type'))
  })
})

describe('R7: the back-off', () => {
  async function fail(auth: Auth, error: Error) {
    const failed = outcome(auth.refresh())
    await elapse()
    backend.latest('refresh').fail(error)
    await elapse()
    expect(failed.reason).toBe(error)
  }

  it('does not hold back a person', async () => {
    const auth = await signIn()
    await fail(auth, httpError(503, { 'retry-after': '120' }))
    await fail(auth, httpError(503, { 'retry-after': '120' }))
    expect(backend.count('refresh')).toBe(2)
  })

  it('does not hold back a person who asks as a request is held back', async () => {
    const auth = await signIn()
    await fail(auth, httpError(503))
    const held = outcome(auth.sessions.current()!.nextToken('expiry'))
    void auth.refresh()
    await elapse()
    expect(held.reason).toMatchObject({ status: 503 })
    expect(backend.count('refresh')).toBe(2)
  })

  it('ends when the browser is online again', async () => {
    const listeners = new EventTarget()
    vi.stubGlobal('addEventListener', listeners.addEventListener.bind(listeners))
    const auth = await signIn()
    await fail(auth, new TypeError('Failed to fetch'))
    expect(auth.sessions.current()!.isPaused()).toBe(true)
    listeners.dispatchEvent(new Event('online'))
    expect(auth.sessions.current()!.isPaused()).toBe(false)
  })
})

describe('R13: a wiped storage', () => {
  it('is no sign-out, and a tab that leaves the view writes the id back', async () => {
    const page = new FakePage()
    const tabs = browser.openTab({ page: page as unknown as Document })
    const auth = await signIn(openTab({ tabs }))
    const id = browser.storage.get(SESSION_KEY)
    browser.storage.clear()
    page.show('hidden')
    expect(browser.storage.get(SESSION_KEY)).toBe(id)
    expect(auth.status.value).toBe('authenticated')
  })
})

describe('R16: a page that went away in mid-refresh', () => {
  it('the next page gives its answer time to land', async () => {
    const auth = await signIn()
    void auth.refresh()
    await elapse()
    browser.locks!.release('silent-refresh') // As when its page is closed.
    const next = openTab()
    const restored = outcome(next.restore())
    await elapse(3_999)
    expect(backend.count('refresh')).toBe(1)
    await elapse(1)
    expect(backend.count('refresh')).toBe(2)
    backend.latest('refresh').grant()
    await elapse()
    expect(restored.state).toBe('fulfilled')
  })

  it('also if another script has cleared the storage', async () => {
    const page = new FakePage()
    const auth = await signIn(
      openTab({ tabs: browser.openTab({ page: page as unknown as Document }) }),
    )
    void auth.refresh()
    await elapse()
    browser.storage.clear()
    page.show('hidden')
    browser.locks!.release('silent-refresh')
    void openTab().restore()
    await elapse(3_999)
    expect(backend.count('refresh')).toBe(1)
  })

  it('also if the browser rejects the request as the page goes', async () => {
    const auth = await signIn()
    const heard = vi.fn<(event: AuthEvent) => void>()
    openTab({ onEvent: heard })
    await elapse()
    const refreshed = outcome(auth.refresh())
    await elapse()
    backend.latest('refresh').fail(new TypeError('Failed to fetch'))
    // A page that goes runs no timer any more.
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
    expect(browser.storage.has('silent-refresh.refresh-sent-at')).toBe(true)
    expect([refreshed.state, heard.mock.calls]).toEqual(['pending', []])

    // A page that stays reports the failure.
    await elapse(1)
    expect(browser.storage.has('silent-refresh.refresh-sent-at')).toBe(false)
    expect(refreshed.reason).toBeInstanceOf(TypeError)
    expect(heard).toHaveBeenCalledWith({ type: 'other-tab', brought: 'failure' })
  })

  it('the request outlives its page', async () => {
    const fetch = vi.fn<typeof globalThis.fetch>(async () => Response.json(grantFor()))
    await createCookieBackend({ fetch }).refresh()
    expect(fetch.mock.calls[0]![1]).toMatchObject({ keepalive: true })
  })
})

describe('R17: a way out', () => {
  it('a person who is being restored can sign out, and in again', async () => {
    await signIn()
    const auth = openTab()
    const restored = outcome(auth.restore())
    await elapse()
    backend.latest('refresh').fail(httpError(500))
    await elapse()
    expect([restored.state, auth.status.value]).toEqual(['rejected', 'restoring'])
    void auth.logout()
    await elapse()
    expect(auth.status.value).toBe('anonymous')
    backend.latest('logout').fail(httpError(500))
    await elapse()
    await signIn(auth)
    expect(auth.status.value).toBe('authenticated')
  })

  it('a fresh token that getUser refuses ends the session', async () => {
    browser.storage.set(SESSION_KEY, 'x')
    const getUser = async () => Promise.reject(httpError(401))
    const auth = openTab({ backend: { ...backend, getUser } })
    const restored = outcome(auth.restore())
    await elapse()
    backend.latest('refresh').grant({ accessToken: 'a', expiresIn: 900 })
    await elapse()
    expect([restored.state, auth.status.value]).toEqual(['fulfilled', 'anonymous'])
    expect(auth.endReason.value).toBe('expired')
  })
})

describe('tabs: null', () => {
  it('everything works in one tab', async () => {
    const auth = openTab({ tabs: null, restore: 'known' })
    await signIn(auth)
    const first = auth.accessToken.value
    const { api, kill } = openClient(auth)
    kill()
    const answers = Promise.all([api('/a'), api('/b'), api('/c')])
    await elapse()
    backend.latest('refresh').grant()
    await answers
    expect(backend.count('refresh')).toBe(1)
    expect(auth.accessToken.value).not.toBe(first)

    void auth.logout()
    await elapse()
    expect(auth.status.value).toBe('anonymous')
    expect([backend.count('logout'), browser.storage.size]).toEqual([1, 0])
  })
})

describe('createAuthFetch', () => {
  it('adds the token, refreshes after a 401 and replays', async () => {
    const auth = await signIn()
    const { fetch, sent, arrived } = createStubApi()
    const authFetch = createAuthFetch({ baseURL, auth, fetch })
    const answer = authFetch(`${baseURL}/notes`, { method: 'POST', body: 'x' })
    await arrived(1)
    sent[0]!.answer(unauthorized())
    await elapse()
    const next = grantFor()
    backend.latest('refresh').grant(next)
    await elapse()
    await arrived(2)
    sent[1]!.answer(ok())
    expect((await answer).status).toBe(200)
    expect(sent[1]).toMatchObject({ token: bearer(next), bytes: 'x' })
  })

  it('R6: rejects when its session ends', async () => {
    const auth = await signIn()
    const { fetch, arrived } = createStubApi()
    const answer = outcome(createAuthFetch({ baseURL, auth, fetch })(`${baseURL}/notes`))
    await arrived(1)
    void auth.logout()
    await elapse()
    expect(answer.reason).toBeInstanceOf(SessionEndedError)
  })

  it('R7: rejects with the failure of the refresh as it is', async () => {
    const auth = await signIn()
    const { fetch, sent, arrived } = createStubApi()
    const answer = outcome(createAuthFetch({ baseURL, auth, fetch })(`${baseURL}/notes`))
    await arrived(1)
    sent[0]!.answer(unauthorized())
    await elapse()
    const error = httpError(503)
    backend.latest('refresh').fail(error)
    await elapse()
    expect(answer.reason).toBe(error)
  })
})
