/** The lab's own clients before the real mock server: what the comparison rests on. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createClassicClient } from '@/lab/classicClient.ts'
import { openClassic, openSpare } from '@/lab/subjects.ts'
import { createHarness, granted } from '../../support/mock-server.ts'
import type { Harness } from '../../support/mock-server.ts'

const RESOURCE = '/api/protected-resource'
const REFRESH = '/api/auth/refresh'
const QUERY = 'run=r&lane=1'

let server: Harness
let credentials: Set<RequestCredentials | undefined>
let priorities: [string, RequestPriority | undefined][]
const { signal } = new AbortController()

beforeEach(() => {
  server = createHarness()
  credentials = new Set()
  priorities = []
  vi.stubGlobal('fetch', async (input: RequestInfo | URL, init: RequestInit = {}) => {
    credentials.add(init.credentials)
    const url = new URL(String(input), 'http://localhost:5173')
    priorities.push([url.pathname, init.priority])
    return server.app.fetch(new Request(url, { ...init, credentials: undefined }))
  })
})

async function statuses(path: string): Promise<number[]> {
  const log = (await (await server.call('/api/__mock/log')).json()) as {
    path: string
    status: number
  }[]
  return log.filter((entry) => entry.path === path).map(({ status }) => status)
}

const count = (all: number[], status: number) => all.filter((one) => one === status).length

function send(subject: Awaited<ReturnType<typeof openSpare>>, times: number) {
  return Promise.allSettled(Array.from({ length: times }, () => subject.send(QUERY, signal))).then(
    (answers) => answers.filter(({ status }) => status === 'fulfilled').length,
  )
}

describe('the classic interceptor', () => {
  it('needs ten refreshes for ten requests, loses the session, and signs its person out', async () => {
    await server.post('/api/__mock/conditions', { json: { leeway: 0 } })
    const classic = await openClassic()
    await server.post('/api/__mock/expire-access')

    expect(await send(classic, 10)).toBe(0)
    const refreshes = await statuses(REFRESH)
    expect(refreshes).toHaveLength(10)
    expect([count(refreshes, 200), count(refreshes, 401)]).toEqual([1, 9])
    expect(classic.signedOutAt()).not.toBeNull()
    expect(await classic.isRevoked!()).toBe(true)
  })

  it('does as well as any other where one request alone is refused', async () => {
    await server.post('/api/__mock/conditions', { json: { leeway: 0 } })
    const classic = await openClassic()
    await server.post('/api/__mock/expire-access')

    expect(await send(classic, 1)).toBe(1)
    expect(await statuses(RESOURCE)).toEqual([401, 200])
    expect(classic.signedOutAt()).toBeNull()
    expect(await classic.isRevoked!()).toBe(false)
  })

  it('signs its person out for a 503', async () => {
    const classic = await openClassic()
    await server.post('/api/__mock/expire-access')
    await server.post('/api/__mock/faults', { json: { path: REFRESH, status: 503 } })

    expect(await send(classic, 1)).toBe(0)
    expect(classic.signedOutAt()).not.toBeNull()
  })

  it('sends once more, and then no more', async () => {
    const tokens = { access: 'none', refresh: (await server.signIn()).refreshToken }
    const client = createClassicClient({ baseURL: '/api', tokens, onSignOut: () => {} })
    await server.post('/api/__mock/faults', { json: { path: RESOURCE, times: 5, status: 401 } })

    expect((await client.request('/protected-resource')).status).toBe(401)
    expect(await statuses(RESOURCE)).toEqual([401, 401])
  })

  it('signs out at the server when it is closed', async () => {
    const classic = await openClassic()
    await classic.close()

    expect(await statuses('/api/auth/logout')).toEqual([204])
  })
})

describe('the spare session', () => {
  it('is the app’s own client: a token dead by the clock is not sent', async () => {
    const spare = await openSpare()
    spare.setAhead!(16 * 60_000)
    await server.post('/api/__mock/expire-access')

    expect(await send(spare, 10)).toBe(10)
    expect(await statuses(REFRESH)).toEqual([200])
    expect(await statuses(RESOURCE)).toEqual(Array(10).fill(200))
  })

  it('sends a burst that its refresh can pass', async () => {
    const spare = await openSpare()
    await server.post('/api/__mock/expire-access')
    priorities = []
    await send(spare, 1)

    expect(priorities).toEqual([
      [RESOURCE, 'low'],
      [REFRESH, undefined],
      [RESOURCE, 'low'],
    ])
  })

  it('can lose its session, which it learns of by one refresh', async () => {
    const spare = await openSpare()
    await spare.revoke!()

    expect(await send(spare, 10)).toBe(0)
    expect(await statuses(REFRESH)).toEqual([401])
    expect(spare.signedOutAt()).not.toBeNull()
  })

  it('leaves the session of the app alone: no cookie, no storage', async () => {
    const own = await server.signIn()
    const spare = await openSpare()
    await send(spare, 1)
    await spare.close()

    expect([...credentials]).toEqual(['omit'])
    await granted(await server.refresh(own.refreshToken))
    expect(await statuses('/api/auth/logout')).toEqual([204])
  })
})
