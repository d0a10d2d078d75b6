/** The life of a request: its token, its replay, its end with the session. */
import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { FetchError } from 'ofetch'
import type { FetchContext } from 'ofetch'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { SessionEndedError, createApiClient, createAuth, createAuthFetch } from '@/auth/index.ts'
import type { PasswordCredentials } from '@/auth/index.ts'
import { bearer, createStubApi, ok, unauthorized } from '../../support/api.ts'
import type { Sent } from '../../support/api.ts'
import { ada, bob, createManualBackend, grantFor, httpError } from '../../support/backend.ts'
import type { ManualBackend } from '../../support/backend.ts'
import { FakeBrowser } from '../../support/browser.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'

type Auth = ReturnType<typeof createAuth<PasswordCredentials>>

useFakeClock()

const base = 'https://api.example/v1'

let backend: ManualBackend
let auth: Auth
let api: ReturnType<typeof createApiClient>
let sent: Sent[]
let fetch: typeof globalThis.fetch
let arrived: (count: number) => Promise<void>

beforeEach(() => {
  ;({ fetch, sent, arrived } = createStubApi())
  backend = createManualBackend()
  auth = createAuth({ backend, tabs: new FakeBrowser().openTab(), random: () => 0 })
  api = createApiClient({ baseURL: base, auth, fetch })
})

async function signIn(grant = grantFor()) {
  const signedIn = auth.login({ username: 'ada', password: 'secret' })
  await elapse()
  backend.latest('login').grant(grant)
  await signedIn
  return grant
}

async function grantNext() {
  const next = grantFor()
  backend.latest('refresh').grant(next)
  await elapse()
  return next
}

/** An answer whose body comes bit by bit. */
function createBody({ type = 'text/event-stream', status = 200 } = {}) {
  let controller!: ReadableStreamDefaultController<Uint8Array>
  const cancel = vi.fn<() => void>()
  const body = new ReadableStream<Uint8Array>({ start: (it) => void (controller = it), cancel })
  const isOver = () => cancel.mock.calls.length > 0
  return {
    answer: new Response(body, { status, headers: { 'content-type': type } }),
    send: (text: string) => isOver() || controller.enqueue(Buffer.from(text)),
    close: () => isOver() || controller.close(),
    cancel,
  }
}

function decode({ response }: FetchContext): void {
  const stream = response!._data as ReadableStream<Uint8Array<ArrayBuffer>>
  response!._data = stream.pipeThrough(new TextDecoderStream())
}

async function openStream(options: object) {
  const url = `${base}/events`
  const opened = api.raw(url, options)
  await elapse()
  const body = createBody()
  sent.at(-1)!.answer(withProperties(body.answer, { url, redirected: true, type: 'cors' }))
  const response = await opened
  const reader = (response._data as ReadableStream).getReader()
  async function read() {
    const { value } = await reader.read()
    return value && Buffer.from(value).toString()
  }
  return { ...body, response, read }
}

/** What `fetch` alone can give a response. */
function withProperties(response: Response, properties: Partial<Response>): Response {
  for (const [key, value] of Object.entries(properties)) {
    Object.defineProperty(response, key, { value })
  }
  return response
}

describe('one request', () => {
  it('carries the token and brings the answer', async () => {
    const grant = await signIn()
    const answer = outcome(api('/projects', { query: { page: 2 } }))
    await elapse()
    expect(sent).toMatchObject([{ url: `${base}/projects?page=2`, token: bearer(grant) }])
    sent[0]!.answer(ok([1]))
    await elapse()
    expect(answer.value).toEqual([1])
  })

  it('carries no token for a visitor, and a 401 is theirs to see', async () => {
    const answer = outcome(api('/projects'))
    await elapse()
    sent[0]!.answer(unauthorized())
    await elapse()
    expect(sent).toMatchObject([{ token: null }])
    expect(answer.reason).toBeInstanceOf(FetchError)
    expect(answer.reason).toMatchObject({ status: 401, data: { message: 'expired' } })
  })

  it('carries no token with `auth: false`, alone or as the default of an instance', async () => {
    await signIn()
    void api('/health', { auth: false })
    void api.create({ auth: false })('/health')
    await elapse()
    expect(sent.map(({ token }) => token)).toEqual([null, null])
  })

  it('leaves an Authorization header of the caller as it is', async () => {
    await signIn()
    const answer = outcome(api('/other', { headers: { Authorization: 'Basic YTpi' } }))
    await elapse()
    sent[0]!.answer(unauthorized())
    await elapse()
    expect(sent).toMatchObject([{ token: 'Basic YTpi' }])
    expect(answer.reason).toMatchObject({ status: 401 })
  })

  it('takes the session from a function when a request begins, not before', async () => {
    const source = vi.fn<() => typeof auth>(() => auth)
    const late = createApiClient({ baseURL: base, auth: source, fetch })
    expect(source).not.toHaveBeenCalled()
    const grant = await signIn()
    void late('/projects')
    await elapse()
    expect(sent[0]!.token).toBe(bearer(grant))
  })

  it('shows no token in an error', async () => {
    const grant = await signIn()
    const answer = outcome(api('/projects'))
    await elapse()
    sent[0]!.answer(new Response('broken', { status: 500 }))
    await elapse()
    sent[1]!.answer(new Response('broken', { status: 500 }))
    await elapse()
    const error = answer.reason as FetchError
    const headers = [...((error.options?.headers ?? []) as Headers)]
    expect(error.status).toBe(500)
    expect(JSON.stringify([error.message, error.stack, headers, error])).not.toContain(
      grant.accessToken,
    )
  })
})

describe('R5: the token goes to the API alone', () => {
  it.each([
    'https://evil.example/v1/projects',
    'https://api.example.evil.example/v1',
    'http://api.example/v1/projects',
    'https://api.example:8443/v1',
    '//evil.example/v1',
  ])('not to %s', async (url) => {
    vi.stubGlobal('location', { href: 'https://app.example/' })
    await signIn()
    for (const target of [new URL(url, 'https://app.example'), new Request(new URL(url, base))]) {
      const answer = outcome(api(target as unknown as string))
      await elapse()
      const request = sent.at(-1)!
      expect(request.token).toBeNull()
      request.answer(unauthorized())
      await elapse()
      expect(answer.reason).toMatchObject({ status: 401 })
    }
    expect(backend.count('refresh')).toBe(0)
  })

  it('not elsewhere by a Request of another window, such as that of an iframe', async () => {
    vi.stubGlobal('location', { href: 'https://app.example/' })
    await signIn()
    const stub = vi.fn<typeof fetch>(async () => ok())
    const page = createApiClient({ auth, fetch: stub })
    const foreign = new Request('https://evil.example/x')
    // Another window has another Request, and Node none to send what is not of its own.
    const members = Object.getOwnPropertyDescriptors(Request.prototype)
    Object.setPrototypeOf(foreign, Object.create(null, members))
    expect(foreign).not.toBeInstanceOf(Request)
    await page(foreign).catch(() => {})
    const headers = stub.mock.calls.map(([, init]) => new Headers(init!.headers))
    expect(headers.filter((it) => it.has('authorization'))).toEqual([])
  })

  it('not to a base URL that others have put into Object.prototype', async () => {
    vi.stubGlobal('location', { href: 'https://app.example/' })
    const grant = await signIn()
    const stub = vi.fn<typeof fetch>(async () => ok())
    const polluted = Object.prototype as { baseURL?: string }
    polluted.baseURL = 'https://evil.example'
    try {
      await createApiClient({ auth, fetch: stub })('/projects')
      const authFetch = createAuthFetch({ auth, fetch: stub })
      await authFetch('/api/projects')
      await authFetch('https://evil.example/projects')
    } finally {
      delete polluted.baseURL
    }
    const tokens = stub.mock.calls.map(([url, init]) => [
      new URL(String(url), 'https://app.example').href,
      new Headers(init!.headers).get('authorization'),
    ])
    expect(tokens).toEqual([
      ['https://app.example/api/projects', bearer(grant)],
      ['https://app.example/api/projects', bearer(grant)],
      ['https://evil.example/projects', null],
    ])
  })

  it('not to another base URL', async () => {
    await signIn()
    void api('/x', { baseURL: 'https://evil.example' })
    void api.create({ baseURL: 'https://evil.example' })('/x')
    await elapse()
    expect(sent.map(({ url, token }) => [url, token])).toEqual([
      ['https://evil.example/x', null],
      ['https://evil.example/x', null],
    ])
  })

  it('but to it, however it is addressed', async () => {
    const grant = await signIn()
    const url = `${base}/projects`
    for (const target of [url, new URL(url), new Request(url)]) void api(target as string)
    await elapse()
    expect(sent.map(({ token }) => token)).toEqual([bearer(grant), bearer(grant), bearer(grant)])
  })
})

describe('a 401', () => {
  it('R1: ten at once cause one refresh, and each is sent once more', async () => {
    await signIn()
    const answers = Array.from({ length: 10 }, (_, n) => outcome(api(`/items/${n}`)))
    await elapse()
    for (const request of sent) request.answer(unauthorized())
    await elapse()
    expect(backend.count('refresh')).toBe(1)
    expect(sent).toHaveLength(10)
    const next = await grantNext()
    expect(sent).toHaveLength(20)
    for (const request of sent.slice(10)) {
      expect(request.token).toBe(bearer(next))
      request.answer(ok(request.url))
    }
    await elapse()
    expect(answers.map(({ value }) => value)).toEqual(
      Array.from({ length: 10 }, (_, n) => `${base}/items/${n}`),
    )
  })

  it('R2: no request leaves while its token is being replaced', async () => {
    await signIn()
    void api('/first')
    await elapse()
    sent[0]!.answer(unauthorized())
    await elapse()
    void api('/second')
    await elapse()
    expect(sent).toHaveLength(1)
    const next = await grantNext()
    expect(sent.slice(1).map(({ token }) => token)).toEqual([bearer(next), bearer(next)])
  })

  it('R2: a token past its lifetime is not sent', async () => {
    await signIn()
    await elapse(900_000)
    void api('/late')
    await elapse()
    expect(sent).toEqual([])
    const next = await grantNext()
    expect(sent).toMatchObject([{ token: bearer(next) }])
  })

  it('R3: a late 401 is replayed without a second refresh', async () => {
    await signIn()
    void api('/early')
    void api('/late')
    await elapse()
    const [early, late] = sent
    early!.answer(unauthorized())
    await elapse()
    const next = await grantNext()
    sent.at(-1)!.answer(ok())
    late!.answer(unauthorized())
    await elapse()
    expect(backend.count('refresh')).toBe(1)
    expect(sent).toHaveLength(4)
    expect(sent.at(-1)).toMatchObject({ url: `${base}/late`, token: bearer(next) })
  })

  it('R3, R4: where a late one is replayed in vain, the next call refreshes', async () => {
    await signIn()
    void api('/early')
    const late = outcome(api('/late'))
    await elapse()
    sent[0]!.answer(unauthorized())
    await elapse()
    await grantNext()
    sent[1]!.answer(unauthorized())
    await elapse()
    sent.at(-1)!.answer(unauthorized())
    await elapse()
    expect([late.reason, backend.count('refresh')]).toMatchObject([{ status: 401 }, 1])

    // The token of the replay did not come from a refresh that it had waited for.
    void api('/late')
    await elapse()
    sent.at(-1)!.answer(unauthorized())
    await elapse()
    expect(backend.count('refresh')).toBe(2)
  })

  it('has a body that nobody reads: it is thrown away when the call is replayed', async () => {
    await signIn()
    void api('/projects')
    await elapse()
    const { answer, cancel } = createBody({ status: 401 })
    sent[0]!.answer(answer)
    await elapse()
    expect(cancel).toHaveBeenCalledOnce()
  })

  it('R4: a second one goes to the caller as it came, and the session stays', async () => {
    await signIn()
    const answer = outcome(api('/never'))
    await elapse()
    sent[0]!.answer(unauthorized())
    await elapse()
    await grantNext()
    sent[1]!.answer(Response.json({ message: 'still no' }, { status: 401 }))
    await elapse()
    expect(sent).toHaveLength(2)
    expect(answer.reason).toBeInstanceOf(FetchError)
    expect(answer.reason).toMatchObject({ status: 401, data: { message: 'still no' } })
    expect(auth.status.value).toBe('authenticated')
  })

  it('R4: a second one is the last, though ofetch has tried again in between', async () => {
    await signIn()
    const answer = outcome(api('/a'))
    await elapse()
    sent[0]!.answer(unauthorized())
    await elapse()
    await grantNext()
    sent[1]!.answer(new Response(null, { status: 503 }))
    await elapse()
    sent[2]!.answer(unauthorized())
    await elapse()
    expect(answer.reason).toMatchObject({ status: 401 })
    expect([sent.length, backend.count('refresh')]).toEqual([3, 1])
  })

  it('R5: one of another origin, where a redirect has led, is no word about the token', async () => {
    const { accessToken } = await signIn()
    const answer = outcome(api('/download'))
    await elapse()
    const elsewhere = { redirected: true, url: 'https://files.example/a' }
    sent[0]!.answer(withProperties(unauthorized(), elsewhere))
    await elapse()
    expect(answer.reason).toMatchObject({ status: 401 })
    expect(auth.sessions.current()!.tokenToSend()).toBe(accessToken)
  })

  it('is replayed where a redirect has led to the API itself', async () => {
    await signIn()
    const answer = outcome(api('/moved'))
    await elapse()
    const here = { redirected: true, url: 'https://api.example/v1/here' }
    sent[0]!.answer(withProperties(unauthorized(), here))
    await elapse()
    await grantNext()
    sent[1]!.answer(ok())
    await elapse()
    expect(answer.value).toEqual({ ok: true })
  })

  it("leaves the caller's own retry for other statuses as it is", async () => {
    await signIn()
    const answer = outcome(api('/shaky', { retry: 2, retryDelay: 10 }))
    await elapse()
    sent[0]!.answer(unauthorized())
    await elapse()
    await grantNext()
    sent[1]!.answer(new Response(null, { status: 503 }))
    await elapse(10)
    sent[2]!.answer(new Response(null, { status: 503 }))
    await elapse(10)
    sent[3]!.answer(ok())
    await elapse()
    expect(answer.value).toEqual({ ok: true })
  })

  it('leaves a request that the network lost to be tried again as ofetch does', async () => {
    await signIn()
    const fetch = vi.fn<typeof globalThis.fetch>(async () => ok())
    fetch.mockRejectedValueOnce(new TypeError('Failed to fetch'))
    const client = createApiClient({ baseURL: base, auth, fetch })
    await expect(client('/a', { retry: 1 })).resolves.toEqual({ ok: true })
    expect(fetch).toHaveBeenCalledTimes(2)
  })

  it("calls the caller's own hooks for the answer that the caller gets, and for no other", async () => {
    await signIn()
    const seen: number[] = []
    const answer = outcome(
      api('/hooked', {
        ignoreResponseError: true,
        onResponse: ({ response }) => void seen.push(response.status),
      }),
    )
    await elapse()
    sent[0]!.answer(unauthorized())
    await elapse()
    await grantNext()
    sent[1]!.answer(ok())
    await elapse()
    expect(answer.value).toEqual({ ok: true })
    expect(seen).toEqual([200])
  })

  it('is replayed through `raw` and through an instance made by `create`', async () => {
    await signIn()
    const instance = api.create({ headers: { 'x-app': 'demo' } })
    const answer = outcome(instance.raw('/raw'))
    await elapse()
    sent[0]!.answer(unauthorized())
    await elapse()
    await grantNext()
    sent[1]!.answer(ok())
    await elapse()
    expect(answer.value).toMatchObject({ status: 200, _data: { ok: true } })
    expect(sent[1]!.headers.get('x-app')).toBe('demo')
  })

  it('has of all defaults that `create` is given the first, as ofetch has it', async () => {
    const options = { baseURL: `${base}/first` }
    const instance = api.create(options, { defaults: { baseURL: `${base}/second` } })
    void instance('/x')
    await elapse()
    expect(sent[0]!.url).toBe(`${base}/first/x`)
  })
})

describe('the session', () => {
  it('R6: its end rejects every request at once, and aborts it', async () => {
    await signIn()
    const answer = outcome(api('/slow'))
    await elapse()
    void auth.logout()
    await elapse()
    expect(answer.reason).toBeInstanceOf(SessionEndedError)
    expect(answer.reason).toMatchObject({ reason: 'signed-out' })
    expect(sent).toHaveLength(1)
    expect(sent[0]!.signal.aborted).toBe(true)
  })

  it('R12: a request is not sent when the session ends just as its token has come', async () => {
    await signIn()
    await elapse(16 * 60_000)
    void auth.refresh().then(() => auth.logout())
    const answer = outcome(api('/projects'))
    await elapse()
    await grantNext()
    expect(answer.reason).toBeInstanceOf(SessionEndedError)
    expect(sent).toHaveLength(0)
  })

  it('R6: a request that is to be tried again is not, with no token in it either', async () => {
    await signIn()
    const own = { authorization: 'Basic YTpi' }
    const retry = { retry: 1, retryDelay: 1_000 }
    for (const path of ['https://elsewhere.example/a', '/b']) {
      api(path, { ...retry, headers: path === '/b' ? own : {} }).catch(() => {})
    }
    await elapse()
    for (const request of sent) request.answer(new Response(null, { status: 503 }))
    await elapse(500)
    void auth.logout()
    await elapse(1_000)
    expect(sent).toHaveLength(2)
  })

  it('R6: its end aborts a request whose caller can abort it', async () => {
    await signIn()
    const answer = outcome(api('/slow', { signal: new AbortController().signal }))
    await elapse()
    void auth.logout()
    await elapse()
    expect(answer.reason).toBeInstanceOf(SessionEndedError)
    expect(sent[0]!.signal.aborted).toBe(true)
  })

  it('R11: a hook that throws nothing at all still rejects the call', async () => {
    await signIn()
    const onResponse = () => Promise.reject(undefined)
    const answer = outcome(api('/projects', { onResponse }))
    await elapse()
    sent[0]!.answer(ok())
    await elapse()
    expect(answer.state).toBe('rejected')
  })

  it('R6: what was begun in one session is not sent in the next', async () => {
    await signIn()
    const answer = outcome(api('/transfer', { method: 'POST', body: { amount: 1 } }))
    await elapse()
    sent[0]!.answer(unauthorized())
    await elapse()
    const signedIn = auth.login({ username: 'bob', password: 'secret' })
    backend.latest('refresh').fail(httpError(503))
    await elapse()
    backend.latest('login').grant(grantFor(bob))
    await signedIn
    await elapse(60_000)
    expect(answer.state).toBe('rejected')
    expect(sent).toHaveLength(1)
  })

  it('R6: an answer that came before the end but is read after it does not reach its caller', async () => {
    await signIn()
    const answer = outcome(api('/slow'))
    await elapse()
    const body = createBody({ type: 'application/json' })
    sent[0]!.answer(body.answer)
    body.send('{"private":')
    await elapse()
    void auth.logout()
    body.send('1}')
    body.close()
    await elapse()
    expect(answer.reason).toBeInstanceOf(SessionEndedError)
  })

  it.each(['onResponse', 'onResponseError', 'parseResponse'])(
    'R6: nor does it reach the %s of the caller, or of an instance',
    async (hook) => {
      await signIn()
      const seen = vi.fn<() => void>()
      const hooks = { [hook]: hook === 'onResponse' ? [seen] : seen }
      const answers = [api('/a', hooks), api.create(hooks)('/a')].map(outcome)
      await elapse()
      const bodies = sent.map(({ answer }) => {
        const status = hook === 'onResponseError' ? 400 : 200
        const body = createBody({ type: 'application/json', status })
        answer(body.answer)
        return body
      })
      await elapse()
      void auth.logout()
      for (const { send, close } of bodies) {
        send('{"private":1}')
        close()
      }
      await elapse()
      expect(answers.map(({ reason }) => reason)).toEqual(
        Array(2).fill(expect.any(SessionEndedError)),
      )
      expect(seen).not.toHaveBeenCalled()
    },
  )

  it('before its end they see all of it, with what ofetch gives them', async () => {
    await signIn()
    const onResponse = vi.fn<(context: FetchContext) => void>()
    const onResponseError = vi.fn<(context: FetchContext) => void>()
    const options = { onResponse: [onResponse, onResponse], onResponseError, retry: 0 as const }
    const answers = ['/a', '/b'].map((path) =>
      outcome(api(path, { ...options, parseResponse: (text) => text.length })),
    )
    await elapse()
    sent[0]!.answer(ok({ a: 1 }))
    sent[1]!.answer(Response.json({}, { status: 400 }))
    await elapse()
    expect(answers[0]!.value).toBe('{"a":1}'.length)
    expect(answers[1]!.reason).toMatchObject({ status: 400, data: 2 })
    expect(onResponse).toHaveBeenCalledTimes(4)
    expect(onResponseError).toHaveBeenCalledOnce()
    expect(onResponse.mock.lastCall![0].response!._data).toBe(2)
  })

  it.each([
    ['asked for', { responseType: 'stream' }],
    ['of events', {}],
    ['that its caller can abort', { signal: new AbortController().signal }],
    ['that a hook has decoded', { onResponse: decode }],
  ] as const)('R6: a stream %s brings nothing more after the end', async (_, options) => {
    await signIn()
    const { read, send, cancel } = await openStream(options)
    send('of ada')
    expect(await read()).toBe('of ada')
    void auth.logout()
    await elapse()
    await expect(read()).rejects.toBeInstanceOf(SessionEndedError)
    expect(cancel).toHaveBeenCalledOnce()
  })

  it('R6: what has come of a stream, and was not read before the end, is not given out', async () => {
    await signIn()
    const answer = api('/export', { responseType: 'stream' })
    await elapse()
    let left = 50
    const pull = (chunks: ReadableStreamDefaultController) =>
      left-- > 0 ? chunks.enqueue(new Uint8Array(1_000)) : chunks.close()
    sent[0]!.answer(new Response(new ReadableStream({ pull })))
    const reader = ((await answer) as ReadableStream).getReader()
    await reader.read()
    await elapse(10)
    void auth.logout()
    await expect(reader.read()).rejects.toThrow(SessionEndedError)
  })

  it('R6: a stream that is an error brings nothing more after the end', async () => {
    await signIn()
    const answer = outcome(api('/events', { responseType: 'stream', retry: 0 }))
    await elapse()
    const { answer: response, send, cancel } = createBody({ status: 500 })
    sent[0]!.answer(response)
    await elapse()
    expect(answer.reason).toMatchObject({ status: 500 })
    const reader = ((answer.reason as FetchError).data as ReadableStream<Uint8Array>).getReader()
    send('of ada')
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('of ada')
    void auth.logout()
    await elapse()
    await expect(reader.read()).rejects.toBeInstanceOf(SessionEndedError)
    expect(cancel).toHaveBeenCalledOnce()
  })

  it('a stream comes with the response as it is, and ends with its last piece', async () => {
    await signIn()
    const onResponse = ({ response }: FetchContext) => void Object.assign(response!, { took: 5 })
    const { response, read, send, close } = await openStream({ onResponse })
    expect(response).toMatchObject({ ok: true, status: 200, url: `${base}/events` })
    expect(response).toMatchObject({ redirected: true, type: 'cors', took: 5 })
    expect(response._data).toBe(response.body)
    send('last')
    close()
    expect([await read(), await read()]).toEqual(['last', undefined])
  })

  it('R11: a stream may take as long as it likes to begin', async () => {
    await signIn()
    api = createApiClient({ baseURL: base, auth, fetch, readTimeout: 1_000 })
    const opened = outcome(api.raw('/events', { responseType: 'stream' }))
    await elapse(60_000)
    sent[0]!.answer(createBody().answer)
    await elapse()
    expect(opened.state).toBe('fulfilled')
  })

  it('R7: a refresh that fails is told to all who waited, as it is', async () => {
    await signIn()
    const answers = [outcome(api('/a')), outcome(api('/b', { retry: 3, retryDelay: 10 }))]
    await elapse()
    for (const request of sent) request.answer(unauthorized())
    await elapse()
    const error = httpError(503)
    backend.latest('refresh').fail(error)
    await elapse()
    expect(answers.map(({ reason }) => reason)).toEqual([error, error])
    // Nothing goes on behind their backs.
    await elapse(60_000)
    expect(sent).toHaveLength(2)
    expect(backend.count('refresh')).toBe(1)
  })

  it('R7: a refresh that fails is told as it is, though a hook throws what it was told', async () => {
    await signIn()
    const rethrow = ({ error }: FetchContext) => {
      throw error
    }
    const answer = outcome(api('/a', { onRequestError: rethrow }))
    await elapse()
    sent[0]!.answer(unauthorized())
    await elapse()
    const error = httpError(503)
    backend.latest('refresh').fail(error)
    await elapse()
    expect(answer.reason).toBe(error)
  })

  it('R8: a refresh that is refused rejects all who waited with SessionEndedError', async () => {
    await signIn()
    const answers = [outcome(api('/a')), outcome(api('/b'))]
    await elapse()
    for (const request of sent) request.answer(unauthorized())
    await elapse()
    backend.latest('refresh').fail(httpError(401))
    await elapse()
    for (const { reason } of answers) {
      expect(reason).toBeInstanceOf(SessionEndedError)
      expect(reason).toMatchObject({ reason: 'expired' })
    }
  })
})

describe('R9: abort', () => {
  const reason = new Error('no longer wanted')

  it('before: nothing is sent', async () => {
    await signIn()
    await expect(api('/a', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(sent).toEqual([])
  })

  it.each(['its signal', 'the signal of its Request'])('under way, by %s', async (by) => {
    await signIn()
    const { signal, abort } = controlled()
    const answer = outcome(
      by === 'its signal' ? api('/a', { signal }) : api(new Request(`${base}/a`, { signal })),
    )
    await elapse()
    abort()
    await elapse()
    expect(answer.reason).toBe(reason)
    expect(sent[0]!.signal.aborted).toBe(true)
  })

  it.each(['of a visitor', 'with auth: false'])('a request %s', async (whose) => {
    if (whose !== 'of a visitor') await signIn()
    const { signal, abort } = controlled()
    const answer = outcome(
      api('/a', whose === 'of a visitor' ? { signal } : { signal, auth: false }),
    )
    await elapse()
    abort()
    await elapse()
    expect(answer.reason).toBe(reason)
    expect(sent[0]!.signal.aborted).toBe(true)
  })

  it('while it waits for the refresh: the others and the refresh go on', async () => {
    await signIn()
    const { signal, abort } = controlled()
    const answers = [outcome(api('/a', { signal })), outcome(api('/b'))]
    await elapse()
    for (const request of sent) request.answer(unauthorized())
    await elapse()
    abort()
    await elapse()
    expect(answers[0]!.reason).toBe(reason)
    expect(backend.latest('refresh').signal?.aborted).toBe(false)
    await grantNext()
    expect(sent.map(({ url }) => url)).toEqual([`${base}/a`, `${base}/b`, `${base}/b`])
    sent[2]!.answer(ok())
    await elapse()
    expect(answers[1]!.state).toBe('fulfilled')
  })

  it.each(['of a person', 'of a visitor'])('%s, during a pause before a retry', async (whose) => {
    if (whose === 'of a person') await signIn()
    const { signal, abort } = controlled()
    const answer = outcome(api('/a', { signal, retry: 1, retryDelay: 5_000 }))
    await elapse()
    sent[0]!.answer(new Response(null, { status: 503 }))
    await elapse(1_000)
    abort()
    await elapse()
    expect(answer.reason).toBe(reason)
    await elapse(60_000)
    expect(sent).toHaveLength(1)
  })

  it('of a stream, by its signal: it breaks off with the reason, and so does the request', async () => {
    await signIn()
    const { signal, abort } = controlled()
    const { read, cancel } = await openStream({ signal })
    abort()
    await expect(read()).rejects.toBe(reason)
    expect(cancel).toHaveBeenCalledOnce()
  })

  it('of a call of nobody: `signal: null` takes away the signal of its Request', async () => {
    const controller = new AbortController()
    const request = new Request(`${base}/x`, { signal: controller.signal })
    const answer = outcome(
      createAuthFetch({ auth, baseURL: base, fetch })(request, { signal: null }),
    )
    await arrived(1)
    controller.abort()
    sent[0]!.answer(ok())
    await elapse()
    expect(answer.state).toBe('fulfilled')
  })

  it('of a call of createAuthFetch, by the signal of its Request', async () => {
    await signIn()
    const { signal, abort } = controlled()
    const authFetch = createAuthFetch({ auth, baseURL: base, fetch })
    const answer = outcome(authFetch(new Request(`${base}/a`, { signal })))
    await elapse()
    abort()
    await elapse()
    expect(answer.reason).toBe(reason)
    expect(sent[0]!.signal.aborted).toBe(true)
  })

  it('ofetch does not try again what is aborted: no hook is called once more', async () => {
    await signIn()
    const { signal, abort } = controlled()
    const onRequest = vi.fn<() => void>()
    const answer = outcome(api('/a', { signal, onRequest, retry: 3 }))
    await elapse()
    abort()
    await elapse(1_000)
    expect(answer.reason).toBe(reason)
    expect(onRequest).toHaveBeenCalledOnce()
  })

  it('of a Request, by the signal of the instance', async () => {
    await signIn()
    const { signal, abort } = controlled()
    const answer = outcome(api.create({ signal })(new Request(`${base}/a`)))
    await elapse()
    abort()
    await elapse()
    expect(answer.reason).toBe(reason)
    expect(sent[0]!.signal.aborted).toBe(true)
  })

  it('of a Request with a time limit, while it waits for the refresh: it is not sent', async () => {
    await signIn()
    await elapse(16 * 60_000)
    const { signal, abort } = controlled()
    const answer = outcome(api(new Request(`${base}/a`, { signal }), { timeout: 60_000 }))
    await elapse()
    abort()
    await elapse()
    expect(answer.reason).toBe(reason)
    await grantNext()
    expect(sent).toHaveLength(0)
  })

  it('by a hook, before it is sent: no refresh is begun for it', async () => {
    await signIn()
    await elapse(16 * 60_000)
    const onRequest = ({ options }: FetchContext) => {
      options.signal = AbortSignal.abort(reason)
    }
    const answer = outcome(api('/a', { onRequest }))
    await elapse()
    expect(answer.reason).toMatchObject({ cause: reason })
    expect([sent.length, backend.count('refresh')]).toEqual([0, 0])
  })

  it('R15: leaves no listener on a signal that many calls share', async () => {
    await signIn()
    const { signal } = new AbortController()
    const onRequest = ({ options }: FetchContext) => {
      options.signal = signal
    }
    await elapse(16 * 60_000)
    const plain = createApiClient({ baseURL: base, auth, fetch: async () => ok() })
    const answers = [1, 2, 3].map((n) => outcome(plain(`/${n}`, { onRequest })))
    await elapse()
    await grantNext()
    expect(answers.map(({ state }) => state)).toEqual(Array(3).fill('fulfilled'))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it.each([
    ['', '/a', { retry: false }],
    [', tried again', '/a', {}],
    [' of a Request', new Request(`${base}/a`), {}],
  ] as const)(
    "ofetch's own time limit%s holds while it waits for the refresh",
    async (_, request, options) => {
      await signIn()
      const answer = outcome(api(request, { timeout: 1_000, ...options }))
      await elapse()
      sent[0]!.answer(unauthorized())
      await elapse(999)
      expect(answer.state).toBe('pending')
      await elapse(1)
      expect(answer.reason).toBeInstanceOf(FetchError)
      expect(answer.reason).toMatchObject({ cause: { name: 'TimeoutError' } })
      await grantNext()
      expect(sent).toHaveLength(1)
    },
  )

  function controlled() {
    const controller = new AbortController()
    return { signal: controller.signal, abort: () => controller.abort(reason) }
  }
})

describe('R10: the same bytes', () => {
  const form = new FormData()
  form.set('name', 'ä')
  form.set('file', new Blob([new Uint8Array([0, 255, 10, 13])]), 'a.bin')

  const bodies: [string, () => BodyInit | Record<string, unknown>][] = [
    ['JSON', () => ({ name: 'ä', nested: [1, null] })],
    ['a string', () => 'plain ä'],
    ['FormData', () => form],
    ['a Blob', () => new Blob([new Uint8Array([1, 2, 0, 255])], { type: 'image/x-test' })],
    ['URLSearchParams', () => new URLSearchParams({ q: 'ä b' })],
    ['a typed array', () => new Uint8Array([9, 8, 0, 255])],
    ['part of a buffer', () => new Uint16Array(new Uint16Array([1, 2, 3, 4]).buffer, 2, 2)],
    ['an ArrayBuffer', () => new Uint8Array([7, 0, 255]).buffer],
  ]

  it.each(bodies)('%s', async (_, body) => {
    await signIn()
    const answer = outcome(api('/upload', { method: 'POST', body: body() }))
    await arrived(1)
    sent[0]!.answer(unauthorized())
    await elapse()
    await grantNext()
    await arrived(2)
    sent[1]!.answer(ok())
    await elapse()
    expect(answer.state).toBe('fulfilled')
    expect(sent[0]!.bytes).not.toBe('')
    expect(sent[1]!.bytes).toBe(sent[0]!.bytes)
    expect(sent[1]!.headers.get('content-type')).toBe(sent[0]!.headers.get('content-type'))
    expect(sent[1]!.method).toBe('POST')

    // And they are those that ofetch sends without a session.
    void api('/upload', { method: 'POST', body: body(), auth: false })
    await arrived(3)
    const withoutBoundary = (text: string | null) => text?.replaceAll(/-*formdata-[\w-]+/gi, '')
    expect(withoutBoundary(sent[2]!.bytes)).toBe(withoutBoundary(sent[0]!.bytes))
    expect(withoutBoundary(sent[2]!.headers.get('content-type'))).toBe(
      withoutBoundary(sent[0]!.headers.get('content-type')),
    )
  })

  it('with the content type that its caller gave', async () => {
    await signIn()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    void api('/upload', { method: 'POST', body: new URLSearchParams({ a: '1' }), headers })
    await arrived(1)
    expect(sent[0]!.headers.get('content-type')).toBe('application/x-www-form-urlencoded')
  })

  it('a Request with a body', async () => {
    await signIn()
    const answer = outcome(
      api(new Request(`${base}/upload`, { method: 'PUT', body: 'bytes' }), { retry: 0 }),
    )
    await arrived(1)
    sent[0]!.answer(unauthorized())
    await elapse()
    await grantNext()
    await arrived(2)
    sent[1]!.answer(ok())
    await elapse()
    expect(answer.state).toBe('fulfilled')
    expect(sent.map(({ method, bytes }) => [method, bytes])).toEqual([
      ['PUT', 'bytes'],
      ['PUT', 'bytes'],
    ])
  })

  it('also when the caller changes the body meanwhile', async () => {
    await signIn()
    const body = new Uint8Array([1, 2, 3])
    void api('/upload', { method: 'POST', body })
    await arrived(1)
    body.fill(0)
    sent[0]!.answer(unauthorized())
    await elapse()
    await grantNext()
    await arrived(2)
    expect(sent.map(({ bytes }) => bytes)).toEqual(['\x01\x02\x03', '\x01\x02\x03'])
  })

  it('a stream is not sent again: its caller gets the 401, which says why', async () => {
    await signIn()
    const body = new Blob(['once']).stream()
    const answer = outcome(api('/upload', { method: 'POST', body }))
    await arrived(1)
    expect(sent[0]!.bytes).toBe('once')
    sent[0]!.answer(unauthorized())
    await elapse()
    expect(answer.reason).toMatchObject({ status: 401, data: { message: 'expired' } })
    expect(String(answer.reason)).toMatch(/a stream cannot be sent again/)

    // The next one does not go out with the token that was rejected.
    void api('/next')
    await elapse()
    const next = await grantNext()
    expect(sent[1]!.token).toBe(bearer(next))
  })

  it('a stream that is not sent again leaves a failed refresh to those who ask for a token', async () => {
    await signIn()
    const body = new Blob(['once']).stream()
    const answer = outcome(api('/upload', { method: 'POST', body }))
    await arrived(1)
    sent[0]!.answer(unauthorized())
    await elapse()
    backend.latest('refresh').fail(httpError(503))
    await elapse() // An unhandled rejection fails the run.
    expect(answer.reason).toMatchObject({ status: 401 })
  })
})

/** The POST of the first person. Its hook may hold it back. */
let held: Promise<void> | undefined

beforeEach(() => {
  held = undefined
})

const transfer = () =>
  outcome(api('/transfer', { method: 'POST', body: { amount: 1 }, onRequest: () => held }))

let release = () => {}
const hold = () => (held = new Promise((resolve) => (release = resolve)))

/** Brings the POST to a point of its life, and says how it goes on from there. */
const points: Record<string, () => Promise<() => void>> = {
  'before it is sent': async () => () => release(),
  'on the wire': async () => {
    await elapse()
    return () => sent[0]!.answer(ok({ secret: 'of ada' }))
  },
  'while its answer is read': async () => {
    await elapse()
    const { readable, writable } = new TransformStream()
    sent[0]!.answer(new Response(readable, { headers: { 'content-type': 'application/json' } }))
    const writer = writable.getWriter()
    void writer.write(Buffer.from('{"secret":'))
    await elapse()
    return () => {
      writer.write(Buffer.from('"of ada"}')).catch(() => {})
      writer.close().catch(() => {})
    }
  },
  'refused, with its 401 on the wire': async () => {
    await elapse()
    return () => sent[0]!.answer(unauthorized())
  },
  'waiting for the refresh': async () => {
    await elapse()
    sent[0]!.answer(unauthorized())
    await elapse()
    return () => backend.latest('refresh').grant(grantFor(ada))
  },
  'during its replay': async () => {
    await elapse()
    sent[0]!.answer(unauthorized())
    await elapse()
    backend.latest('refresh').grant(grantFor(ada))
    await elapse()
    return () => sent[1]!.answer(ok({ secret: 'of ada' }))
  },
}

describe.each(Object.keys(points))('a request %s', (point) => {
  it('R6, R12: after a sign-out neither resolves nor goes out', async () => {
    await signIn()
    if (point === 'before it is sent') hold()
    const answer = transfer()
    const goOn = await points[point]!()
    const before = sent.length
    void auth.logout()
    goOn()
    await elapse(60_000)

    expect(answer.reason).toBeInstanceOf(SessionEndedError)
    expect(sent.slice(before)).toEqual([])
  })

  it('R6: after somebody else has signed in neither resolves nor goes out', async () => {
    await signIn()
    if (point === 'before it is sent') hold()
    const answer = transfer()
    const goOn = await points[point]!()
    const before = sent.length
    const signedIn = auth.login({ username: 'bob', password: 'secret' })
    await elapse()
    // A sign-in waits for a refresh under way; then its answer is the last one to come.
    if (backend.count('login') === 1) backend.latest('refresh').grant(grantFor(ada))
    await elapse()
    const seenSoFar = sent.length
    const grant = grantFor(bob)
    backend.latest('login').grant(grant)
    await signedIn
    goOn()
    await elapse(60_000)

    expect(answer.reason).toBeInstanceOf(SessionEndedError)
    expect(sent.slice(seenSoFar)).toEqual([])
    expect(sent.slice(before).map(({ token }) => token)).not.toContain(bearer(grant))
    expect(auth.user.value).toEqual(bob)
  })
})

it('R6: what a visitor began is not sent with the token of who signs in meanwhile', async () => {
  const answer = outcome(api('/newsletter', { method: 'POST', retry: 1, retryDelay: 1_000 }))
  await elapse()
  sent[0]!.answer(new Response(null, { status: 503 }))
  const signedIn = signIn()
  await signedIn
  await elapse(1_000)
  expect(sent.map(({ token }) => token)).toEqual([null, null])
  sent[1]!.answer(ok())
  await elapse()
  expect(answer.state).toBe('fulfilled')
})

describe('R15: many calls', () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void

  let answer: (token: string | null, init: RequestInit) => Response | Promise<Response>
  let api: ReturnType<typeof createApiClient>
  let auth: ReturnType<typeof createAuth>
  let refreshes: number

  beforeEach(async () => {
    vi.useRealTimers() // Garbage is collected between tasks, which no fake clock has.
    refreshes = 0
    auth = createAuth({
      backend: {
        login: async () => grantFor(),
        async refresh() {
          refreshes += 1
          return grantFor()
        },
        logout: async () => {},
      },
      tabs: new FakeBrowser().openTab(),
    })
    await auth.login({ username: 'ada', password: 'secret' })
    answer = () => Response.json(1)
    api = createApiClient({
      baseURL: 'https://api.example',
      auth,
      fetch: async (_, init) => answer(new Headers(init?.headers).get('authorization'), init!),
    })
  })

  // Node 20 keeps a dead WeakRef in a signal for each AbortSignal.any of it: about 130 bytes a call.
  it('2,000 calls, with and without a signal, leave nothing behind', async () => {
    const { signal } = new AbortController() // It outlives the calls, as that of a page does.
    const given: WeakRef<object>[] = []
    const options = (call: number) => (call % 2 ? { signal } : {})
    answer = (_, init) => {
      const response = Response.json(1)
      given.push(new WeakRef(response), new WeakRef(init), new WeakRef(init.signal!))
      return response
    }
    for (let n = 0; n < 20; n += 1) {
      await Promise.all(Array.from({ length: 100 }, (_, call) => api('/x', options(call))))
    }
    expect(given).toHaveLength(6_000)
    expect(getEventListeners(signal, 'abort')).toEqual([])
    expect(getEventListeners(auth.sessions.current()!.signal, 'abort')).toEqual([])

    // What a WeakRef was made of stays until the end of the task.
    await new Promise((resolve) => setTimeout(resolve))
    collectGarbage()
    expect(given.filter((it) => it.deref()).length).toBeLessThan(30)
  })

  it('1,000 calls that wait for one refresh: no warning, no listener left', async () => {
    const warnings: Error[] = []
    const warn = (warning: Error) => void warnings.push(warning)
    process.on('warning', warn)
    const { signal } = new AbortController()
    let refused = ''
    answer = (token) => {
      refused ||= token!
      return token === refused ? unauthorized() : Response.json(1)
    }
    await Promise.all(Array.from({ length: 1_000 }, () => api('/x', { signal })))
    await new Promise((resolve) => setTimeout(resolve))
    process.off('warning', warn)

    expect(refreshes).toBe(1)
    expect(warnings).toEqual([])
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('an event stream that is an error, and that nobody reads, leaves no listener', async () => {
    const { signal } = new AbortController()
    const headers = { 'content-type': 'text/event-stream' }
    answer = () => new Response('event: gone\n\n', { status: 404, headers })
    await expect(api('/events', { signal })).rejects.toMatchObject({ status: 404 })
    await vi.waitFor(() => expect(getEventListeners(signal, 'abort')).toEqual([]))
  })
})
