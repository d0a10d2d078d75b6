/**
 * What the example servers share: who can sign in, the projects of each, signed tokens, and a port
 * of the loopback interface for as long as a test runs. They know nothing of src/auth.
 */
import { randomBytes } from 'node:crypto'
import { HTTPError, serve } from 'h3'
import type { H3, H3Event } from 'h3'
import { jwtVerify, SignJWT } from 'jose'
import { onTestFinished } from 'vitest'

export interface Person {
  id: string
  username: string
  name: string
  roles: string[]
}

/** One name is beyond Latin-1, which is where decoding claims goes wrong. */
const PEOPLE: Person[] = [
  { id: '1', username: 'admin', name: 'Admin', roles: ['admin', 'user'] },
  { id: '2', username: 'demo', name: 'Démo 演示', roles: ['user'] },
]

export const ACCESS_TTL = 15 * 60
export const REFRESH_TTL = 7 * 86_400

/** The clock: milliseconds since the epoch. */
export type Clock = () => number

export function signIn(username: unknown, password: unknown): Person | undefined {
  return password === 'password' ? PEOPLE.find((one) => one.username === username) : undefined
}

export function personBy(id: string): Person {
  return PEOPLE.find((one) => one.id === id)!
}

/** JWTs by one secret, as `jwt.sign` and `jwt.verify` of jsonwebtoken make and check them. */
export function createJwt(now: Clock) {
  const secret = randomBytes(32)
  return {
    sign: (claims: object, lifetime: number) =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuedAt(Math.floor(now() / 1000))
        .setExpirationTime(Math.floor(now() / 1000) + lifetime)
        .sign(secret),
    /** @throws where the token is not ours, or expired */
    async verify(token: unknown): Promise<Person> {
      const options = { algorithms: ['HS256'], currentDate: new Date(now()) }
      return (await jwtVerify<Person>(String(token), secret, options)).payload
    },
  }
}

export const newToken = () => randomBytes(24).toString('base64url')

/** `GET` and `POST /projects`, for whomever `requirePerson` lets in. `send` makes the answer. */
export function addProjects(
  app: H3,
  requirePerson: (event: H3Event) => Person | Promise<Person>,
  send: (data: unknown) => unknown = (data) => data,
): void {
  const projects = new Map<string, { name: string }[]>()
  const of = ({ id }: Person) => projects.get(id) ?? []

  app.get('/projects', async (event) => send(of(await requirePerson(event))))
  app.post('/projects', async (event) => {
    const person = await requirePerson(event)
    const project = (await event.req.json()) as { name: string }
    projects.set(person.id, [...of(person), project])
    return send(project)
  })
}

export function bearerToken(event: H3Event): string | undefined {
  return /^Bearer (\S+)$/.exec(event.req.headers.get('authorization') ?? '')?.[1]
}

/** As Express' `res.sendStatus`: the status, and its name for a body. */
export function sendStatus(status: number): never {
  throw new HTTPError({ status })
}

/** Serves `app` on a free port until the test is over. Returns its address. */
export async function listen(app: H3): Promise<string> {
  const server = serve(app, {
    port: 0,
    hostname: '127.0.0.1',
    silent: true,
    gracefulShutdown: false,
  })
  onTestFinished(() => server.close(true))
  await server.ready()
  return server.url!.replace(/\/$/, '')
}
