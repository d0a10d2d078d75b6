import { beforeEach, describe, expect, it } from 'vitest'
import { SessionEndedError, createApiClient, createAuth } from '@/auth/index.ts'
import type { PasswordCredentials } from '@/auth/index.ts'
import { bearer, createStubApi, ok, unauthorized } from '../../support/api.ts'
import type { Sent } from '../../support/api.ts'
import { ada, bob, createManualBackend, grantFor } from '../../support/backend.ts'
import type { ManualBackend } from '../../support/backend.ts'
import { FakeBrowser } from '../../support/browser.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'

useFakeClock()

let backend: ManualBackend
let auth: ReturnType<typeof createAuth<PasswordCredentials>>
let api: ReturnType<typeof createApiClient>
let sent: Sent[]

beforeEach(() => {
  held = undefined
  const stub = createStubApi()
  sent = stub.sent
  backend = createManualBackend()
  auth = createAuth({ backend, tabs: new FakeBrowser().openTab() })
  api = createApiClient({ baseURL: 'https://api.example', auth, fetch: stub.fetch })
})

async function signIn(user: typeof ada) {
  const signedIn = auth.login({ username: user.username, password: 'secret' })
  await elapse()
  const grant = grantFor(user)
  backend.latest('login').grant(grant)
  await signedIn
  return grant
}

/** The POST of the first person. Its hook may hold it back. */
let held: Promise<void> | undefined
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
    await signIn(ada)
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
    await signIn(ada)
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
  const signedIn = signIn(ada)
  await signedIn
  await elapse(1_000)
  expect(sent.map(({ token }) => token)).toEqual([null, null])
  sent[1]!.answer(ok())
  await elapse()
  expect(answer.state).toBe('fulfilled')
})
