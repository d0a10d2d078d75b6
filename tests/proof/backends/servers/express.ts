/**
 * The API of many an article on Express and jsonwebtoken: two tokens in JSON, the refresh token
 * never replaced, no lifetime told, no user, no way to sign out. Neither package is installed here:
 * this is h3 and jose, with the same on the wire.
 */
import { H3 } from 'h3'
import { ACCESS_TTL, REFRESH_TTL, addProjects, bearerToken, createJwt } from './common.ts'
import { personBy, sendStatus, signIn } from './common.ts'
import type { Clock } from './common.ts'

export interface ExpressServerOptions {
  /** What an expired access token gets. Some articles have it 403. */
  expiredStatus?: 401 | 403
}

export function createExpressServer(
  now: Clock,
  { expiredStatus = 401 }: ExpressServerOptions = {},
) {
  const app = new H3()
  const access = createJwt(now)
  const refresh = createJwt(now)

  app.post('/login', async (event) => {
    const { username, password } = (await event.req.json()) as Record<string, unknown>
    const person = signIn(username, password)
    if (!person) return sendStatus(401)
    return {
      accessToken: await access.sign(person, ACCESS_TTL),
      refreshToken: await refresh.sign({ id: person.id }, REFRESH_TTL),
    }
  })

  app.post('/refresh-token', async (event) => {
    const { refreshToken } = (await event.req.json()) as Record<string, unknown>
    if (!refreshToken) return sendStatus(401)
    const { id } = await refresh.verify(refreshToken).catch(() => sendStatus(403))
    return { accessToken: await access.sign(personBy(id), ACCESS_TTL) }
  })

  addProjects(app, async (event) => {
    const token = bearerToken(event)
    return token ? access.verify(token).catch(() => sendStatus(expiredStatus)) : sendStatus(401)
  })
  app.get('/forbidden', () => sendStatus(403))
  return app
}
