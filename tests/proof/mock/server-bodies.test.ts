/**
 * What the mock server makes of bodies that are not what they should be: 400, 413 or 415 with an
 * explanation, and never a 500 (S5).
 */
import { createHash } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { createHarness, outcome } from '../../support/mock-server.ts'

const LIMIT = 16 * 1024
const JSON_TYPE = { 'content-type': 'application/json' }
const bytes = (...values: number[]) => new Uint8Array(values)
const good = '{"username":"demo","password":"password"}'

/** Sent in pieces, without a Content-Length. */
function chunked(size: number): ReadableStream<Uint8Array> {
  let left = size
  return new ReadableStream({
    pull(controller) {
      if (left <= 0) return controller.close()
      controller.enqueue(new Uint8Array(Math.min(left, 1000)).fill(0x20))
      left -= 1000
    },
  })
}

/** Sends these, and then neither more nor the end. */
function endless(...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => chunks.forEach((c) => controller.enqueue(c)) })
}

/** A good sign-in, made so long by spaces. */
const padded = (size: number) => good.padEnd(size, ' ')

describe('a sign-in', () => {
  const BAD = '400 invalid_body'
  const LARGE = '413 body_too_large'
  const TYPE = '415 unsupported_media_type'

  it.each<[string, BodyInit | undefined, string, Record<string, string>?]>([
    ['nothing', undefined, BAD],
    ['an empty string', '', BAD],
    ['spaces', '   ', BAD],
    ['broken JSON', '{"username":', BAD],
    ['JSON with an end too many', `${good}}`, BAD],
    ['JSON with a trailing comma', '{"username":"demo","password":"password",}', BAD],
    ['JSON with single quotes', "{'username':'demo'}", BAD],
    ['a word', 'username', BAD],
    ['null', 'null', BAD],
    ['true', 'true', BAD],
    ['a number', '7', BAD],
    ['a number beyond all numbers', '1e999', BAD],
    ['a string', '"demo"', BAD],
    ['an array', '[]', BAD],
    ['an array with a sign-in in it', `[${good}]`, BAD],
    ['an empty object', '{}', BAD],
    ['no password', '{"username":"demo"}', BAD],
    ['no username', '{"password":"password"}', BAD],
    ['a username that is a number', '{"username":1,"password":"password"}', BAD],
    ['a username that is null', '{"username":null,"password":"password"}', BAD],
    ['a username that is an object', '{"username":{"$ne":1},"password":"password"}', BAD],
    ['a username that is an array', '{"username":["demo"],"password":"password"}', BAD],
    ['an empty username', '{"username":"","password":"password"}', BAD],
    ['an empty password', '{"username":"demo","password":""}', BAD],
    ['a username of 201 letters', `{"username":"${'a'.repeat(201)}","password":"x"}`, BAD],
    ['a password of 201 letters', `{"username":"demo","password":"${'a'.repeat(201)}"}`, BAD],
    ['a mode that there is not', good.replace('}', ',"mode":"both"}'), BAD],
    ['all of it in the prototype', `{"__proto__":${good}}`, BAD],
    ['all of it in the constructor', `{"constructor":{"prototype":${good}}}`, BAD],
    ['arrays 8,000 deep', '['.repeat(8000) + ']'.repeat(8000), BAD],
    ['arrays 8,000 deep, and no end', '['.repeat(8000), BAD],
    ['objects 2,000 deep', '{"a":'.repeat(2000) + '1' + '}'.repeat(2000), BAD],
    ['bytes that are not UTF-8', bytes(0x22, 0xff, 0xfe, 0x22), BAD],
    ['a name that is not UTF-8', Buffer.from(good.replace('demo', 'd\u00e9mo'), 'latin1'), BAD],
    ['UTF-16', Buffer.from(good, 'utf16le'), BAD],
    ['a NUL', '\0', BAD],
    ['a NUL inside of it', good.replace('demo', 'de\0mo'), BAD],
    ['a NUL after it', `${good}\0`, BAD],
    ['a form called JSON', 'username=demo&password=password', BAD],
    ['a form', 'username=demo&password=password', TYPE, { 'content-type': 'text/plain' }],
    ['a form that says so', new URLSearchParams({ username: 'demo' }), TYPE, {}],
    ['a multipart form', new FormData(), TYPE, {}],
    ['a Blob', new Blob([good]), TYPE, {}],
    ['JSON called text', good, TYPE, { 'content-type': 'text/plain' }],
    ['JSON called nothing', good, TYPE, { 'content-type': '' }],
    ['JSON called nonsense', good, TYPE, { 'content-type': 'json' }],
    ['JSON called something like it', good, TYPE, { 'content-type': 'application/jsonp' }],
    ['a byte too many', padded(LIMIT + 1), LARGE],
    ['a mebibyte', padded(1024 * 1024), LARGE],
    ['two bytes for each letter, and so too many', `"${'é'.repeat(LIMIT / 2)}"`, LARGE],
    ['a byte too many, in chunks', chunked(LIMIT + 1), LARGE],
    [
      'a byte too many that calls itself small',
      padded(LIMIT + 1),
      LARGE,
      { 'content-length': '5' },
    ],
  ])('S5: %s', async (_, body, expected, headers = JSON_TYPE) => {
    const { post } = createHarness()
    const response = await post('/api/auth/login', { body, headers })
    const answer = await response.clone().json()

    expect(await outcome(response)).toBe(expected)
    expect(answer).toEqual({
      status: response.status,
      message: expect.stringMatching(/\w+ \w+/),
      data: expect.objectContaining({ code: expected.slice(4) }),
    })
  })

  it('S5: with a password that is none is told what it should be, and does not show it', async () => {
    const { post } = createHarness()
    const json = { username: 'demo', password: 20261125 }
    const { message, data } = await (await post('/api/auth/login', { json })).json()
    expect(message).toBe('password: Invalid type: Expected string.')
    expect(data.fields).toEqual({ password: 'Invalid type: Expected string' })
  })

  it.each([
    ['a body too large that has no end', endless(new Uint8Array(LIMIT + 1)), {}],
    ['one that is announced and does not come', endless(), { 'content-length': '1000000' }],
  ])('S5: %s is not waited for, and its connection has to go', async (_, body, headers) => {
    const patience = new AbortController()
    const limit = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(patience.signal)
    const { post } = createHarness()
    const answer = post('/api/auth/login', { body, headers })
    await vi.waitUntil(() => limit.mock.calls.length > 0)
    patience.abort()

    const response = await answer
    expect(response.headers.get('connection')).toBe('close')
    expect(await outcome(response)).toBe(LARGE)
  })

  it.each<[string, BodyInit, Record<string, string>?]>([
    ['exactly as long as allowed', padded(LIMIT)],
    ['with more in it than asked for', good.replace('}', ',"admin":true,"__proto__":{"a":1}}')],
    ['with a charset', good, { 'content-type': 'application/json; charset=utf-8' }],
    ['with a type in capitals', good, { 'content-type': 'Application/JSON' }],
    ['with a byte order mark', `\uFEFF${good}`],
  ])('S5: is accepted %s', async (_, body, headers = JSON_TYPE) => {
    const { post } = createHarness()
    expect(await outcome(post('/api/auth/login', { body, headers }))).toBe('200')
  })

  it('S5: is told which field is wrong', async () => {
    const { post } = createHarness()
    const response = await post('/api/auth/login', { json: { username: 'demo', password: 7 } })
    expect((await response.json()).message).toMatch(/^password: /)
  })

  it('S5: is told of every field that is wrong', async () => {
    const { post } = createHarness()
    const response = await post('/api/auth/login', { json: { username: 7 } })
    expect((await response.json()).message).toMatch(/^username: .+\. password: .+\.$/)
  })

  it('S5: does not change what objects are', async () => {
    const { post } = createHarness()
    await post('/api/auth/login', { body: '{"__proto__":{"polluted":true}}', headers: JSON_TYPE })
    expect({}).not.toHaveProperty('polluted')
  })
})

describe('a refresh and a sign-out', () => {
  it.each<[string, BodyInit]>([
    ['broken JSON', '{'],
    ['null', 'null'],
    ['an array', '[]'],
    ['a token that is a number', '{"refreshToken":7}'],
    ['a token that is null', '{"refreshToken":null}'],
    ['a token that is empty', '{"refreshToken":""}'],
    ['bytes that are not UTF-8', bytes(0xc3, 0x28)],
  ])('S5: with %s get 400, and the cookie stays good', async (_, body) => {
    const { post, signIn } = createHarness()
    const { refreshToken: cookie } = await signIn('demo', 'cookie')
    for (const path of ['/api/auth/refresh', '/api/auth/logout']) {
      const response = await post(path, { body, cookie, headers: JSON_TYPE })
      expect(response.headers.getSetCookie()).toEqual([])
      expect(await outcome(response)).toBe('400 invalid_body')
    }
    expect(await outcome(post('/api/auth/refresh', { cookie }))).toBe('200')
  })

  it('S5: with a body that is not JSON get 415, and with too long a one 413', async () => {
    const { post } = createHarness()
    for (const path of ['/api/auth/refresh', '/api/auth/logout']) {
      expect(await outcome(post(path, { body: 'a=b' }))).toBe('415 unsupported_media_type')
      const headers = JSON_TYPE
      expect(await outcome(post(path, { body: chunked(LIMIT + 1), headers }))).toBe(
        '413 body_too_large',
      )
    }
  })
})

describe('the controls', () => {
  it.each<[string, unknown]>([
    ['no path', { times: 1, status: 500 }],
    ['a path that is none of the API', { path: '/index.html', status: 500 }],
    ['nothing to do', { path: '/api/health', times: 1 }],
    ['no times', { path: '/api/health', times: 0, status: 500 }],
    ['half a time', { path: '/api/health', times: 0.5, status: 500 }],
    ['a status that is none', { path: '/api/health', status: 99 }],
    ['a path of the controls, which no fault can meet', { path: '/api/__mock/log', status: 500 }],
    ['a negative delay', { path: '/api/health', delayMs: -1 }],
    ['a delay without end', { path: '/api/health', delayMs: 1e12 }],
    [
      'a Retry-After that no header can hold',
      { path: '/api/health', status: 503, retryAfter: 'a\n' },
    ],
    ['a kind that there is not', { path: '/api/health', kind: 'explode' }],
  ])('S5: a fault with %s is refused', async (_, json) => {
    const { call, post } = createHarness()
    expect(await outcome(post('/api/__mock/faults', { json }))).toBe('400 invalid_body')
    expect(await outcome(call('/api/health'))).toBe('200')
  })
})

describe('the echo', () => {
  const sha256 = (body: string | Uint8Array) => createHash('sha256').update(body).digest('hex')

  async function echo(body: BodyInit | undefined, type?: string) {
    const { post, signIn } = createHarness()
    const { accessToken: token } = await signIn()
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type }
    const response = await post('/api/protected-resource', { token, body, headers })
    return { status: response.status, ...(await response.json()) }
  }

  it('tells JSON parsed, text as it is, and of other bytes what they were', async () => {
    const json = '{"a": [1, "é"]}'
    expect(await echo(json, 'application/json')).toMatchObject({
      body: { a: [1, 'é'] },
      sha256: sha256(json),
    })
    expect(await echo('é', 'text/plain;charset=UTF-8')).toMatchObject({
      body: 'é',
      sha256: sha256('é'),
    })
    expect(await echo('é', 'text/csv')).toMatchObject({ body: 'é' })
    const body = bytes(0, 255, 1)
    expect(await echo(body, 'application/octet-stream')).toMatchObject({
      body: { sha256: sha256(body), size: 3, contentType: 'application/octet-stream' },
      sha256: sha256(body),
    })
    expect(await echo(undefined)).toMatchObject({ body: null, sha256: sha256('') })
    expect(await echo(body)).toMatchObject({ body: { size: 3, contentType: null } })
  })

  it('S5: takes a mebibyte and not a byte more', async () => {
    const text = 'text/plain'
    expect(await echo('a'.repeat(1024 * 1024), text)).toMatchObject({ status: 200 })
    expect(await echo('a'.repeat(1024 * 1024 + 1), text)).toMatchObject({ status: 413 })
    expect(await echo(chunked(1024 * 1024 + 1), text)).toMatchObject({ status: 413 })
  })

  it('S5: refuses JSON that is broken', async () => {
    expect(await echo('{', 'application/json')).toMatchObject({ status: 400 })
  })

  it('S5: refuses JSON nested deep, where this version of Node cannot write it, and never breaks', async () => {
    const deep = '['.repeat(500_000) + ']'.repeat(500_000)
    const { status, data } = await echo(deep, 'application/json')
    expect([status, data?.code]).toBeOneOf([
      [400, 'invalid_body'],
      [200, undefined],
    ])
  })
})
