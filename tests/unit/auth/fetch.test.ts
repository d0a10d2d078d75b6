// @vitest-environment node
/** What is sent, with which token, and what reaches the caller. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { SessionEndedError, createApiClient, createAuthFetch } from '@/auth/index.ts'
import { bearer, createStubApi, ok, unauthorized } from '../../support/api.ts'
import { grantFor, httpError } from '../../support/backend.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'
import { baseURL, createWorld, openClient } from '../../support/world.ts'

useFakeClock()

let { backend, signIn } = createWorld()

beforeEach(() => {
  ;({ backend, signIn } = createWorld())
})

it('R5: what is checked is what is sent, and a header of the caller stays', async () => {
  const auth = await signIn()
  const sent: [string, string | null][] = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    sent.push([String(input), new Headers(init?.headers).get('authorization')])
    return ok()
  }
  const authFetch = createAuthFetch({ baseURL, auth, fetch })
  const token = `Bearer ${auth.accessToken.value}`
  const url = new URL(`${baseURL}/notes`)
  const answer = authFetch(url)
  url.host = 'elsewhere.example'
  await answer
  await authFetch(`${baseURL}/own`, { headers: { authorization: 'Basic x' } })
  expect(sent).toEqual([
    [`${baseURL}/notes`, token],
    [`${baseURL}/own`, 'Basic x'],
  ])
})

it('R6, R9: a fetch that ignores its signal brings nothing after the end, and nothing is sent', async () => {
  const auth = await signIn()
  const answers: ((response: Response) => void)[] = []
  const fetch = () => new Promise<Response>((resolve) => answers.push(resolve))
  const authFetch = createAuthFetch({ baseURL, auth, fetch })
  const call = outcome(authFetch(`${baseURL}/notes`))
  await elapse()
  const refreshed = outcome(auth.refresh())
  await elapse()
  backend.latest('refresh').grant()
  const body = new FormData()
  const uploaded = outcome(authFetch(`${baseURL}/notes`, { method: 'POST', body }))
  void auth.logout() // While the body is encoded.
  answers[0]!(ok())
  await vi.waitFor(() => expect(uploaded.state).toBe('rejected'))
  expect(call.reason).toBeInstanceOf(SessionEndedError)
  expect(refreshed.state).toBe('rejected')
  expect(answers).toHaveLength(1)
})

it('R9: a call that waits for a token rejects at once when it is aborted', async () => {
  const auth = await signIn()
  const fetch = vi.fn<typeof globalThis.fetch>(async () => ok())
  await elapse(900_000)
  const controller = new AbortController()
  const { signal } = controller
  const call = outcome(createAuthFetch({ baseURL, auth, fetch })(`${baseURL}/notes`, { signal }))
  await elapse()
  controller.abort('enough')
  await elapse()
  expect(call.reason).toBe('enough')
  backend.latest('refresh').grant()
  await elapse()
  expect(fetch).not.toHaveBeenCalled()
})

it('R10: a stream is not sent again, and the answer says why', async () => {
  const auth = await signIn()
  const fetch = vi.fn<typeof globalThis.fetch>(async () => unauthorized())
  const body = new Blob(['x']).stream()
  const init = { method: 'POST', body, duplex: 'half' } as RequestInit
  const response = await createAuthFetch({ baseURL, auth, fetch })(`${baseURL}/upload`, init)
  expect([response.status, fetch.mock.calls.length]).toEqual([401, 1])
  expect(response.statusText).toContain('stream')
})

it('R5: the 401 of another origin, where a redirect has led, costs no refresh', async () => {
  const auth = await signIn()
  const answer = Object.defineProperties(unauthorized(), {
    redirected: { value: true },
    url: { value: 'https://elsewhere.example/' },
  })
  const authFetch = createAuthFetch({ baseURL, auth, fetch: async () => answer })
  expect((await authFetch(`${baseURL}/notes`)).status).toBe(401)
  expect(backend.count('refresh')).toBe(0)
})

it('R4, R7: ofetch retries no call whose refresh has failed, and no replay is replayed', async () => {
  const auth = await signIn()
  const { fetch, sent, arrived } = createStubApi()
  const api = createApiClient({ baseURL, auth, fetch })
  const failed = outcome(api('/notes', { retry: 3 }))
  await arrived(1)
  sent[0]!.answer(unauthorized())
  await elapse()
  const error = httpError(503)
  backend.latest('refresh').fail(error)
  await elapse(10_000)
  expect(failed.reason).toBe(error)
  expect([sent.length, backend.count('refresh')]).toEqual([1, 1])

  const refused = outcome(api('/other', { retry: 1, retryStatusCodes: [401] }))
  for (const n of [1, 2, 3]) {
    await arrived(n + 1)
    sent[n]!.answer(unauthorized())
    await elapse()
    if (n === 1) backend.latest('refresh').grant()
    await elapse()
  }
  expect(refused.reason).toMatchObject({ status: 401 })
  expect(sent).toHaveLength(4)
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
