/**
 * Who sends this request, by its access token, and may they?
 */
import type { H3Event } from 'h3'
import { apiError, unauthorized } from './errors.ts'
import type { Sessions } from './sessions.ts'
import { TokenError } from './tokens.ts'
import type { AccessClaims, Tokens } from './tokens.ts'
import type { User, Users } from './users.ts'

export type Access = ReturnType<typeof createAccess>

export function createAccess(tokens: Tokens, sessions: Sessions, users: Users) {
  /**
   * The user whose access token came with the request.
   *
   * @throws HTTPError 401 `access_token_missing`, `access_token_invalid`, `access_token_expired`
   */
  async function requireUser(event: H3Event): Promise<User> {
    return (await authorize(event)).user
  }

  /**
   * As `requireUser`, for users of one role.
   *
   * @throws HTTPError also 403 `forbidden`
   */
  async function requireRole(event: H3Event, role: string): Promise<User> {
    const { user, claims } = await authorize(event)
    if (claims.roles.includes(role)) return user
    throw apiError(403, 'forbidden', `Only users with the role ${role} may do this.`)
  }

  async function authorize(event: H3Event): Promise<{ user: User; claims: AccessClaims }> {
    const token = bearerToken(event)
    if (!token) throw unauthorized('access_token_missing', 'Send an access token.', false)

    const claims = await tokens.verifyAccess(token).catch(refuse)
    const user = users.find(claims.sub)
    // S7: the token may be in order; its session is over.
    if (!user || !sessions.has(claims.sid)) throw invalid()
    if (sessions.isAccessExpired(claims.jti, claims.sid)) throw expired()
    return { user, claims }
  }

  return { requireUser, requireRole }
}

/** The token of `Authorization: Bearer …`. RFC 6750 §2.1 */
export function bearerToken(event: H3Event): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(event.req.headers.get('authorization') ?? '')?.[1]
}

function refuse(error: unknown): never {
  if (!(error instanceof TokenError)) throw error
  throw error.reason === 'expired' ? expired() : invalid()
}

function expired() {
  return unauthorized('access_token_expired', 'The access token has expired. Refresh it.', true)
}

function invalid() {
  return unauthorized('access_token_invalid', 'The access token is not valid (any more).', true)
}
