/** The lab's own clients before the real mock server: what the comparison rests on. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createClassicClient } from '@/lab/classicClient.ts'
import { openRival, openSpare } from '@/lab/subjects.ts'
import { createHarness, granted } from '../../support/mock-server.ts'
import type { Harness } from '../../support/mock-server.ts'

const RESOURCE = '/api/protected-resource'
const REFRESH = '/api/auth/refresh'
const QUERY = 'run=r&lane=1'

let server: Harness
let credentials: Set<RequestCredentials>
let priorities: [string, RequestPriority | undefined][]
const { signal } = new AbortController()

beforeEach(() => {
  server = createHarness()
  credentials = new Set()
  priorities = []
  vi.stubGlobal('Request', PageRequest)
  vi.stubGlobal('fetch', async (input: RequestInfo | URL, init: RequestInit = {}) => {
    const request = new PageRequest(input, init)
    credentials.add(request.credentials)
    priorities.push([new URL(request.url).pathname, init.priority])
    return server.app.fetch(request)
  })
})

/** With addresses relative to the page, as in a browser. */
class PageRequest extends Request {
  constructor(input: RequestInfo | URL, init?: RequestInit) {
    super(typeof input === 'string' ? new URL(input, 'http://localhost:5173') : input, init)
  }
}

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
    const classic = await openRival('classic')
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
    const classic = await openRival('classic')
    await server.post('/api/__mock/expire-access')

    expect(await send(classic, 1)).toBe(1)
    expect(await statuses(RESOURCE)).toEqual([401, 200])
    expect(classic.signedOutAt()).toBeNull()
    expect(await classic.isRevoked!()).toBe(false)
  })

  it('signs its person out for a 503', async () => {
    const classic = await openRival('classic')
    await server.post('/api/__mock/expire-access')
    await server.post('/api/__mock/faults', { json: { path: REFRESH, status: 503 } })

    expect(await send(classic, 1)).toBe(0)
    expect(classic.signedOutAt()).not.toBeNull()
  })

  it('sends once more, and then no more', async () => {
    const tokens = { access: 'none', refresh: (await server.signIn()).refreshToken }
    const client = createClassicClient({ baseURL: '/api', tokens, onSignOut: () => {} })
    await server.post('/api/__mock/faults', { json: { path: RESOURCE, times: 5, status: 401 } })

    expect(await client.request('/protected-resource')).toBe(401)
    expect(await statuses(RESOURCE)).toEqual([401, 401])
  })

  it('signs out at the server when it is closed', async () => {
    const classic = await openRival('classic')
    await classic.close()

    expect(await statuses('/api/auth/logout')).toEqual([204])
  })
})

describe('the interceptor with a shared refresh', () => {
  it('serves ten requests by one refresh', async () => {
    await server.post('/api/__mock/conditions', { json: { leeway: 0 } })
    const shared = await openRival('shared')
    await shared.expire()

    expect(await send(shared, 10)).toBe(10)
    expect(await statuses(REFRESH)).toEqual([200])
  })

  it('signs its person out for a 503', async () => {
    const shared = await openRival('shared')
    await shared.expire()
    await server.post('/api/__mock/faults', { json: { path: REFRESH, status: 503 } })

    expect(await send(shared, 10)).toBe(0)
    expect(await statuses(REFRESH)).toEqual([503])
    expect(shared.signedOutAt()).not.toBeNull()
  })
})

describe('axios-auth-refresh', () => {
  it('serves ten requests by one refresh, where all 401s come together', async () => {
    await server.post('/api/__mock/conditions', { json: { leeway: 0 } })
    const library = await openRival('library')
    await library.expire()

    expect(await send(library, 10)).toBe(10)
    expect(await statuses(REFRESH)).toEqual([200])
    expect(library.signedOutAt()).toBeNull()
  })

  it('keeps its person signed in over a 503, and not over a refusal', async () => {
    const library = await openRival('library')
    await library.expire()
    await server.post('/api/__mock/faults', { json: { path: REFRESH, status: 503 } })
    expect(await send(library, 1)).toBe(0)
    expect(library.signedOutAt()).toBeNull()

    await library.revoke!()
    expect(await send(library, 1)).toBe(0)
    expect(library.signedOutAt()).not.toBeNull()
  })
})

it.each(['classic', 'shared', 'library'] as const)(
  'the session of “%s” leaves that of the app alone: no cookie, no storage',
  async (name) => {
    const own = await server.signIn()
    const rival = await openRival(name)
    await server.post('/api/__mock/expire-access')
    await send(rival, 1)
    await rival.close()

    expect([...credentials]).toEqual(['omit'])
    await granted(await server.refresh(own.refreshToken))
  },
)

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
