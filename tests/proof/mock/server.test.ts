/**
 * The tokens of the mock server, over its wire: what they are good for and when they stop (S1, S2,
 * S3, S7, S9).
 */
import { base64url, decodeJwt, SignJWT } from 'jose'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { TokenGrantSchema } from '../../../src/auth/contract.ts'
import {
  cookieOf,
  createHarness,
  createMemoryStorage,
  DAY,
  granted,
  MINUTE,
  outcome,
  quickUsers,
} from '../../support/mock-server.ts'

const LEEWAY = 30_000

describe('the grant', () => {
  it('S1: is the contract’s, with both tokens and both lifetimes in json mode', async () => {
    const { post, refresh } = createHarness()
    const login = await post('/api/auth/login', {
      json: { username: 'admin', password: 'password', mode: 'json' },
    })
    const grant = await granted(login)

    expect(v.parse(TokenGrantSchema, grant)).toEqual(grant)
    expect(grant).toMatchObject({
      tokenType: 'Bearer',
      expiresIn: 900,
      refreshExpiresIn: 604_800,
      user: { id: 'user-1', username: 'admin', name: 'Admin', roles: ['admin', 'user'] },
    })
    expect(login.headers.getSetCookie()).toEqual([])
    expect(Object.keys(await granted(await refresh(grant.refreshToken)))).toEqual(
      Object.keys(grant),
    )
  })

  it('S1: lifetimes are what the options say, as jose reads them or in seconds', async () => {
    const { clock, call, signIn } = createHarness({ accessTtl: '2 minutes', refreshTtl: 3600 })
    const { accessToken, expiresIn, refreshExpiresIn } = await signIn()

    expect({ expiresIn, refreshExpiresIn }).toEqual({ expiresIn: 120, refreshExpiresIn: 3600 })
    clock.advance(2 * MINUTE)
    expect(await outcome(call('/api/auth/me', { token: accessToken }))).toBe(
      '401 access_token_expired',
    )
  })

  it.each(['', '15', '500ms', '-5m', '0s', '5m ago', '2y', Infinity, NaN, -1, 0])(
    'S1: %j is no lifetime',
    (accessTtl) => {
      expect(() => createHarness({ accessTtl })).toThrow(RangeError)
    },
  )
})

describe('access tokens', () => {
  it('S1: open what is protected, for 15 minutes', async () => {
    const { call, clock, signIn } = createHarness()
    const { accessToken: token, user } = await signIn()

    const me = await call('/api/auth/me', { token })
    expect(await me.json()).toEqual(user)
    clock.advance(15 * MINUTE - 1)
    expect(await outcome(call('/api/auth/me', { token }))).toBe('200')
    clock.advance(1)
    expect(await outcome(call('/api/auth/me', { token }))).toBe('401 access_token_expired')
  })

  it('S1: live as long as they were promised, though refresh tokens expire sooner', async () => {
    const { call, clock, signIn } = createHarness({ refreshTtl: '10s' })
    const { accessToken: token } = await signIn()
    clock.advance(899_000)
    await signIn('admin')
    expect(await outcome(call('/api/auth/me', { token }))).toBe('200')
  })

  it('S1: live as long as they were promised, though issued at the end of the leeway', async () => {
    const { call, clock, refresh, signIn } = createHarness({ refreshTtl: '15m' })
    const { refreshToken } = await signIn()
    clock.advance(MINUTE)
    await refresh(refreshToken)
    clock.advance(LEEWAY - 1)
    const { accessToken: token } = await granted(await refresh(refreshToken))
    clock.advance(15 * MINUTE - 1)
    await signIn('admin')
    expect(await outcome(call('/api/auth/me', { token }))).toBe('200')
  })

  it('S1: a refresh token is no access token', async () => {
    const { call, signIn } = createHarness()
    const { refreshToken } = await signIn()
    expect(await outcome(call('/api/auth/me', { token: refreshToken }))).toBe(
      '401 access_token_invalid',
    )
  })

  it('S1: an access token is no refresh token', async () => {
    const { refresh, signIn } = createHarness()
    const { accessToken } = await signIn()
    expect(await outcome(refresh(accessToken))).toBe('401 refresh_token_invalid')
  })

  it('S1: of another server are foreign', async () => {
    const { accessToken, refreshToken } = await createHarness().signIn()
    const { call, refresh } = createHarness()
    expect(await outcome(call('/api/auth/me', { token: accessToken }))).toBe(
      '401 access_token_invalid',
    )
    expect(await outcome(refresh(refreshToken))).toBe('401 refresh_token_invalid')
  })

  it('S1: well signed, but of a session or a user that is not there, are refused', async () => {
    const storage = createMemoryStorage()
    const { call, signIn } = createHarness({ storage })
    const { accessToken } = await signIn()
    const claims = decodeJwt(accessToken)
    const key = base64url.decode(storage.state().secrets.access)
    const sign = (change: object) =>
      new SignJWT({ ...claims, ...change })
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
        .sign(key)

    const outcomes = [{}, { sid: 'family-1' }, { sub: 'user-9' }].map(async (change) =>
      outcome(call('/api/auth/me', { token: await sign(change) })),
    )
    expect(await Promise.all(outcomes)).toEqual([
      '200',
      '401 access_token_invalid',
      '401 access_token_invalid',
    ])
  })
})

describe('401', () => {
  it('S3: without a token challenges, and names no error', async () => {
    const { call, signIn } = createHarness()
    const { accessToken } = await signIn()
    const malformed = [`x Bearer ${accessToken}`, `Bearer ${accessToken} x`]
    for (const authorization of ['', 'Basic YTpi', 'Bearer', 'Bearer ', ...malformed]) {
      const response = await call('/api/auth/me', { headers: { authorization } })
      expect(response.headers.get('www-authenticate')).toBe('Bearer')
      expect(await response.json()).toEqual({
        status: 401,
        message: expect.any(String),
        data: { code: 'access_token_missing' },
      })
    }
  })

  it('S3: with a token says that it is invalid', async () => {
    const { call, refresh, signIn } = createHarness({ accessTtl: '1s' })
    const { accessToken, refreshToken } = await signIn()
    const harness = createHarness()
    const { accessToken: expired, refreshToken: reused } = await harness.signIn()
    await harness.post('/api/__mock/expire-access')
    await harness.refresh(reused)
    harness.clock.advance(MINUTE)
    const refused = [
      await call('/api/auth/me', { token: 'x' }),
      await harness.call('/api/auth/me', { token: expired }),
      await harness.refresh(reused),
      await harness.call('/api/auth/me', { headers: { authorization: `bearer ${accessToken}` } }),
      await harness.refresh(refreshToken),
      await refresh('x'),
    ]
    for (const response of refused) {
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
      expect(await response.json()).toMatchObject({ message: expect.any(String) })
    }
  })

  it('S3: of a sign-in or a refresh without any token challenges too', async () => {
    const { post } = createHarness()
    const login = await post('/api/auth/login', { json: { username: 'demo', password: 'x' } })
    const refresh = await post('/api/auth/refresh')

    expect(login.headers.get('www-authenticate')).toBe('Bearer')
    expect(await outcome(login)).toBe('401 invalid_credentials')
    expect(refresh.headers.get('www-authenticate')).toBe('Bearer')
    expect(await outcome(refresh)).toBe('401 refresh_token_missing')
  })
})

describe('refresh', () => {
  it('S2: brings another access token and another refresh token', async () => {
    const { call, refresh, signIn } = createHarness()
    const first = await signIn()
    const second = await granted(await refresh(first.refreshToken))

    expect(second.accessToken).not.toBe(first.accessToken)
    expect(second.refreshToken).not.toBe(first.refreshToken)
    for (const { accessToken } of [first, second]) {
      expect(await outcome(call('/api/auth/me', { token: accessToken }))).toBe('200')
    }
  })

  it('S2: of 50 at once with one token each is answered, and each answer leads on', async () => {
    const { clock, refresh, signIn } = createHarness()
    const { refreshToken } = await signIn()
    const responses = await Promise.all(Array.from({ length: 50 }, () => refresh(refreshToken)))
    const grants = await Promise.all(responses.map(granted))

    expect(new Set(grants.map((grant) => grant.accessToken)).size).toBe(50)
    clock.advance(DAY)
    const next = await Promise.all(grants.map((grant) => outcome(refresh(grant.refreshToken))))
    expect(new Set(next)).toEqual(new Set(['200']))
  })

  it('S2: with a rotated token is answered within the leeway, for what is left of its life', async () => {
    const { clock, refresh, signIn } = createHarness()
    const { refreshToken } = await signIn()
    const lost = await granted(await refresh(refreshToken))
    clock.advance(LEEWAY - 1)
    const again = await granted(await refresh(refreshToken))

    expect(again.refreshToken).toBe(lost.refreshToken)
    expect(again.refreshExpiresIn).toBe(604_800 - LEEWAY / 1000)
    expect(await outcome(refresh(again.refreshToken))).toBe('200')
  })

  it('S2: at the very end of its life is answered with a grant all the same', async () => {
    const { clock, refresh, signIn } = createHarness({ refreshTtl: 5 })
    clock.advance(500)
    const { refreshToken } = await signIn()
    await refresh(refreshToken)
    clock.advance(5_400)
    expect((await granted(await refresh(refreshToken))).refreshExpiresIn).toBe(1)
  })

  it('S2: with a rotated token after the leeway ends the session, all of it', async () => {
    const { call, clock, refresh, signIn } = createHarness()
    const other = await signIn()
    const first = await signIn()
    const second = await granted(await refresh(first.refreshToken))
    clock.advance(LEEWAY)

    expect(await outcome(refresh(first.refreshToken))).toBe('401 refresh_token_reused')
    expect(await outcome(refresh(second.refreshToken))).toBe('401 refresh_token_invalid')
    expect(await outcome(call('/api/auth/me', { token: second.accessToken }))).toBe(
      '401 access_token_invalid',
    )
    expect(await outcome(refresh(other.refreshToken))).toBe('200')
  })

  it('S2: with a token two generations old ends the session within the leeway too', async () => {
    const { refresh, signIn } = createHarness()
    const first = await signIn()
    const second = await granted(await refresh(first.refreshToken))
    await refresh(second.refreshToken)

    expect(await outcome(refresh(first.refreshToken))).toBe('401 refresh_token_reused')
  })

  it('S2: a clock that is corrected by a little signs nobody out', async () => {
    const { clock, refresh, signIn } = createHarness()
    const { refreshToken } = await signIn()
    await refresh(refreshToken)
    clock.advance(-5)
    expect(await outcome(refresh(refreshToken))).toBe('200')
  })

  it('S2: a clock that is set back makes the leeway no longer', async () => {
    const { clock, refresh, signIn } = createHarness()
    clock.advance(DAY)
    const { refreshToken } = await signIn()
    await refresh(refreshToken)
    clock.advance(-60 * MINUTE)
    expect(await outcome(refresh(refreshToken))).toBe('401 refresh_token_reused')
  })

  it('S2: the leeway is what the option says', async () => {
    const { clock, refresh, signIn } = createHarness({ reuseLeeway: '1m' })
    const { refreshToken } = await signIn()
    await refresh(refreshToken)
    clock.advance(MINUTE - 1)
    expect(await outcome(refresh(refreshToken))).toBe('200')
    clock.advance(1)
    expect(await outcome(refresh(refreshToken))).toBe('401 refresh_token_reused')
  })

  it('S1: an idle session ends after 7 days, one that is refreshed goes on', async () => {
    const { clock, refresh, signIn } = createHarness()
    const idle = await signIn()
    const used = await signIn()
    clock.advance(4 * DAY)
    const { refreshToken } = await granted(await refresh(used.refreshToken))
    clock.advance(3 * DAY)

    expect(await outcome(refresh(idle.refreshToken))).toBe('401 refresh_token_invalid')
    expect(await outcome(refresh(refreshToken))).toBe('200')
  })
})

describe('sign-out', () => {
  it('S7: ends the session with all its tokens at once, and no other session', async () => {
    const { call, post, refresh, signIn } = createHarness()
    const other = await signIn()
    const first = await signIn()
    const second = await granted(await refresh(first.refreshToken))
    const { refreshToken } = second

    expect(await outcome(post('/api/auth/logout', { json: { refreshToken } }))).toBe('204')
    for (const { accessToken } of [first, second]) {
      expect(await outcome(call('/api/protected-resource', { token: accessToken }))).toBe(
        '401 access_token_invalid',
      )
    }
    expect(await outcome(refresh(refreshToken))).toBe('401 refresh_token_invalid')
    expect(await outcome(call('/api/protected-resource', { token: other.accessToken }))).toBe('200')
  })

  it('S7: with a token that was rotated long ago ends the session as well', async () => {
    const { call, clock, post, refresh, signIn } = createHarness()
    const first = await signIn()
    clock.advance(DAY)
    const second = await granted(await refresh(first.refreshToken))
    clock.advance(MINUTE)
    await post('/api/auth/logout', { json: { refreshToken: first.refreshToken } })

    expect(await outcome(call('/api/protected-resource', { token: second.accessToken }))).toBe(
      '401 access_token_invalid',
    )
  })

  it('S7: is answered 204 whether or not there was a session', async () => {
    const { call, post, signIn } = createHarness()
    const { accessToken } = await signIn()
    for (const cookie of [undefined, '', 'x', accessToken]) {
      expect(await outcome(post('/api/auth/logout', { cookie }))).toBe('204')
    }
    expect(await outcome(call('/api/protected-resource', { token: accessToken }))).toBe('200')
  })

  it('S7: a refresh that is under way brings tokens that are worth nothing', async () => {
    const { call, post, refresh, signIn } = createHarness()
    const { refreshToken } = await signIn()
    const [response] = await Promise.all([
      refresh(refreshToken),
      post('/api/auth/logout', { json: { refreshToken } }),
    ])
    const late = response.status === 200 ? await granted(response) : undefined

    expect(
      await outcome(call('/api/protected-resource', { token: late?.accessToken ?? 'x' })),
    ).toBe('401 access_token_invalid')
    expect(await outcome(refresh(late?.refreshToken ?? refreshToken))).toBe(
      '401 refresh_token_invalid',
    )
  })
})

describe('a restart', () => {
  it('S9: signs nobody out', async () => {
    const storage = createMemoryStorage()
    const before = createHarness({ storage })
    const { accessToken, refreshToken } = await before.signIn()
    const after = createHarness({ storage })

    expect(await outcome(after.call('/api/auth/me', { token: accessToken }))).toBe('200')
    expect(await outcome(after.refresh(refreshToken))).toBe('200')
  })

  it('refuses the tokens of a user who is gone', async () => {
    const storage = createMemoryStorage()
    const { accessToken: token, refreshToken } = await createHarness({ storage }).signIn('demo')
    const users = quickUsers.filter(({ username }) => username !== 'demo')
    const { call, refresh } = createHarness({ storage, users })

    expect(await outcome(call('/api/auth/me', { token }))).toBe('401 access_token_invalid')
    expect(await outcome(refresh(refreshToken))).toBe('401 refresh_token_invalid')
  })

  it('S9: brings back no session that was signed out, and no token that was used', async () => {
    const storage = createMemoryStorage()
    const before = createHarness({ storage })
    const ended = await before.signIn()
    await before.post('/api/auth/logout', { cookie: ended.refreshToken })
    const reused = await before.signIn()
    const next = await before.refresh(reused.refreshToken)
    const after = createHarness({ storage })
    after.clock.advance(LEEWAY)

    expect(cookieOf(next)).toBeUndefined()
    expect(await outcome(after.refresh(ended.refreshToken))).toBe('401 refresh_token_invalid')
    expect(await outcome(after.refresh(reused.refreshToken))).toBe('401 refresh_token_reused')
  })
})
