/** The same rules hold for every HTTP client on `createAuthFetch`. */
import axios from 'axios'
import ky from 'ky'
import { ofetch } from 'ofetch'
import createClient from 'openapi-fetch'
import { beforeEach, describe, expect, it } from 'vitest'
import { ApiError, SessionEndedError, createAuth, createAuthFetch } from '@/auth/index.ts'
import { createStubApi, ok, unauthorized } from '../support/api.ts'
import { createManualBackend, grantFor, httpError } from '../support/backend.ts'
import type { ManualBackend } from '../support/backend.ts'
import { FakeBrowser } from '../support/browser.ts'
import { elapse, outcome, useFakeClock } from '../support/time.ts'

useFakeClock()

type Fetch = typeof globalThis.fetch
interface Request {
  method?: 'GET' | 'POST'
  body?: object
  signal?: AbortSignal
}
/** Sends JSON, and resolves with the JSON of the answer or rejects with the client's error. */
type Client = (path: string, request?: Request) => Promise<unknown>

const baseURL = 'https://api.example/v1'

let backend: ManualBackend
let auth: ReturnType<typeof openTab>
let stub: ReturnType<typeof createStubApi>

function openTab() {
  return createAuth({ backend, tabs: new FakeBrowser().openTab() })
}

beforeEach(async () => {
  backend = createManualBackend()
  auth = openTab()
  stub = createStubApi()
  const signedIn = auth.login({ username: 'ada', password: 'secret' })
  await elapse()
  backend.latest('login').grant()
  await signedIn
})

const clients: [string, (fetch: Fetch) => Client][] = [
  ['ofetch', (fetch) => ofetch.create({ baseURL, retry: 0 }, { fetch }) as Client],
  [
    'axios',
    (fetch) => {
      const http = axios.create({ baseURL, adapter: 'fetch', env: { fetch } })
      return async (path, { method, body, signal } = {}) =>
        (await http.request({ url: path, method, data: body, signal })).data
    },
  ],
  [
    'ky',
    (fetch) => {
      const http = ky.create({ prefixUrl: baseURL, fetch, retry: 0 })
      return (path, { method, body, signal } = {}) =>
        http(path.slice(1), { method, json: body, signal }).json()
    },
  ],
  [
    'openapi-fetch',
    (fetch) => {
      const http = createClient<Record<string, Record<'get' | 'post', object>>>({
        baseUrl: baseURL,
        fetch,
      })
      return async (path, { method = 'GET', body, signal } = {}) => {
        const send = method === 'GET' ? http.GET : http.POST
        const { data, response } = await send(path, { body, signal } as never)
        if (!response.ok) throw Object.assign(new Error(), { response })
        return data
      }
    },
  ],
]

/** What a client's error is about: clients may wrap what `fetch` rejects with. */
function reasonOf(error: unknown): unknown {
  return (error as Error).cause ?? error
}

/** The end of the session has a cause of its own. */
function sessionEnd(error: unknown): unknown {
  return error instanceof SessionEndedError ? error : reasonOf(error)
}

const statusOf = (error: unknown) =>
  (error as { response?: Response }).response?.status ?? (error as { status?: number }).status

describe.each(clients)('%s', (_, create) => {
  const open = (api = baseURL) => create(createAuthFetch({ baseURL: api, auth, fetch: stub.fetch }))

  async function grantNext() {
    await elapse()
    const grant = grantFor()
    backend.latest('refresh').grant(grant)
    await elapse()
    return `Bearer ${grant.accessToken}`
  }

  it('R1, R10: ten 401s cause one refresh, and ten replays of the same bytes', async () => {
    const client = open()
    const answers = Array.from({ length: 10 }, (_, n) =>
      client('/notes', { method: 'POST', body: { n } }),
    )
    await stub.arrived(10)
    for (const { answer } of stub.sent) answer(unauthorized())
    const token = await grantNext()
    await stub.arrived(20)
    for (const { answer, bytes } of stub.sent.slice(10)) answer(ok(JSON.parse(bytes)))

    const numbers = Array.from({ length: 10 }, (_, n) => ({ n }))
    await expect(Promise.all(answers)).resolves.toEqual(numbers)
    expect(backend.count('refresh')).toBe(1)
    const replays = stub.sent.slice(10)
    expect(new Set(replays.map((sent) => sent.token))).toEqual(new Set([token]))
    expect(replays.map((sent) => sent.bytes).sort()).toEqual(
      stub.sent.slice(0, 10).map((sent) => sent.bytes),
    )
  })

  it('R2: a token past its lifetime is not sent', async () => {
    await elapse(900_000)
    const answer = open()('/notes')
    await elapse()
    expect(stub.sent).toEqual([])
    const token = await grantNext()
    await stub.arrived(1)
    stub.sent[0]!.answer(ok())
    await expect(answer).resolves.toEqual({ ok: true })
    expect(stub.sent[0]!.token).toBe(token)
  })

  it('R3: a late 401 is replayed without a second refresh', async () => {
    const late = open()('/slow')
    await stub.arrived(1)
    void auth.refresh()
    await grantNext()
    stub.sent[0]!.answer(unauthorized())
    await stub.arrived(2)
    stub.sent[1]!.answer(ok())
    await expect(late).resolves.toEqual({ ok: true })
    expect(backend.count('refresh')).toBe(1)
  })

  it('R4: a second 401 goes to the caller, and the session stays', async () => {
    const answer = outcome(open()('/broken'))
    await stub.arrived(1)
    stub.sent[0]!.answer(unauthorized())
    await grantNext()
    await stub.arrived(2)
    stub.sent[1]!.answer(unauthorized())
    await settled(answer)
    expect(statusOf(answer.reason)).toBe(401)
    expect(auth.status.value).toBe('authenticated')
  })

  it('R5: another origin than that of the API gets no token', async () => {
    void open('https://other.example')('/notes').catch(() => {})
    await stub.arrived(1)
    expect(stub.sent[0]).toMatchObject({ url: `${baseURL}/notes`, token: null })
  })

  it('R6: signing out rejects what is under way with SessionEndedError', async () => {
    const answer = outcome(open()('/notes'))
    await stub.arrived(1)
    void auth.logout()
    await settled(answer)
    expect(sessionEnd(answer.reason)).toMatchObject({ reason: 'signed-out' })
    expect(stub.sent[0]!.signal.aborted).toBe(true)
  })

  it('R7: a temporary failure of the refresh reaches the caller as it is', async () => {
    const answer = outcome(open()('/notes'))
    await stub.arrived(1)
    stub.sent[0]!.answer(unauthorized())
    await elapse()
    const failure = new ApiError('POST /auth/refresh', new Response(null, { status: 503 }), null)
    backend.latest('refresh').fail(failure)
    await settled(answer)
    expect(reasonOf(answer.reason)).toBe(failure)
    expect(auth.status.value).toBe('authenticated')
  })

  it('R8: a refused refresh rejects with SessionEndedError', async () => {
    const answer = outcome(open()('/notes'))
    await stub.arrived(1)
    stub.sent[0]!.answer(unauthorized())
    await elapse()
    backend.latest('refresh').fail(httpError(401))
    await settled(answer)
    expect(sessionEnd(answer.reason)).toMatchObject({ reason: 'expired' })
  })

  it('R9: an aborted call rejects while it waits, and is not sent', async () => {
    await elapse(900_000)
    const controller = new AbortController()
    const answer = outcome(open()('/notes', { signal: controller.signal }))
    await elapse()
    controller.abort()
    await settled(answer)
    await grantNext()
    expect(answer.state).toBe('rejected')
    expect(stub.sent).toEqual([])
  })

  /** A client may take some turns of the event loop to tell its caller. */
  async function settled(answer: { state: string }) {
    for (let turn = 0; answer.state === 'pending' && turn < 100; turn += 1) await elapse()
  }
})
