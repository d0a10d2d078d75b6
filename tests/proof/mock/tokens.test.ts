import { base64url, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { createTokens, TokenError } from '../../../mock-server/tokens.ts'
import { createClock, DAY, MINUTE } from '../../support/mock-server.ts'

const secrets = {
  access: base64url.encode(new Uint8Array(64).fill(1)),
  refresh: base64url.encode(new Uint8Array(64).fill(2)),
}
const accessClaims = { sub: 'user-1', sid: 'family-1', roles: ['admin'], jti: '7' }
const refreshClaims = { sub: 'user-1', fid: 'family-1', jti: 'token-1' }

function setUp(options: { secrets?: typeof secrets; start?: number } = {}) {
  const clock = createClock(options.start)
  const tokens = createTokens({
    secrets,
    accessTtl: 900,
    refreshTtl: 604_800,
    ...clock,
    ...options,
  })
  return { clock, tokens }
}

const refusal = (verified: Promise<unknown>) =>
  verified.then(
    () => 'accepted',
    (error: TokenError) => error.reason,
  )

describe('access tokens', () => {
  it('S1: say who, in which session, with which roles, for 15 minutes', async () => {
    const { clock, tokens } = setUp()
    const token = await tokens.signAccess(accessClaims)
    const iat = clock.now() / 1000

    expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'at+jwt' })
    expect(decodeJwt(token)).toEqual({
      ...accessClaims,
      iss: 'urn:mock-server',
      aud: 'urn:mock-server:api',
      iat,
      exp: iat + 15 * 60,
    })
    expect(await tokens.verifyAccess(token)).toEqual(accessClaims)
  })

  it('S1: are good to the last millisecond and no longer', async () => {
    const { clock, tokens } = setUp()
    const token = await tokens.signAccess(accessClaims)

    clock.advance(15 * MINUTE - 1)
    expect(await tokens.verifyAccess(token)).toEqual(accessClaims)
    clock.advance(1)
    expect(await refusal(tokens.verifyAccess(token))).toBe('expired')
  })

  it('S1: issued within a second, live for the whole of what was promised', async () => {
    const { clock, tokens } = setUp({ start: 1_700_000_000_900 })
    const token = await tokens.signAccess(accessClaims)

    clock.advance(15 * MINUTE - 1)
    expect(await tokens.verifyAccess(token)).toEqual(accessClaims)
  })

  it('are checked once and remembered, the latest thousand of them', async () => {
    const { clock, tokens } = setUp()
    const token = await tokens.signAccess(accessClaims)
    const claims = await tokens.verifyAccess(token)
    expect(await tokens.verifyAccess(token)).toBe(claims)
    for (let n = 1; n < 1000; n += 1) {
      await tokens.verifyAccess(await tokens.signAccess({ ...accessClaims, jti: `other ${n}` }))
    }
    expect(await tokens.verifyAccess(token)).toBe(claims)
    await tokens.verifyAccess(await tokens.signAccess({ ...accessClaims, jti: 'last' }))
    const again = await tokens.verifyAccess(token)
    expect(again).not.toBe(claims)
    expect(again).toEqual(claims)

    clock.advance(15 * MINUTE)
    expect(await refusal(tokens.verifyAccess(token))).toBe('expired')
  })

  it('tell whose they were once they have expired, and not when they are forged', async () => {
    const { clock, tokens } = setUp()
    const token = await tokens.signAccess(accessClaims)
    clock.advance(DAY)

    await expect(tokens.verifyAccess(token)).rejects.toMatchObject({ claims: accessClaims })
    await expect(tokens.verifyAccess(`${token}x`)).rejects.toMatchObject({ claims: undefined })
  })
})

describe('refresh tokens', () => {
  it('S1: say which token of which family, for 7 days', async () => {
    const { clock, tokens } = setUp()
    const token = await tokens.signRefresh(refreshClaims, clock.now())
    const { iat = 0, exp = 0 } = decodeJwt(token)

    expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'rt+jwt' })
    expect(exp - iat).toBe(7 * 24 * 60 * 60)
    expect(await tokens.verifyRefresh(token)).toEqual(refreshClaims)
    clock.advance(7 * DAY)
    expect(await refusal(tokens.verifyRefresh(token))).toBe('expired')
  })

  it('S2: are the very same for the same claims and time, however late they are asked for', async () => {
    const { clock, tokens } = setUp()
    const issuedAt = clock.now()
    const token = await tokens.signRefresh(refreshClaims, issuedAt)

    clock.advance(9000)
    expect(await tokens.signRefresh(refreshClaims, issuedAt)).toBe(token)
  })
})

describe('neither passes for the other', () => {
  it('S1: by their secrets', async () => {
    const { clock, tokens } = setUp()
    const accessToken = await tokens.signAccess(accessClaims)
    const refreshToken = await tokens.signRefresh(refreshClaims, clock.now())

    expect(await refusal(tokens.verifyRefresh(accessToken))).toBe('invalid')
    expect(await refusal(tokens.verifyAccess(refreshToken))).toBe('invalid')
    const now = { currentDate: new Date(clock.now()) }
    await jwtVerify(accessToken, base64url.decode(secrets.access), now)
    await jwtVerify(refreshToken, base64url.decode(secrets.refresh), now)
  })

  it('S1: and by their type, should the secrets be the same one day', async () => {
    const { clock, tokens } = setUp({
      secrets: { access: secrets.access, refresh: secrets.access },
    })
    const claims = { ...accessClaims, ...refreshClaims }
    const accessToken = await tokens.signAccess(claims)
    const refreshToken = await tokens.signRefresh(claims, clock.now())

    expect(decodeJwt(accessToken).fid).toBe('family-1')
    expect(await refusal(tokens.verifyRefresh(accessToken))).toBe('invalid')
    expect(await refusal(tokens.verifyAccess(refreshToken))).toBe('invalid')
  })
})

describe('forged access tokens', () => {
  const key = base64url.decode(secrets.access)
  const now = createClock().now() / 1000

  const payload = {
    ...accessClaims,
    iss: 'urn:mock-server',
    aud: 'urn:mock-server:api',
    iat: now,
    exp: now + 60,
  }

  interface Change {
    claims?: Record<string, unknown>
    header?: Record<string, unknown>
    key?: Uint8Array
  }

  /** A token that is right in all but what the test changes. `undefined` leaves something out. */
  function forge({ claims, header, key: signingKey = key }: Change = {}): Promise<string> {
    return new SignJWT({ ...payload, ...claims })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', ...header })
      .sign(signingKey)
  }

  function unsigned() {
    const [, body] = new UnsecuredJWT(payload).encode().split('.')
    return `${base64url.encode('{"alg":"none","typ":"at+jwt"}')}.${body}.`
  }

  /** Another payload under the signature of a good one. */
  async function tampered() {
    const [header, , signature] = (await forge()).split('.')
    const other = base64url.encode(JSON.stringify({ ...payload, sub: 'user-2' }))
    return `${header}.${other}.${signature}`
  }

  async function cutShort() {
    return (await forge()).slice(0, -1)
  }

  it('S1: the forger knows the format: with nothing changed the token is accepted', async () => {
    expect(await refusal(setUp().tokens.verifyAccess(await forge()))).toBe('accepted')
  })

  it.each<[string, () => string | Promise<string>]>([
    ['alg none', unsigned],
    ['a foreign key', () => forge({ key: new Uint8Array(64).fill(9) })],
    ['another HMAC', () => forge({ header: { alg: 'HS512' } })],
    ['another typ', () => forge({ header: { typ: 'JWT' } })],
    ['no typ', () => forge({ header: { typ: undefined } })],
    ['the typ of a refresh token', () => forge({ header: { typ: 'rt+jwt' } })],
    ['another aud', () => forge({ claims: { aud: 'urn:elsewhere' } })],
    ['no aud', () => forge({ claims: { aud: undefined } })],
    ['another iss', () => forge({ claims: { iss: 'urn:elsewhere' } })],
    ['no iss', () => forge({ claims: { iss: undefined } })],
    ['no end', () => forge({ claims: { exp: undefined } })],
    ['an end that is no number', () => forge({ claims: { exp: '2099' } })],
    ['a beginning in the future', () => forge({ claims: { nbf: now + 30 } })],
    ['a claim that is missing', () => forge({ claims: { sid: undefined } })],
    ['a claim of another kind', () => forge({ claims: { roles: 'admin' } })],
    ['a payload that was tampered with', tampered],
    ['a signature cut short', cutShort],
    ['no JWT at all', () => 'x'],
    ['nothing', () => ''],
    ['three dots', () => '...'],
    ['a very long one', () => 'a.'.repeat(50_000)],
  ])('S1: %s is refused', async (_, make) => {
    expect(await refusal(setUp().tokens.verifyAccess(await make()))).toBe('invalid')
  })
})
