import { expect, it } from 'vitest'
import { explainSignIn } from '@/api/errors.ts'
import { createRequest } from '@/auth/index.ts'
import type { AuthBackend, CallOptions } from '@/auth/index.ts'
import { createJourney, demo, describeJourneys } from './journeys.ts'
import { useRealServer } from './realServer.ts'

/** The lines of docs/backends.md. */
function createBetterAuthBackend(baseURL: string): AuthBackend {
  const request = createRequest({ baseURL })
  async function refresh({ signal }: CallOptions = {}) {
    const { token: accessToken } = await request('GET', '/auth/token', { signal })
    return { accessToken, expiresIn: 900 }
  }
  return {
    async login({ username, password }, { signal } = {}) {
      const body = { email: `${username}@example.com`, password }
      const { user } = await request('POST', '/auth/sign-in/email', { body, signal })
      const { id, name } = user
      return { ...(await refresh({ signal })), user: { id, username: name, name, roles: [] } }
    },
    refresh,
    logout: ({ signal }) => request('POST', '/auth/sign-out', { body: {}, signal }),
    async getUser(_, { signal } = {}) {
      const { user } = await request('GET', '/auth/get-session', { signal })
      return { id: user.id, username: user.name, name: user.name, roles: [] }
    },
  }
}

const open = useRealServer('better-auth', {
  createBackend: createBetterAuthBackend,
  // A sign-in asks for its token too.
  isRefresh: ({ path }, before) => path === '/auth/token' && before?.path !== '/auth/sign-in/email',
  hasCookies: true,
})

describeJourneys('better-auth with its plugin jwt', { leeway: true, revokes: true }, open())

it('says in its words that the password is wrong', async () => {
  const { auth } = (await createJourney(open())).openTab()
  const refused = await auth.login({ ...demo, password: 'wrong' }).catch((error) => error)
  expect(explainSignIn(refused)).toBe('Invalid email or password')
})
