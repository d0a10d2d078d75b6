import { beforeEach, describe, expect, it } from 'vitest'
import { SessionEndedError } from '@/auth/index.ts'
import { createMockBrowser } from '../support/mock-client.ts'

const ECHO = '/protected-resource'
const RESOURCE = `/api${ECHO}`
const COOKIE = 'refresh_token_80'
const REFRESH = '/api/auth/refresh'

let clock: number
let mock: ReturnType<typeof createMockBrowser>

beforeEach(() => {
  clock = Date.UTC(2030, 0, 1)
  mock = createMockBrowser({ now: () => clock })
})

async function signedIn(username = 'demo') {
  const tab = mock.openTab()
  await tab.auth.login({ username, password: 'password' })
  return tab
}

const statuses = async (path: string) => (await mock.log(path)).map(({ status }) => status)

describe.each([10, 200])('a burst of %i calls', (size) => {
  it('R1: with a dead token: one refresh, and every call succeeds', async () => {
    const { api } = await signedIn()
    await mock.control('expire-access')
    const answers = await Promise.all(
      Array.from({ length: size }, (_, n) => api(ECHO, { method: 'POST', body: { n } })),
    )

    expect(answers.map(({ body }) => body)).toEqual(Array.from({ length: size }, (_, n) => ({ n })))
    expect(await statuses(REFRESH)).toEqual([200])
    const sent = await statuses(RESOURCE)
    expect(sent.filter((status) => status === 401)).toHaveLength(size)
    expect(sent.filter((status) => status === 200)).toHaveLength(size)
  })

  it('R2: with a token past its lifetime: one refresh, and no 401 at all', async () => {
    const { api } = await signedIn()
    clock += 16 * 60_000
    await Promise.all(Array.from({ length: size }, () => api(ECHO)))

    expect(await statuses(REFRESH)).toEqual([200])
    const sent = await statuses(RESOURCE)
    expect(sent).toHaveLength(size)
    expect(new Set(sent)).toEqual(new Set([200]))
  })
})

it('a session lives on over many access tokens, and reloads', async () => {
  const { api } = await signedIn()
  for (let hour = 0; hour < 24; hour += 1) {
    clock += 3_600_000
    expect(await api('/auth/me')).toMatchObject({ username: 'demo' })
  }
  expect(await statuses(REFRESH)).toHaveLength(24)

  const reloaded = mock.openTab()
  await reloaded.auth.restore()
  expect(reloaded.auth.user.value).toMatchObject({ username: 'demo' })
  expect(await reloaded.api('/auth/me')).toMatchObject({ username: 'demo' })
})

it('R7, S2: a response that was lost after the server had rotated signs nobody out', async () => {
  const { auth, api } = await signedIn()
  const cookie = mock.cookies.get(COOKIE)!
  await auth.refresh()
  expect(mock.cookies.get(COOKIE)).not.toBe(cookie)
  // As if that answer had never arrived.
  mock.cookies.set(COOKIE, cookie)
  // The client's time limit and its longest first pause.
  clock += 11_000
  await auth.refresh()
  clock += 16 * 60_000
  await api(ECHO)
  expect(await statuses(REFRESH)).toEqual([200, 200, 200])
})

it('R8: a session past the life of its refresh token ends, and leaves nothing behind', async () => {
  const { auth, api } = await signedIn()
  clock += 8 * 86_400_000
  const answers = await Promise.allSettled([api(ECHO), api('/auth/me')])

  for (const answer of answers) {
    expect(answer).toMatchObject({ reason: expect.any(SessionEndedError) })
  }
  expect(await statuses(REFRESH)).toEqual([401])
  expect(auth.endReason.value).toBe('expired')
  expect(auth.accessToken.value).toBeNull()
  expect([...mock.browser.storage.values()]).toEqual(['expired'])
  expect(mock.cookies.size).toBe(0)
})

it('R12, S7: signing out ends the session here and on the server', async () => {
  const { auth, api } = await signedIn()
  const token = auth.accessToken.value!
  await auth.logout()

  expect(mock.cookies.size).toBe(0)
  const headers = { authorization: `Bearer ${token}` }
  await expect(api(ECHO, { headers })).rejects.toMatchObject({ status: 401 })
  await expect(api(ECHO)).rejects.toMatchObject({ status: 401 })
})

describe('R7: a temporary failure of the refresh', () => {
  it.each([
    ['500', { status: 500 }],
    ['503', { status: 503 }],
    ['429 with Retry-After', { status: 429, retryAfter: 20 }],
    ['broken JSON', { kind: 'malformed' }],
    ['a connection that breaks', { kind: 'drop' }],
  ])('%s keeps the session, and the next refresh brings the answer', async (_, fault) => {
    const { auth, api } = await signedIn()
    await mock.control('expire-access')
    await mock.control('faults', { path: REFRESH, times: 1, ...fault })
    const [first, second] = await Promise.allSettled([api(ECHO), api('/auth/me')])
    expect(first.status).toBe('rejected')
    expect((first as PromiseRejectedResult).reason).toBe((second as PromiseRejectedResult).reason)
    expect((first as PromiseRejectedResult).reason).not.toBeInstanceOf(SessionEndedError)
    expect(auth.status.value).toBe('authenticated')

    // Within the back-off no other refresh is tried.
    await expect(api(ECHO)).rejects.toBe((first as PromiseRejectedResult).reason)
    clock += 20_000
    expect(await api(ECHO)).toMatchObject({ user: 'demo' })
    expect(await statuses(REFRESH)).toHaveLength(2)
  })
})

describe('R13: tabs', () => {
  it('share sign-in, refresh and sign-out', async () => {
    const [first, second] = [mock.openTab(), mock.openTab()]
    await first.auth.login({ username: 'demo', password: 'password' })
    await messages()
    expect(second.auth.user.value).toMatchObject({ username: 'demo' })

    await mock.control('expire-access')
    await Promise.all([first.api(ECHO), second.api(ECHO)])
    expect(await statuses(REFRESH)).toEqual([200])

    await second.auth.logout()
    await messages()
    expect(first.auth.status.value).toBe('anonymous')
  })

  /** The messages that tabs have sent so far arrive. */
  async function messages() {
    await new Promise((resolve) => setTimeout(resolve))
  }
})
