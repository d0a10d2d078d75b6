/**
 * An API that always answers 200 with `{ code, data, msg }`: what went wrong stands in `code` alone.
 * Refresh tokens rotate, and one that was replaced is refused from that moment: there is no leeway.
 */
import { H3, HTTPError, HTTPResponse } from 'h3'
import type { H3Event } from 'h3'
import { ACCESS_TTL, REFRESH_TTL, addProjects, bearerToken, newToken, signIn } from './common.ts'
import type { Clock, Person } from './common.ts'

const PROBLEMS = {
  1001: 'Wrong username or password',
  2001: 'The token has expired',
  2002: 'The refresh token is not valid',
  3007: 'There are too many projects',
}

/** @throws what becomes an envelope with this code */
function refuse(code: keyof typeof PROBLEMS): never {
  throw new HTTPError({ status: 400, message: PROBLEMS[code], data: { code } })
}

export function createEnvelopedServer(now: Clock) {
  const app = new H3({
    onError: ({ data, message }) =>
      data && Response.json({ code: (data as { code: number }).code, data: null, msg: message }),
  })
  const accessTokens = new Map<string, { person: Person; expiresAt: number }>()
  const refreshTokens = new Map<string, { person: Person; expiresAt: number }>()

  function grant(person: Person) {
    const [accessToken, refreshToken] = [newToken(), newToken()]
    accessTokens.set(accessToken, { person, expiresAt: now() + ACCESS_TTL * 1000 })
    refreshTokens.set(refreshToken, { person, expiresAt: now() + REFRESH_TTL * 1000 })
    return ok({ accessToken, refreshToken, expiresIn: ACCESS_TTL, user: person })
  }

  app.post('/auth/login', async (event) => {
    const { username, password } = (await event.req.json()) as Record<string, unknown>
    const person = signIn(username, password)
    if (!person) return refuse(1001)
    return grant(person)
  })

  app.post('/auth/refresh', async (event) => {
    const { refreshToken } = (await event.req.json()) as { refreshToken: string }
    const held = refreshTokens.get(refreshToken)
    refreshTokens.delete(refreshToken)
    if (!held || now() >= held.expiresAt) refuse(2002)
    return grant(held.person)
  })

  app.post('/auth/logout', async (event) => {
    const { refreshToken } = (await event.req.json()) as { refreshToken: string }
    refreshTokens.delete(refreshToken)
    return ok(null)
  })

  function requirePerson(event: H3Event): Person {
    const held = accessTokens.get(bearerToken(event) ?? '')
    if (!held || now() >= held.expiresAt) refuse(2001)
    return held.person
  }

  addProjects(app, requirePerson, ok)
  app.post('/projects/import', () => {
    refuse(3007)
  })
  // What no envelope is put around.
  app.get('/export', () => answer('application/octet-stream', Uint8Array.of(0, 255, 128, 10)))
  app.get('/events', () => answer('text/event-stream', 'data: {"code":2001}\n\n'))
  app.get('/manifest', () => answer('application/json', '{"name":"App"}'))

  return app
}

const ok = (data: unknown) => ({ code: 0, data, msg: 'ok' })

function answer(type: string, body: BodyInit) {
  return new HTTPResponse(body, { headers: { 'content-type': type } })
}
