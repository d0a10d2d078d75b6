// @vitest-environment node
/** What is sent is what was checked (R5), and what reaches the caller. */
import { beforeEach, describe, expect, it } from 'vitest'
import { SessionEndedError, createApiClient, createAuthFetch } from '@/auth/index.ts'
import { createStubApi, ok } from '../../support/api.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'
import { baseURL, createWorld } from '../../support/world.ts'

useFakeClock()

let { backend, signIn } = createWorld()

beforeEach(() => {
  ;({ backend, signIn } = createWorld())
})

describe('R5: what is checked is what is sent', () => {
  it('a URL that changes while the call waits', async () => {
    const auth = await signIn()
    const { fetch, sent, arrived } = createStubApi()
    const api = createApiClient({ baseURL, auth, fetch })
    await elapse(900_000)
    const url = new URL(`${baseURL}/notes`)
    void api(url as never)
    await elapse()
    url.hostname = 'elsewhere.example'
    backend.latest('refresh').grant()
    await elapse()
    await arrived(1)
    expect(sent.map(({ url }) => url)).toEqual([`${baseURL}/notes`])
  })

  it('an object that answers differently the second time', async () => {
    const auth = await signIn()
    const { fetch, sent, arrived } = createStubApi()
    const addresses = [`${baseURL}/notes`, 'https://elsewhere.example/']
    const trick = { toString: () => addresses.shift()! }
    void createAuthFetch({ baseURL, auth, fetch })(trick as never)
    await arrived(1)
    expect(sent.map(({ url }) => url)).toEqual([`${baseURL}/notes`])
  })

  it('a Request whose url is shadowed', async () => {
    const auth = await signIn()
    const { fetch, sent, arrived } = createStubApi()
    const request = new Request('https://elsewhere.example/')
    Object.defineProperty(request, 'url', { value: `${baseURL}/notes` })
    void createAuthFetch({ baseURL, auth, fetch })(request)
    await arrived(1)
    expect(sent).toMatchObject([{ url: 'https://elsewhere.example/', token: null }])
  })
})

it('R6: a fetch that ignores its signal does not resolve after a sign-out', async () => {
  const auth = await signIn()
  const { fetch, sent, arrived } = createStubApi()
  const deaf: typeof fetch = (input, init) => fetch(input, { ...init, signal: undefined })
  const answer = outcome(createAuthFetch({ baseURL, auth, fetch: deaf })(`${baseURL}/notes`))
  await arrived(1)
  void auth.logout()
  sent[0]!.answer(ok())
  await elapse()
  expect(answer.reason).toBeInstanceOf(SessionEndedError)
})

it('R9: a call that is aborted while its body is encoded is not sent', async () => {
  const auth = await signIn()
  const { fetch, sent } = createStubApi()
  const deaf: typeof fetch = (input, init) => fetch(input, { ...init, signal: undefined })
  const call = new AbortController()
  const init = { method: 'POST', body: new FormData(), signal: call.signal }
  const answer = outcome(createAuthFetch({ baseURL, auth, fetch: deaf })(`${baseURL}/notes`, init))
  call.abort()
  await elapse()
  expect([answer.state, sent.length]).toEqual(['rejected', 0])
})
