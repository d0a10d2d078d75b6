/**
 * The mock server’s controls: sessions ended by hand, faults on demand, and the log.
 */
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createMockServer } from '../../../mock-server/app.ts'
import { createHarness, granted, outcome } from '../../support/mock-server.ts'
import type { Harness } from '../../support/mock-server.ts'

afterEach(() => {
  vi.useRealTimers()
})

async function logOf({ call }: Harness) {
  return (await call('/api/__mock/log')).json()
}

/** Time stands still but for `vi.advanceTimersByTimeAsync`. Requests themselves need none. */
function stopTime() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
}

/** The request has come as far as the delay it was to meet. */
async function untilDelayed() {
  while (vi.getTimerCount() === 0) await new Promise((resolve) => setImmediate(resolve))
}

/** Bytes of all that is still referenced. */
function memoryInUse(): number {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  collectGarbage()
  return process.memoryUsage().heapUsed
}

function order({ post }: Harness, fault: object) {
  return post('/api/__mock/faults', { json: { path: '/api/health', times: 1, ...fault } })
}

describe('expire-access', () => {
  it('expires the access tokens issued so far, and none issued in the same instant after', async () => {
    const { call, post, refresh, signIn } = createHarness()
    const before = await signIn()
    expect(await outcome(post('/api/__mock/expire-access'))).toBe('204')

    expect(await outcome(call('/api/protected-resource', { token: before.accessToken }))).toBe(
      '401 access_token_expired',
    )
    const after = await granted(await refresh(before.refreshToken))
    expect(await outcome(call('/api/protected-resource', { token: after.accessToken }))).toBe('200')
  })

  it('expires those of one session alone, where it is given a token of it', async () => {
    const { call, post, refresh, signIn } = createHarness()
    const [one, other] = [await signIn(), await signIn()]
    const { accessToken } = one
    expect(await outcome(post('/api/__mock/expire-access', { json: { accessToken } }))).toBe('204')

    const use = (token: string) => outcome(call('/api/protected-resource', { token }))
    expect(await use(accessToken)).toBe('401 access_token_expired')
    expect(await use(other.accessToken)).toBe('200')
    expect(await use((await granted(await refresh(one.refreshToken))).accessToken)).toBe('200')
  })

  it('refuses a token that is not valid, and expires nothing', async () => {
    const { call, post, signIn } = createHarness()
    const { accessToken } = await signIn()
    expect(await outcome(post('/api/__mock/expire-access', { json: { accessToken: 'x' } }))).toBe(
      '400 invalid_body',
    )
    expect(await outcome(call('/api/protected-resource', { token: accessToken }))).toBe('200')
  })
})

describe('revoke-sessions', () => {
  it('refuses the refresh tokens issued so far, and none issued after', async () => {
    const { call, post, refresh, signIn } = createHarness()
    const before = await signIn()
    const rotated = await granted(await refresh(before.refreshToken))
    expect(await outcome(post('/api/__mock/revoke-sessions'))).toBe('204')

    for (const { refreshToken } of [before, rotated]) {
      expect(await outcome(refresh(refreshToken))).toBe('401 refresh_token_invalid')
    }
    expect(await outcome(call('/api/protected-resource', { token: rotated.accessToken }))).toBe(
      '200',
    )
    const after = await signIn()
    expect(await outcome(refresh(after.refreshToken))).toBe('200')
  })
})

describe('reset', () => {
  it('puts everything back as at start', async () => {
    const harness = createHarness()
    const { call, post, refresh, signIn } = harness
    const before = await signIn('demo')
    const { accessToken: token } = before
    await post('/api/protected-resource', { token })
    for (let i = 0; i < 5; i += 1) {
      await post('/api/auth/login', { json: { username: 'demo', password: 'guess' } })
    }
    await order(harness, { times: 3, status: 500 })
    expect(await outcome(post('/api/__mock/reset'))).toBe('204')

    expect(await logOf(harness)).toEqual([])
    expect(await outcome(call('/api/health'))).toBe('200')
    expect(await outcome(call('/api/protected-resource', { token }))).toBe(
      '401 access_token_invalid',
    )
    expect(await outcome(refresh(before.refreshToken))).toBe('401 refresh_token_invalid')
    const { accessToken } = await signIn('demo')
    const echo = await post('/api/protected-resource', { token: accessToken })
    expect((await echo.json()).sequence).toBe(1)
  })
})

describe('conditions', () => {
  it('end the faults that were ordered, and no session', async () => {
    const harness = createHarness()
    const { accessToken: token } = await harness.signIn()
    await order(harness, { times: 5, status: 503 })
    expect(await outcome(harness.post('/api/__mock/conditions'))).toBe('204')

    expect(await outcome(harness.call('/api/health'))).toBe('200')
    expect(await outcome(harness.call('/api/protected-resource', { token }))).toBe('200')
  })

  it.each(['conditions', 'reset'])(
    'can take the leeway away, until “%s” brings it back',
    async (restore) => {
      const { post, refresh, signIn } = createHarness()
      await post('/api/__mock/conditions', { json: { leeway: 0 } })
      const first = await signIn()
      expect(await outcome(refresh(first.refreshToken))).toBe('200')
      expect(await outcome(refresh(first.refreshToken))).toBe('401 refresh_token_reused')

      await post(`/api/__mock/${restore}`)
      const second = await signIn()
      expect(await outcome(refresh(second.refreshToken))).toBe('200')
      expect(await outcome(refresh(second.refreshToken))).toBe('200')
    },
  )

  it.each([-1, 3601, '0', null])('refuse a leeway of %j', async (leeway) => {
    const { post } = createHarness()
    expect(await outcome(post('/api/__mock/conditions', { json: { leeway } }))).toBe(
      '400 invalid_body',
    )
  })
})

describe('faults', () => {
  it('give the next requests for the path another status, and no other request', async () => {
    const harness = createHarness()
    const { call } = harness
    expect(await outcome(order(harness, { times: 2, status: 503 }))).toBe('204')

    expect(await outcome(call('/api/nothing'))).toBe('404 not_found')
    expect(await outcome(call('/api/health?a=b'))).toBe('503 fault')
    expect(await outcome(call('/api/health'))).toBe('503 fault')
    expect(await outcome(call('/api/health'))).toBe('200')
  })

  it.each([
    ['x', 'Bearer error="invalid_token"'],
    [undefined, 'Bearer'],
  ])('S3: can be a 401, with the challenge of one (token: %s)', async (token, challenge) => {
    const harness = createHarness()
    await order(harness, { status: 401, retryAfter: 7 })
    const response = await harness.call('/api/health', { token })
    expect(response.headers.get('www-authenticate')).toBe(challenge)
    expect(response.headers.get('retry-after')).toBe('7')
    expect(await response.json()).toMatchObject({ status: 401, data: { code: 'fault' } })

    await order(harness, { status: 401, kind: 'malformed' })
    const malformed = await harness.call('/api/health', { token })
    expect(malformed.headers.get('www-authenticate')).toBe(challenge)
  })

  it('can ask for patience, in seconds or as a date', async () => {
    const harness = createHarness()
    const date = 'Thu, 01 Jan 2026 00:01:00 GMT'
    await order(harness, { status: 503, retryAfter: 7 })
    await order(harness, { status: 429, retryAfter: date })

    const [first, second] = [await harness.call('/api/health'), await harness.call('/api/health')]
    expect([first.status, first.headers.get('retry-after')]).toEqual([503, '7'])
    expect([second.status, second.headers.get('retry-after')]).toEqual([429, date])
  })

  it('can be an answer that is JSON by name only', async () => {
    const harness = createHarness()
    await order(harness, { kind: 'malformed' })
    const response = await harness.call('/api/health')

    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json')
    await expect(response.json()).rejects.toThrow(SyntaxError)
  })

  it('can be such an answer of another status', async () => {
    const harness = createHarness()
    await order(harness, { kind: 'malformed', status: 502 })
    const response = await harness.call('/api/health')
    expect([response.status, await response.text()]).toEqual([502, expect.stringMatching(/^\{/)])
  })

  it('can have no body where the status allows none', async () => {
    const harness = createHarness()
    await order(harness, { status: 204 })
    const response = await harness.call('/api/health')
    expect([response.status, await response.text()]).toEqual([204, ''])
  })

  it('can break the connection', async () => {
    const harness = createHarness()
    await order(harness, { kind: 'drop' })

    await expect(harness.call('/api/health')).rejects.toThrow(TypeError)
    expect(await outcome(harness.call('/api/health'))).toBe('200')
  })

  it('break the connection of one request, and not of the same one sent again', async () => {
    const harness = createHarness()
    await order(harness, { kind: 'drop' })
    const request = new Request('http://localhost:5173/api/health')

    await expect(harness.app.fetch(request)).rejects.toThrow(TypeError)
    expect(await outcome(harness.app.fetch(request))).toBe('200')
    expect(await logOf(harness)).toMatchObject([{ status: 0 }, { status: 200 }])
  })

  it('can break the connection of an in-process request too', async () => {
    const app = createMockServer()
    const json = { path: '/api/health', kind: 'drop' }
    const headers = { 'content-type': 'application/json' }
    const init = { method: 'POST', headers, body: JSON.stringify(json) }
    expect((await app.request('/api/__mock/faults', init)).status).toBe(204)
    await expect(app.request('/api/health')).rejects.toThrow(TypeError)
    expect((await app.request('/api/health')).status).toBe(200)
  })

  it('asks for patience only where it was told to', async () => {
    const harness = createHarness()
    await order(harness, { status: 503 })
    const { headers } = await harness.call('/api/health')
    expect(headers.get('retry-after')).toBeNull()
  })

  it.each(['"1\\n2"', '1e999', '-1', '0.5'])(
    'cannot ask for a patience of %s',
    async (retryAfter) => {
      const { post } = createHarness()
      const body = `{"path":"/api/health","status":503,"retryAfter":${retryAfter}}`
      const headers = { 'content-type': 'application/json' }
      expect(await outcome(post('/api/__mock/faults', { body, headers }))).toBe('400 invalid_body')
    },
  )

  it('waits for no time where none was ordered', async () => {
    stopTime()
    const harness = createHarness()
    await order(harness, { status: 503, delayMs: 0 })
    expect(await outcome(harness.call('/api/health'))).toBe('503 fault')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('can hang until the client gives up', async () => {
    const harness = createHarness()
    await order(harness, { kind: 'hang' })
    const controller = new AbortController()
    const settled = vi.fn<() => void>()
    const hanging = harness.call('/api/health', { signal: controller.signal })
    hanging.catch(() => {}).finally(settled)

    // By the time of this answer, the one before it would be there as well.
    expect(await outcome(harness.call('/api/health'))).toBe('200')
    expect(settled).not.toHaveBeenCalled()
    controller.abort(new Error('enough'))
    await expect(hanging).rejects.toThrow('enough')
  })

  it('can delay the answer, which then tells how things are at the end', async () => {
    stopTime()
    const harness = createHarness()
    const { accessToken: token } = await harness.signIn()
    await order(harness, { path: '/api/protected-resource', delayMs: 5000 })
    const settled = vi.fn<() => void>()
    const delayed = harness.call('/api/protected-resource', { token }).finally(settled)

    await untilDelayed()
    await vi.advanceTimersByTimeAsync(4999)
    expect(settled).not.toHaveBeenCalled()
    await harness.post('/api/__mock/expire-access')
    await vi.advanceTimersByTimeAsync(1)
    expect(await outcome(delayed)).toBe('401 access_token_expired')
  })

  it('can delay another fault, and end with the client', async () => {
    stopTime()
    const harness = createHarness()
    await order(harness, { delayMs: 5000, status: 500, times: 2 })
    const delayed = harness.call('/api/health')
    await untilDelayed()
    await vi.advanceTimersByTimeAsync(5000)
    expect(await outcome(delayed)).toBe('500 fault')

    const controller = new AbortController()
    const aborted = harness.call('/api/health', { signal: controller.signal })
    await untilDelayed()
    controller.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('that do nothing are refused in one sentence', async () => {
    const answer = await order(createHarness(), {})
    expect((await answer.json()).message).toBe('body: Say what to do: status, delayMs or kind.')
  })

  it.each([
    '/api/health?a=b',
    '/api/health#a',
    '/api/health now',
    '/api/héalth',
    '/api/./health',
    '/api/health\\',
  ])('for %s, which is no path of a request, are refused', async (path) => {
    const answer = await order(createHarness(), { path, status: 503 })
    expect((await answer.json()).message).toBe('path: Give the path alone, as a request has it.')
  })

  it.each<[string, object]>([
    ['an informational status', { status: 199 }],
    ['a status that is none', { status: 600 }],
    ['a delay of more than ten minutes', { delayMs: 600_001 }],
    ['a delay that is over before it begins', { delayMs: -1 }],
    ['no request to meet', { status: 503, times: 0 }],
    ['half a request to meet', { status: 503, times: 0.5 }],
    ['a kind that is none', { kind: 'explode' }],
    ['a path outside the API', { status: 503, path: '/apis/health' }],
  ])('with %s are refused', async (_, fault) => {
    expect(await outcome(order(createHarness(), fault))).toBe('400 invalid_body')
  })

  it('are a hundred at most, and go with a reset', async () => {
    const harness = createHarness()
    for (let i = 0; i < 100; i += 1) await order(harness, { status: 503 })
    expect(await outcome(order(harness, { status: 503 }))).toBe('409 too_many_faults')

    await harness.post('/api/__mock/reset')
    expect(await outcome(order(harness, { status: 503 }))).toBe('204')
  })

  it('leave a refresh undone: the token is as good as before', async () => {
    const harness = createHarness()
    const { refreshToken } = await harness.signIn()
    await order(harness, { path: '/api/auth/refresh', status: 500 })

    expect(await outcome(harness.refresh(refreshToken))).toBe('500 fault')
    harness.clock.advance(60_000)
    expect(await outcome(harness.refresh(refreshToken))).toBe('200')
  })
})

describe('the log', () => {
  it('has every request with its final status, and leaves the controls out', async () => {
    const harness = createHarness()
    const { call, clock, post } = harness
    const at = clock.now()
    await call('/api/health?secret=1')
    clock.advance(1000)
    await call('/api/nothing')
    await call('/api/%ZZ')
    await call('/api/protected-resource')
    await post('/api/auth/login', { body: '{' })
    await post('/api/auth/logout', { headers: { origin: 'null' } })
    await order(harness, { status: 503 })
    await call('/api/health')

    expect(await logOf(harness)).toEqual([
      { method: 'GET', path: '/api/health', status: 200, at, endedAt: at },
      { method: 'GET', path: '/api/nothing', status: 404, at: at + 1000, endedAt: at + 1000 },
      { method: 'GET', path: '/api/%ZZ', status: 400, at: at + 1000, endedAt: at + 1000 },
      {
        method: 'GET',
        path: '/api/protected-resource',
        status: 401,
        at: at + 1000,
        endedAt: at + 1000,
      },
      { method: 'POST', path: '/api/auth/login', status: 415, at: at + 1000, endedAt: at + 1000 },
      { method: 'POST', path: '/api/auth/logout', status: 403, at: at + 1000, endedAt: at + 1000 },
      { method: 'GET', path: '/api/health', status: 503, at: at + 1000, endedAt: at + 1000 },
    ])
  })

  it('has the ids of tokens and users, of refused and faulty requests too, and no token', async () => {
    const harness = createHarness()
    const { call, post, refresh, signIn } = harness
    const first = await signIn()
    await call('/api/protected-resource', { token: first.accessToken })
    const second = await granted(await refresh(first.refreshToken))
    await post('/api/__mock/expire-access')
    await call('/api/protected-resource', { token: second.accessToken })
    await order(harness, { path: '/api/protected-resource', status: 500 })
    await call('/api/protected-resource', { token: second.accessToken })
    harness.clock.advance(900_000)
    await call('/api/protected-resource', { token: first.accessToken })
    await call('/api/protected-resource', { token: 'x' })
    await post('/api/auth/logout', { json: { refreshToken: first.refreshToken } })

    const log = await logOf(harness)
    const [login, , refreshed] = log
    const refreshId = refreshed.tokenId
    expect(refreshId).toMatch(/^[\da-f-]{36}$/)
    expect(login).toMatchObject({ path: '/api/auth/login', userId: 'user-2' })
    expect(
      log.map(({ status, tokenId }: { status: number; tokenId?: string }) => [status, tokenId]),
    ).toEqual([
      [200, undefined],
      [200, '1'],
      [200, refreshId],
      [401, '2'],
      [500, '2'],
      [401, '1'],
      [401, undefined],
      [204, refreshId],
    ])
    expect(JSON.stringify(log)).not.toContain('eyJ')
  })

  it('has when each was answered, and what its client calls it', async () => {
    const harness = createHarness()
    const { call, clock } = harness
    const at = clock.now()
    await order(harness, { kind: 'hang' })
    const aborting = new AbortController()
    const hanging = call('/api/health?label=slow&q=1', { signal: aborting.signal }).catch(() => {})
    expect(await logOf(harness)).toEqual([
      { method: 'GET', path: '/api/health', status: 0, at, label: 'slow' },
    ])
    clock.advance(500)
    aborting.abort()
    await hanging

    expect(await logOf(harness)).toMatchObject([{ status: 0, at, endedAt: at + 500 }])
  })

  it('has the id of the access token that a refresh was answered with', async () => {
    const harness = createHarness()
    const { refreshToken } = await harness.signIn()
    const { accessToken } = await granted(await harness.refresh(refreshToken))
    await harness.refresh('none')
    await harness.call('/api/health', { token: accessToken })

    const [login, refreshed, refused, used] = await logOf(harness)
    expect([login.grantedId, refreshed.grantedId, refused.grantedId]).toEqual(['1', '2', undefined])
    expect(used.tokenId).toBe('2')
  })

  it('says 0 where there was no answer', async () => {
    const harness = createHarness()
    await order(harness, { kind: 'drop' })
    await order(harness, { kind: 'hang' })
    await harness.call('/api/health').catch(() => {})
    await harness.call('/api/health', { signal: AbortSignal.abort() }).catch(() => {})

    expect(await logOf(harness)).toMatchObject([{ status: 0 }, { status: 0 }])
  })

  it('has the first 256 characters of a path', async () => {
    const harness = createHarness()
    await harness.call(`/api/${'a'.repeat(8000)}`)
    const [{ path }] = await logOf(harness)
    expect(path).toBe(`/api/${'a'.repeat(251)}`)
  })

  it('does not keep long paths in memory', async () => {
    const harness = createHarness()
    const before = memoryInUse()
    for (let i = 0; i < 2500; i += 1) await harness.call(`/api/${'a'.repeat(8000)}`)
    // All of them would be 20 MB.
    expect(memoryInUse() - before).toBeLessThan(5_000_000)
    expect(await logOf(harness)).toHaveLength(2500)
  })

  it('ends with the latest 5,000', async () => {
    const harness = createHarness()
    await harness.call('/api/nothing')
    for (let i = 0; i < 5000; i += 1) await harness.call('/api/health')

    const log = await logOf(harness)
    expect(log).toHaveLength(5000)
    expect(log[0].path).toBe('/api/health')
  })
})
