/**
 * Signs and verifies the two kinds of JWT (S1). Whether the session behind a token still lives is
 * left to sessions.ts.
 */
import { base64url, errors, jwtVerify, SignJWT } from 'jose'
import * as v from 'valibot'

const ALGORITHM = 'HS256'
const ISSUER = 'urn:mock-server'
const AUDIENCE = 'urn:mock-server:api'

/** The media types that tell the two apart, whatever their keys. RFC 9068 §2.1 for the first. */
const ACCESS_TYPE = 'at+jwt'
const REFRESH_TYPE = 'rt+jwt'

/** How many access tokens are remembered as verified. */
const MAX_VERIFIED = 1000

const AccessClaimsSchema = v.object({
  sub: v.string(),
  sid: v.string(),
  roles: v.array(v.string()),
  jti: v.string(),
})
const RefreshClaimsSchema = v.object({ sub: v.string(), fid: v.string(), jti: v.string() })

/** `sub`: the user's id. `sid`: the family that the session lives by. */
export type AccessClaims = v.InferOutput<typeof AccessClaimsSchema>

/** `fid`: the family. `jti`: which token of it. */
export type RefreshClaims = v.InferOutput<typeof RefreshClaimsSchema>

/** Each kind has a secret of its own, in base64url. */
export interface Secrets {
  access: string
  refresh: string
}

type AnyClaims = Pick<AccessClaims, 'sub' | 'jti'>

/** Why a token was not accepted. `claims` are there only if everything but the time was right. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  readonly reason: 'expired' | 'invalid'
  readonly claims?: AnyClaims

  constructor(reason: 'expired' | 'invalid', claims?: AnyClaims) {
    super(`The token is ${reason}.`)
    this.reason = reason
    this.claims = claims
  }
}

export interface TokensOptions {
  secrets: Secrets
  /** Seconds. */
  accessTtl: number
  /** Seconds. */
  refreshTtl: number
  now: () => number
}

export type Tokens = ReturnType<typeof createTokens>

export function createTokens({ secrets, accessTtl, refreshTtl, now }: TokensOptions) {
  const accessKey = base64url.decode(secrets.access)
  const refreshKey = base64url.decode(secrets.refresh)

  async function sign(claims: object, type: string, key: Uint8Array, iat: number, ttl: number) {
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: ALGORITHM, typ: type })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt(iat)
      .setExpirationTime(iat + ttl)
      .sign(key)
  }

  /** @throws TokenError */
  async function verify<S extends v.GenericSchema<unknown, AnyClaims>>(
    token: string,
    type: string,
    key: Uint8Array,
    schema: S,
  ): Promise<{ claims: v.InferOutput<S>; exp: number }> {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM], // else a token could choose: `alg: none`
        typ: type,
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['exp'],
        currentDate: new Date(now()),
      })
      return { claims: v.parse(schema, payload), exp: payload.exp! }
    } catch (error) {
      // jose looks at the time last, so an expired token is right in all else.
      const late = error instanceof errors.JWTExpired && v.safeParse(schema, error.payload)
      throw late && late.success
        ? new TokenError('expired', late.output)
        : new TokenError('invalid')
    }
  }

  const verified = new Map<string, { claims: AccessClaims; exp: number }>()

  /**
   * A token comes with every call, and is looked at twice: what was found is remembered until it
   * expires. Whether its session lives is asked again each time (S7).
   *
   * @throws TokenError
   */
  async function verifyAccess(token: string): Promise<AccessClaims> {
    const known = verified.get(token)
    if (known && now() < known.exp * 1000) return known.claims
    verified.delete(token)
    const found = await verify(token, ACCESS_TYPE, accessKey, AccessClaimsSchema)
    verified.set(token, found)
    if (verified.size > MAX_VERIFIED) verified.delete(verified.keys().next().value!)
    return found.claims
  }

  return {
    signAccess: (claims: AccessClaims) =>
      sign(claims, ACCESS_TYPE, accessKey, toNumericDate(now()), accessTtl),
    verifyAccess,

    /** `issuedAt` in milliseconds: the same claims and time give the very same token again. */
    signRefresh: (claims: RefreshClaims, issuedAt: number) =>
      sign(claims, REFRESH_TYPE, refreshKey, toNumericDate(issuedAt), refreshTtl),
    verifyRefresh: async (token: string) =>
      (await verify(token, REFRESH_TYPE, refreshKey, RefreshClaimsSchema)).claims,
  }
}

/** Whole seconds, rounded up: a token must not die before the `expiresIn` it was sent with is over. */
export function toNumericDate(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000)
}
