// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { api as client, json } from '@/api/client.ts'
import { ada } from '../../support/backend.ts'
import { problem, settled, signedInAs, useScreen } from '../../support/screen.ts'
import { outcome } from '../../support/time.ts'

const THINGS = 'GET /api/things'

const api = useScreen()

beforeEach(() => signedInAs(ada))

const answer = (body: string | null, type: string, status = 200) =>
  api.on(THINGS, () => new Response(body, { status, headers: { 'content-type': type } }))

describe('json', () => {
  it.each([[[1, 2]], [{ id: '1' }]])('gives the data %j', async (data) => {
    api.on(THINGS, data)

    await expect(json('/things')).resolves.toEqual(data)
  })

  it.each([
    ['JSON that breaks off', '[{"id":"1', 'application/json'],
    ['the page of a proxy', '<!doctype html>', 'text/html'],
    ['a file', 'PK', 'application/octet-stream'],
    ['null', 'null', 'application/json'],
    ['nothing', '', 'application/json'],
  ])('rejects %s', async (_, body, type) => {
    answer(body, type)

    await expect(json('/things')).rejects.toThrow(SyntaxError)
  })

  it('rejects an answer without a body', async () => {
    answer(null, 'application/json', 204)

    await expect(json('/things')).rejects.toThrow(SyntaxError)
  })

  it('keeps the status of a failure, whatever its body is', async () => {
    answer('<h1>Bad gateway</h1>', 'text/html', 502)
    await expect(json('/things')).rejects.toMatchObject({ status: 502 })

    api.on(THINGS, () => problem(404))
    await expect(json('/things')).rejects.toMatchObject({ data: { message: 'Problem 404' } })
  })
})

describe('R11: the time limit', () => {
  const unfinished = () => new Response(new ReadableStream(), { headers: { 'x-test': '1' } })

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    return () => vi.useRealTimers()
  })

  async function elapse(ms: number) {
    await settled()
    vi.advanceTimersByTime(ms)
    await settled()
  }

  it('ends a reading call after 30 s, also one with a signal', async () => {
    api.hold(THINGS)
    const { signal } = new AbortController()
    const calls = [json('/things'), json('/things', { signal }), client.raw('/things')].map(outcome)

    await elapse(29_999)
    expect(calls.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending'])
    await elapse(1)
    for (const call of calls) expect(call.reason).toMatchObject({ name: 'TimeoutError' })
    expect(api.count(THINGS)).toBe(3)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends a call whose body never ends', async () => {
    api.on(THINGS, unfinished)
    const call = outcome(client('/things', { responseType: 'text' }))
    await elapse(30_000)

    expect(call.reason).toMatchObject({ name: 'TimeoutError' })
  })

  it('is what the caller says', async () => {
    api.hold(THINGS)
    const short = outcome(json('/things', { timeout: 1_000, signal: new AbortController().signal }))
    const none = outcome(json('/things', { timeout: 0 }))
    await elapse(1_000)
    expect(short.reason).toMatchObject({ name: 'TimeoutError' })

    await elapse(3_600_000)
    expect(none.state).toBe('pending')
  })

  it('leaves the reason of an abort to the caller', async () => {
    api.hold(THINGS)
    const controller = new AbortController()
    const call = outcome(json('/things', { signal: controller.signal }))
    controller.abort('enough')
    await settled()

    expect(call.reason).toBe('enough')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is none for an upload or a stream', async () => {
    const answer = api.hold('POST /api/things')
    api.on(THINGS, unfinished)
    const upload = outcome(client('/things', { method: 'POST', body: new FormData() }))
    const stream = await client('/things', { responseType: 'stream' })
    await elapse(3_600_000)
    expect(upload.state).toBe('pending')
    expect(stream).toBeInstanceOf(ReadableStream)

    await answer({ id: '1' })
    expect(upload.value).toEqual({ id: '1' })
  })
})
