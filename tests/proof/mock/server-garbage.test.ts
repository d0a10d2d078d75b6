import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHarness, quickUsers } from '../../support/mock-server.ts'

const paths = [
  '/api/auth/login',
  '/api/auth/refresh',
  '/api/auth/logout',
  '/api/auth/me',
  // demo:start
  '/api/projects',
  '/api/projects/1',
  '/api/notifications',
  '/api/stats',
  '/api/admin/users',
  // demo:end
  '/api/protected-resource',
  '/api/health',
  '/api/__mock/faults',
  '/api/__mock/log',
]

const path = fc.oneof(
  fc.constantFrom(...paths),
  fc.webPath().map((rest) => `/api${rest}`),
  fc.constantFrom('/api/%', '/api/%ff', '/api//', '/api/../api/health', '/api/auth/%00', '/api?'),
)
const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS')
const text = fc.string({ unit: 'binary-ascii', maxLength: 40 })
const headerValue = fc.string({ unit: fc.constantFrom(...'aZ0 .;,="%\t{}<>'), maxLength: 40 })
const headers = fc.dictionary(
  fc.constantFrom(
    'content-type',
    'authorization',
    'cookie',
    'origin',
    'sec-fetch-site',
    'accept',
    'x-forwarded-for',
    'if-none-match',
    'range',
  ),
  fc.oneof(
    headerValue,
    fc.constantFrom(
      'application/json',
      'Bearer',
      'Bearer a.b.c',
      'refresh_token_5173=a.b.c',
      'null',
    ),
  ),
)
const body = fc.oneof(
  fc.constant(null),
  fc.json({ maxDepth: 4 }),
  text,
  fc.uint8Array({ maxLength: 60 }),
  fc.constantFrom(
    '{"__proto__":{"roles":["admin"]}}',
    '{"username":"demo","password":{"$ne":null}}',
    '{"username":["demo"],"password":"password"}',
    '{"refreshToken":"eyJhbGciOiJub25lIn0.e30."}',
    '['.repeat(5_000),
  ),
)

describe('garbage', () => {
  it(
    'S1, S5: 10,000 requests of it: never a 500, never a token, and the server goes on',
    { timeout: 60_000 },
    async () => {
      const { app, call, signIn } = createHarness()
      const garbage = fc.record({ path, method, headers, body })
      const bad: unknown[] = []

      for (const sample of fc.sample(garbage, { numRuns: 10_000, seed: 1 })) {
        const { path, method, headers, body } = sample
        const hasBody = !['GET', 'HEAD'].includes(method)
        const url = `http://localhost:5173${path}`
        const init = { method, headers, body: hasBody ? (body as BodyInit) : null }
        const response = await app.fetch(new Request(url, init))
        const answer = await response.text()
        const leaks = answer.includes('accessToken') || response.headers.has('set-cookie')
        const cleared = response.headers.get('set-cookie')?.startsWith('refresh_token_5173=;')
        if (response.status >= 500 || (leaks && !cleared))
          bad.push([sample, response.status, answer])
      }

      expect(bad).toEqual([])
      const { accessToken } = await signIn()
      const me = await (await call('/api/auth/me', { token: accessToken })).json()
      expect(me).toEqual({ id: 'user-2', username: 'demo', name: 'Demo', roles: ['user'] })
      expect(({} as { roles?: unknown }).roles).toBeUndefined()
    },
  )
})

describe('guessing', () => {
  it('S6: does not lock the real user out forever', async () => {
    const { call, clock } = createHarness({ users: quickUsers })
    const attempt = (password: string) =>
      call('/api/auth/login', { json: { username: 'demo', password } })
    for (let n = 0; n < 100; n += 1) await attempt(`guess ${n}`)
    const refused = await attempt('password')
    expect(refused.status).toBe(429)
    clock.advance(Number(refused.headers.get('retry-after')) * 1000)
    expect((await attempt('password')).status).toBe(200)
  })
})
