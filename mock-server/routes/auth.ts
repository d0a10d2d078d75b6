/**
 * Sign-in, refresh and sign-out. A refresh token comes in a cookie or in the body, and its
 * successor goes the way it came.
 */
import { HTTPError, noContent } from 'h3'
import type { H3, H3Event } from 'h3'
import { LoginRequestSchema, RefreshRequestSchema } from '../../src/auth/contract.ts'
import type { TokenGrant } from '../../src/auth/contract.ts'
import { readJson } from '../body.ts'
import { deleteRefreshCookie, readRefreshCookies, setRefreshCookie } from '../cookie.ts'
import { apiError, unauthorized } from '../errors.ts'
import type { Access } from '../access.ts'
import type { Log } from '../log.ts'
import type { AssertOwnOrigin } from '../origin.ts'
import { RefreshRefusedError } from '../sessions.ts'
import type { Sessions } from '../sessions.ts'
import type { Family } from '../state.ts'
import { TooManyAttemptsError } from '../throttle.ts'
import { toNumericDate, TokenError } from '../tokens.ts'
import type { Tokens } from '../tokens.ts'
import type { User, Users } from '../users.ts'

interface Services {
  access: Access
  assertOwnOrigin: AssertOwnOrigin
  log: Log
  now: () => number
  sessions: Sessions
  tokens: Tokens
  users: Users
  /** Seconds. */
  accessTtl: number
  refreshTtl: number
}

export function registerAuth(app: H3, server: Services): void {
  const { access, assertOwnOrigin, log, now, sessions, tokens, users } = server
  const { accessTtl, refreshTtl } = server

  app.post('/api/auth/login', async (event) => {
    assertOwnOrigin(event) // S4
    const { username, password, mode } = await readJson(event, LoginRequestSchema)
    const user = await users.authenticate(username, password).catch(refuseAttempt)
    if (!user) throw unauthorized('invalid_credentials', 'Wrong username or password.', false)

    log.note(event, { userId: user.id })
    return grant(event, user, sessions.start(user.id), mode)
  })

  app.post('/api/auth/refresh', async (event) => {
    assertOwnOrigin(event) // S4
    const { refreshToken } = await readJson(event, RefreshRequestSchema)
    if (refreshToken) {
      const { user, family } = await rotate(event, refreshToken)
      return grant(event, user, family, 'json')
    }

    const [cookie, ...others] = readRefreshCookies(event)
    if (others.length > 0) throw ambiguous()
    try {
      const { user, family } = await rotate(event, cookie)
      return await grant(event, user, family, 'cookie')
    } catch (error) {
      // A refused cookie is of no more use. After a bug in the server it may still be.
      if (error instanceof HTTPError) deleteRefreshCookie(event)
      throw error
    }
  })

  app.post('/api/auth/logout', async (event) => {
    assertOwnOrigin(event) // S4
    const { refreshToken } = await readJson(event, RefreshRequestSchema)
    const cookies = readRefreshCookies(event)
    // S7: any token of the family will do, also a rotated one. If several cookies came, each may be
    // the one of this session: all of their sessions end.
    for (const token of refreshToken ? [refreshToken] : cookies) {
      const claims = await tokens.verifyRefresh(token).catch(() => null)
      if (!claims) continue
      log.note(event, { tokenId: claims.jti, userId: claims.sub })
      sessions.revoke(claims.fid)
    }
    // Deleting ours would leave the other one alone, to be used by the next refresh.
    if (!refreshToken && cookies.length < 2) deleteRefreshCookie(event)
    return noContent()
  })

  app.get('/api/auth/me', (event) => access.requireUser(event))

  /** @throws HTTPError 401 `refresh_token_missing`, `refresh_token_invalid`, `refresh_token_reused` */
  async function rotate(event: H3Event, token: string | undefined) {
    if (!token) throw unauthorized('refresh_token_missing', 'Sign in first.', false)
    try {
      const { fid, jti, sub } = await tokens.verifyRefresh(token)
      log.note(event, { tokenId: jti, userId: sub })
      const family = sessions.rotate(fid, jti) // S2
      const user = users.find(family.userId)
      if (!user) throw new RefreshRefusedError('invalid')
      return { user, family }
    } catch (error) {
      throw refusal(error)
    }
  }

  async function grant(
    event: H3Event,
    user: User,
    { id, current, rotatedAt }: Family,
    mode: 'cookie' | 'json',
  ): Promise<TokenGrant> {
    const { id: sub, roles } = user
    const jti = sessions.nextAccessId()
    log.note(event, { grantedId: jti })
    const accessToken = await tokens.signAccess({ sub, sid: id, roles, jti })
    const refreshToken = await tokens.signRefresh({ sub, fid: id, jti: current }, rotatedAt)
    const body: TokenGrant = { accessToken, tokenType: 'Bearer', expiresIn: accessTtl, user }

    // Within the leeway it is some seconds old already. Of 0 a cookie would be deleted.
    const left = toNumericDate(rotatedAt) + refreshTtl - now() / 1000
    const refreshExpiresIn = Math.max(1, Math.floor(left))
    if (mode === 'json') return { ...body, refreshToken, refreshExpiresIn }
    setRefreshCookie(event, refreshToken, refreshExpiresIn)
    return body
  }
}

function ambiguous(): HTTPError {
  const message =
    'Two refresh cookies came, and one was set by another page of this host. Clear the cookies of this host.'
  return unauthorized('refresh_token_ambiguous', message, true)
}

/** @throws HTTPError 429 `too_many_attempts` */
function refuseAttempt(error: unknown): never {
  if (!(error instanceof TooManyAttemptsError)) throw error
  const headers = { 'Retry-After': String(error.retryAfter) }
  throw apiError(429, 'too_many_attempts', error.message, headers)
}

function refusal(error: unknown): unknown {
  const reused = error instanceof RefreshRefusedError && error.reason === 'reused'
  if (reused) {
    const message = 'This refresh token was used before, so its session has been ended.'
    return unauthorized('refresh_token_reused', message, true)
  }
  const known = error instanceof RefreshRefusedError || error instanceof TokenError
  const message = 'The refresh token is not valid (any more). Sign in again.'
  return known ? unauthorized('refresh_token_invalid', message, true) : error
}
