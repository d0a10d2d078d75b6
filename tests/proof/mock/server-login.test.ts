/**
 * The mock server’s guard at the door: the refresh cookie, whose pages may call, and who guesses
 * passwords (S4, S6).
 */
import { describe, expect, it, vi } from 'vitest'
import { cookieOf, createHarness, granted, outcome, quickUsers } from '../../support/mock-server.ts'

const credentials = { username: 'demo', password: 'password' }

describe('the refresh cookie', () => {
  const ATTRIBUTES = 'Max-Age=604800; Path=/api/auth; HttpOnly; SameSite=Strict'

  it('S4: is HttpOnly, SameSite=Strict and for /api/auth alone', async () => {
    const { post } = createHarness()
    const login = await post('/api/auth/login', { json: credentials })
    const cookie = cookieOf(login)

    expect(cookie).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    expect(login.headers.getSetCookie()).toEqual([`refresh_token_5173=${cookie}; ${ATTRIBUTES}`])
    const next = await post('/api/auth/refresh', { cookie })
    expect(next.headers.getSetCookie()).toEqual([
      `refresh_token_5173=${cookieOf(next)}; ${ATTRIBUTES}`,
    ])
  })

  it('S4: has the prefix __Host- over https, to which no path and no other host can be set', async () => {
    const { post } = createHarness({ base: 'https://example.test' })
    const login = await post('/api/auth/login', { json: credentials })
    const cookie = cookieOf(login)
    expect(login.headers.getSetCookie()).toEqual([
      `__Host-refresh_token=${cookie}; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Strict`,
    ])

    expect(await outcome(post('/api/auth/refresh', { cookie }))).toBe('200')
    const logout = await post('/api/auth/logout', { cookie })
    expect(logout.headers.getSetCookie()).toEqual([
      '__Host-refresh_token=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict',
    ])
  })

  it('S4: what a proxy says of the protocol is not trusted', async () => {
    const { post } = createHarness()
    const headers = { 'x-forwarded-proto': 'https' }
    const login = await post('/api/auth/login', { headers, json: credentials })
    expect(login.headers.getSetCookie()[0]).toMatch(/^refresh_token_5173=/)
  })

  it.each([
    ['http://localhost:5173', 'refresh_token_5173'],
    ['http://localhost:4173', 'refresh_token_4173'],
    ['http://localhost', 'refresh_token_80'],
    ['https://localhost:5173', '__Host-refresh_token'],
  ])('S4: the cookie of %s is called %s', async (base, name) => {
    const login = await createHarness({ base }).post('/api/auth/login', { json: credentials })
    expect(login.headers.getSetCookie()[0]).toMatch(new RegExp(`^${name}=`))
  })

  it('S4: lives as long as the token in it', async () => {
    const { post } = createHarness({ refreshTtl: '1h' })
    const login = await post('/api/auth/login', { json: credentials })
    expect(login.headers.getSetCookie()[0]).toContain('; Max-Age=3600;')
  })

  it('S4: is the only place where the refresh token is', async () => {
    const { post } = createHarness()
    const login = await post('/api/auth/login', { json: credentials })
    const next = await post('/api/auth/refresh', { cookie: cookieOf(login) })

    expect(Object.keys(await login.json())).toEqual([
      'accessToken',
      'tokenType',
      'expiresIn',
      'user',
    ])
    expect(await next.text()).not.toMatch(/refresh/i)
  })

  it('S4: goes with the sign-out', async () => {
    const { post, refresh, signIn } = createHarness()
    const { refreshToken } = await signIn('demo', 'cookie')
    const logout = await post('/api/auth/logout', { cookie: refreshToken })

    expect(logout.status).toBe(204)
    expect(logout.headers.getSetCookie()).toEqual([
      'refresh_token_5173=; Max-Age=0; Path=/api/auth; HttpOnly; SameSite=Strict',
    ])
    expect(await outcome(refresh(refreshToken))).toBe('401 refresh_token_invalid')
  })

  it('S4: goes when it is refused', async () => {
    const { post } = createHarness()
    const refused = await post('/api/auth/refresh', { cookie: 'x' })

    expect(refused.headers.getSetCookie()[0]).toMatch(
      /^refresh_token_5173=; Max-Age=0; Path=\/api\/auth;/,
    )
    expect(await outcome(refused)).toBe('401 refresh_token_invalid')
  })

  it('R7: stays when the server broke, and refused nothing', async () => {
    let isFull = false
    const save = () => {
      if (isFull) throw new Error('The disk is full')
    }
    const { post, signIn } = createHarness({ storage: { load: () => null, save } })
    const { refreshToken } = await signIn('demo', 'cookie')
    isFull = true
    vi.spyOn(console, 'error').mockReturnValue()
    const broken = await post('/api/auth/refresh', { cookie: refreshToken })

    expect(await broken.json()).toEqual({
      status: 500,
      message: 'A bug in the mock server: see its console.',
    })
    expect(broken.headers.getSetCookie()).toEqual([])
  })

  it('stays when it is the session of a token in the body that is signed out', async () => {
    const { post, refresh, signIn } = createHarness()
    const { refreshToken: cookie } = await signIn('admin', 'cookie')
    const { refreshToken } = await signIn('demo', 'json')
    const logout = await post('/api/auth/logout', { cookie, json: { refreshToken } })

    expect(logout.headers.getSetCookie()).toEqual([])
    expect(await outcome(refresh(refreshToken))).toBe('401 refresh_token_invalid')
    expect(await outcome(post('/api/auth/refresh', { cookie }))).toBe('200')
  })

  it('a token in the body wins over it, and leaves it alone', async () => {
    const { post, signIn } = createHarness()
    const { refreshToken: cookie } = await signIn('admin', 'cookie')
    const { refreshToken } = await signIn('demo', 'json')

    const next = await post('/api/auth/refresh', { cookie, json: { refreshToken } })
    expect(next.headers.getSetCookie()).toEqual([])
    expect((await granted(next)).user).toMatchObject({ username: 'demo' })
    const refused = await post('/api/auth/refresh', { cookie, json: { refreshToken: 'x' } })
    expect(refused.headers.getSetCookie()).toEqual([])
    expect(await outcome(refused)).toBe('401 refresh_token_invalid')
    expect(await outcome(post('/api/auth/refresh', { cookie }))).toBe('200')
  })

  it('an empty body and one without a token both mean the cookie', async () => {
    const { post, signIn } = createHarness()
    const { refreshToken: cookie } = await signIn('demo', 'cookie')
    expect(await outcome(post('/api/auth/refresh', { cookie }))).toBe('200')
    expect(await outcome(post('/api/auth/refresh', { cookie, json: {} }))).toBe('200')
  })
})

describe('two refresh cookies', () => {
  const NAME = 'refresh_token_5173'

  async function plant(planted: (good: string) => string) {
    const harness = createHarness()
    const { refreshToken: good } = await harness.signIn('demo', 'cookie')
    return { ...harness, good, headers: { cookie: planted(good) } }
  }

  it.each<[string, (good: string) => string]>([
    ['rubbish first', (good) => `${NAME}=x; ${NAME}=${good}`],
    ['rubbish last', (good) => `${NAME}=${good}; ${NAME}=x`],
    ['an empty one first', (good) => `${NAME}=; ${NAME}=${good}`],
    ['without a space', (good) => `a=b;${NAME}=x;${NAME}=${good}`],
  ])('S4: are refused and not deleted: %s', async (_, planted) => {
    const { good, headers, post } = await plant(planted)
    const refused = await post('/api/auth/refresh', { headers })

    expect(refused.headers.getSetCookie()).toEqual([])
    expect(refused.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
    expect(await outcome(refused)).toBe('401 refresh_token_ambiguous')
    expect(await outcome(post('/api/auth/refresh', { cookie: good }))).toBe('200')
  })

  it('S4: the session of another person is not entered', async () => {
    const { good, post, signIn } = await plant((good) => good)
    const { refreshToken: foreign } = await signIn('admin', 'cookie')
    const headers = { cookie: `${NAME}=${foreign}; ${NAME}=${good}` }
    const refused = await post('/api/auth/refresh', { headers })
    expect(await outcome(refused)).toBe('401 refresh_token_ambiguous')
  })

  it('S4, S7: signing out ends the sessions of both and deletes neither', async () => {
    const { good, post, refresh, signIn } = await plant((good) => good)
    const { refreshToken: foreign } = await signIn('admin', 'cookie')
    const headers = { cookie: `${NAME}=x; ${NAME}=${good}; ${NAME}=${foreign}` }
    const logout = await post('/api/auth/logout', { headers })

    expect(logout.headers.getSetCookie()).toEqual([])
    expect(await outcome(logout)).toBe('204')
    for (const token of [good, foreign]) {
      expect(await outcome(refresh(token))).toBe('401 refresh_token_invalid')
    }
  })

  it('S4: one of another name does not count', async () => {
    const { headers, post } = await plant((good) => {
      return `refresh_token=x; refresh_token_4173=x; x${NAME}=x; ${NAME}=${good}`
    })
    expect(await outcome(post('/api/auth/refresh', { headers }))).toBe('200')
  })
})

describe('all that POST gets of /api/auth', () => {
  it.each([
    ['a grant', '/api/auth/login', { json: credentials }],
    ['a refusal', '/api/auth/refresh', {}],
    ['a bad body', '/api/auth/login', { json: 7 }],
    ['a sign-out', '/api/auth/logout', {}],
    ['nothing at all', '/api/auth/nothing', {}],
  ])('is not to be stored: %s', async (_, path, init) => {
    const response = await createHarness().post(path, init)
    expect(response.headers.get('cache-control')).toBe('no-store')
  })
})

describe('callers', () => {
  const own = 'http://localhost:5173'
  const paths = ['/api/auth/login', '/api/auth/refresh', '/api/auth/logout']

  it.each<Record<string, string>>([
    { origin: 'https://evil.example' },
    { origin: 'http://localhost:5174' },
    { origin: 'https://localhost:5173' },
    { origin: 'http://localhost' },
    { origin: 'http://localhost:5173.evil.example' },
    { origin: 'null' },
    { origin: '' },
    { 'sec-fetch-site': 'cross-site' },
    { origin: own, 'sec-fetch-site': 'cross-site' },
    { origin: 'http://sub.localhost:5173', 'sec-fetch-site': 'same-site' },
  ])('S4: %j is refused', async (headers) => {
    const { call, post, signIn } = createHarness()
    const { accessToken, refreshToken: cookie } = await signIn('demo', 'cookie')
    for (const path of paths) {
      const response = await post(path, { headers, cookie, json: credentials })
      expect(response.headers.getSetCookie()).toEqual([])
      expect(await outcome(response)).toBe('403 forbidden_origin')
    }
    expect(await outcome(call('/api/auth/me', { token: accessToken }))).toBe('200')
    expect(await outcome(post('/api/auth/refresh', { cookie }))).toBe('200')
  })

  it.each<Record<string, string>>([
    {},
    { origin: own },
    { origin: own, 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
  ])('S4: %j is let in', async (headers) => {
    const { post } = createHarness()
    const login = await post('/api/auth/login', { headers, json: credentials })
    const cookie = cookieOf(login)

    expect(await outcome(login)).toBe('200')
    expect(await outcome(post('/api/auth/refresh', { headers, cookie }))).toBe('200')
    expect(await outcome(post('/api/auth/logout', { headers, cookie }))).toBe('204')
  })

  it('S8: the controls take nothing from elsewhere either', async () => {
    const { call, post, signIn } = createHarness()
    const { accessToken } = await signIn()
    const headers = { origin: 'https://evil.example' }

    expect(await outcome(post('/api/__mock/reset', { headers }))).toBe('403 forbidden_origin')
    expect(await outcome(call('/api/__mock/log', { headers }))).toBe('403 forbidden_origin')
    expect(await outcome(call('/api/auth/me', { token: accessToken }))).toBe('200')
  })
})

describe('other origins', () => {
  const origin = 'http://127.0.0.1:5173'
  const preflight = {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  }

  it('get no CORS header unless they are allowed', async () => {
    const { call } = createHarness()
    for (const init of [{ headers: { origin } }, preflight]) {
      const response = await call('/api/health', init)
      expect([...response.headers.keys()].join()).not.toMatch(/access-control|vary/)
    }
  })

  it('that are allowed get a preflight with credentials', async () => {
    const { call } = createHarness({ allowedOrigins: [origin] })
    const response = await call('/api/protected-resource', preflight)

    expect(response.status).toBe(204)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'authorization,content-type',
      vary: expect.stringContaining('origin'),
    })
  })

  it('S4: that are allowed may sign in, cross-site too', async () => {
    const { post } = createHarness({ allowedOrigins: [origin] })
    const headers = { origin, 'sec-fetch-site': 'cross-site' }
    const login = await post('/api/auth/login', { headers, json: credentials })

    expect(login.status).toBe(200)
    expect(login.headers.get('access-control-allow-origin')).toBe(origin)
  })

  it('that are allowed may read errors, faults and what these ask of a client', async () => {
    const { call, post } = createHarness({ allowedOrigins: [origin] })
    await post('/api/__mock/faults', { json: { path: '/api/health', status: 503 } })
    for (const path of ['/api/protected-resource', '/api/nothing', '/api/health']) {
      const { headers, ok } = await call(path, { headers: { origin } })
      expect(ok).toBe(false)
      expect(headers.get('access-control-allow-origin')).toBe(origin)
      expect(headers.get('access-control-expose-headers')).toBe('WWW-Authenticate,Retry-After,Date')
    }
  })

  it.each(['https://evil.example', `${origin}0`])(
    'S4: that are not allowed stay out when others are: %s',
    async (other) => {
      const { call, post } = createHarness({ allowedOrigins: [origin] })
      const headers = { origin: other }
      const read = await call('/api/health', { headers })

      expect(read.headers.get('access-control-allow-origin')).toBeNull()
      expect(await outcome(post('/api/auth/login', { headers, json: credentials }))).toBe(
        '403 forbidden_origin',
      )
    },
  )
})

describe('guessing passwords', () => {
  it('S6: gets 429 with Retry-After, and no answer to the guess', async () => {
    const { clock, post } = createHarness()
    const login = (password: string) =>
      post('/api/auth/login', { json: { username: 'demo', password } })
    for (let i = 0; i < 5; i += 1) {
      expect(await outcome(login('guess'))).toBe('401 invalid_credentials')
    }

    const refused = await login('password')
    expect(refused.headers.get('retry-after')).toBe('60')
    expect(await outcome(refused)).toBe('429 too_many_attempts')
    clock.advance(60_000)
    expect(await outcome(login('password'))).toBe('200')
  })

  it('S6: is not what a password that cannot be checked is taken for', async () => {
    const users = [{ ...quickUsers[0]!, passwordHash: 'scrypt:3:8:1:salt:key' }]
    const { post } = createHarness({ users })
    vi.spyOn(console, 'error').mockReturnValue()
    const json = { username: quickUsers[0]!.username, password: 'password' }
    expect(await outcome(post('/api/auth/login', { json }))).toBe('500')
  })

  it('S6: a clock that is set back locks nobody out for longer', async () => {
    const { clock, post } = createHarness()
    const json = { username: 'demo', password: 'guess' }
    for (let i = 0; i < 5; i += 1) await post('/api/auth/login', { json })
    clock.advance(-3_600_000)
    expect(await outcome(post('/api/auth/login', { json: credentials }))).toBe('200')
  })

  it('S6: an unknown user is answered like a wrong password', async () => {
    const { post } = createHarness()
    const answers = ['demo', 'nobody', '__proto__'].map(async (username) => {
      const response = await post('/api/auth/login', { json: { username, password: 'guess' } })
      return [response.status, [...response.headers], await response.text()]
    })
    const [known, ...unknown] = await Promise.all(answers)
    expect(unknown).toEqual([known, known])
  })

  it('S6: the demo accounts are there by default', async () => {
    const { post } = createHarness({ users: undefined })
    expect(await outcome(post('/api/auth/login', { json: credentials }))).toBe('200')
  })
})
