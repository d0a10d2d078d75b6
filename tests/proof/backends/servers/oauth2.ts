/**
 * An authorization server by the book: RFC 6749 for tokens, RFC 7009 for revocation, OpenID
 * Connect's /userinfo for who it is. Tokens are opaque. Refresh tokens rotate: a public client must
 * have that (RFC 9700 §4.14.2).
 */
import { H3, HTTPError, HTTPResponse } from 'h3'
import type { H3Event } from 'h3'
import { ACCESS_TTL, REFRESH_TTL, addProjects, bearerToken, newToken, signIn } from './common.ts'
import type { Clock, Person } from './common.ts'

/** RFC 6749 §5.2 */
type ErrorCode = 'invalid_request' | 'invalid_grant' | 'unsupported_grant_type'

interface Family {
  person: Person
  current: string
  previous: string | null
  rotatedAt: number
}

export interface OAuth2ServerOptions {
  /** Milliseconds for which a refresh token that was just replaced is still answered. */
  leeway?: number
  /** `false`: a refresh token stays the same for as long as it lives. */
  rotates?: boolean
}

export function createOAuth2Server(now: Clock, options: OAuth2ServerOptions = {}) {
  const { leeway = 30_000, rotates = true } = options
  const app = new H3()
  const families = new Set<Family>()
  const accessTokens = new Map<string, { family: Family; expiresAt: number }>()

  const familyOf = (token: string | null) =>
    [...families].find(({ current, previous }) => token === current || token === previous)

  function grant(family: Family, renewed = false) {
    const accessToken = newToken()
    accessTokens.set(accessToken, { family, expiresAt: now() + ACCESS_TTL * 1000 })
    return json(200, {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: ACCESS_TTL,
      refresh_token: renewed && !rotates ? undefined : family.current,
    })
  }

  function rotate(token: string) {
    const family = familyOf(token)
    if (!family || now() >= family.rotatedAt + REFRESH_TTL * 1000) return refuse('invalid_grant')
    if (!rotates) return grant(family, true)
    if (token === family.current) {
      Object.assign(family, { current: newToken(), previous: token, rotatedAt: now() })
    } else if (now() - family.rotatedAt >= leeway) {
      families.delete(family) // used twice: the owner, or a thief?
      return refuse('invalid_grant')
    }
    return grant(family, true)
  }

  app.post('/oauth/token', async (event) => {
    const form = await readForm(event)
    if (!form?.has('client_id')) return refuse('invalid_request')
    if (form.get('grant_type') === 'refresh_token') {
      const token = form.get('refresh_token')
      return token ? rotate(token) : refuse('invalid_request')
    }
    if (form.get('grant_type') !== 'password') return refuse('unsupported_grant_type')
    const person = signIn(form.get('username'), form.get('password'))
    if (!person) return refuse('invalid_grant')
    const family = { person, current: newToken(), previous: null, rotatedAt: now() }
    families.add(family)
    return grant(family)
  })

  // 200 whether or not there was such a token, RFC 7009 §2.2.
  app.post('/oauth/revoke', async (event) => {
    const family = familyOf((await readForm(event))?.get('token') ?? null)
    if (family) families.delete(family)
    return json(200, {})
  })

  function requirePerson(event: H3Event): Person {
    const held = accessTokens.get(bearerToken(event) ?? '')
    if (held && families.has(held.family) && now() < held.expiresAt) return held.family.person
    const headers = { 'www-authenticate': 'Bearer error="invalid_token"' }
    throw new HTTPError({ status: 401, headers })
  }

  app.get('/userinfo', (event) => {
    const { id, username, name, roles } = requirePerson(event)
    return { sub: id, preferred_username: username, name, roles }
  })
  addProjects(app, requirePerson)
  return app
}

async function readForm(event: H3Event): Promise<URLSearchParams | null> {
  const type = event.req.headers.get('content-type') ?? ''
  if (!type.startsWith('application/x-www-form-urlencoded')) return null
  return new URLSearchParams(await event.req.text())
}

const refuse = (error: ErrorCode) => json(400, { error })

function json(status: number, body: object) {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  return new HTTPResponse(JSON.stringify(body), { status, headers })
}
