/**
 * The API of the tutorial, as one browser sees it: a token lives 15 minutes, each refresh rotates
 * the refresh token, and one that is used twice ends the session.
 */
import { createWire } from '../backends/wire.ts'

export const LIFETIME = 900
const PATIENCE = 20

export function createServer() {
  const tokens = new Map<string, { person: string; expiresAt: number }>()
  /** Refresh tokens are numbers, of which only the newest is good. */
  const session = { person: '', newest: 0 }
  let cookie = 0
  let requests = 0
  let serial = 0

  function grant(person: string) {
    serial += 1
    const accessToken = `${person}-${serial}`
    tokens.set(accessToken, { person, expiresAt: Date.now() + LIFETIME * 1000 })
    return { accessToken, expiresIn: LIFETIME }
  }

  /** What a sign-in answers. */
  function signIn(person: string) {
    session.person = person
    cookie = session.newest += 1
    return grant(person)
  }

  /** The refresh token is good for nothing more; an access token lives its life. */
  function signOut(): void {
    session.person = ''
  }

  function refresh(used: number): Response {
    if (used !== session.newest) signOut()
    if (!session.person) return new Response(null, { status: 401 })
    session.newest += 1
    const headers = { 'set-cookie': String(session.newest) }
    return Response.json(grant(session.person), { headers })
  }

  function answer(path: string, accessToken: string): Response {
    const token = tokens.get(accessToken)
    const isAlive = !!token && Date.now() < token.expiresAt
    if (!isAlive || path === '/api/always-401') return new Response(null, { status: 401 })
    return Response.json({ for: token.person })
  }

  const wire = createWire(
    async (input, init) => {
      const { url, headers } = new Request(input, init)
      const { pathname } = new URL(url)
      if (++requests > PATIENCE) throw new Error('There is no end of requests.')
      return pathname === '/api/auth/refresh'
        ? refresh(Number(headers.get('cookie')))
        : answer(pathname, headers.get('authorization')?.replace('Bearer ', '') ?? '')
    },
    ({ path }) => path === '/api/auth/refresh',
  )

  /** The global fetch of this browser: paths are of this origin, and the cookie goes along. */
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(new URL(String(input), 'http://localhost'), init)
    request.headers.set('cookie', String(cookie))
    const response = await wire.fetch(request)
    cookie = Number(response.headers.get('set-cookie') ?? cookie)
    return response
  }

  /** All access tokens are dead from now on, and the client cannot know. */
  const expire = () => tokens.clear()

  return { ...wire, fetch, signIn, signOut, expire }
}
