import { expect, it } from 'vitest'
import { explainSignIn } from '@/api/errors.ts'
import type { AuthBackend } from '@/auth/index.ts'
import { createJourney, demo, describeJourneys } from './journeys.ts'
import { createBetterAuthBackend } from './examples/better-auth.ts'
import { useRealServer } from './realServer.ts'

/** The account `demo` signs in by its e-mail. */
function createBackend(baseURL: string): AuthBackend {
  const backend = createBetterAuthBackend(baseURL)
  const emailOf = (username: string) => `${username}@example.com`
  return {
    ...backend,
    login: ({ username, password }, options) =>
      backend.login({ username: emailOf(username), password }, options),
  }
}

const open = useRealServer('better-auth', {
  path: '/api',
  createBackend,
  // A sign-in asks for its token too.
  isRefresh: ({ path }, before) =>
    path === '/api/auth/token' && before?.path !== '/api/auth/sign-in/email',
  hasCookies: true,
})

describeJourneys('better-auth with its plugin jwt', { leeway: true, revokes: true }, open())

it('a wrong password is told in the words of the API', async () => {
  const { auth } = (await createJourney(open())).openTab()
  const refused = await auth.login({ ...demo, password: 'wrong' }).catch((error) => error)
  expect(explainSignIn(refused)).toBe('Invalid email or password')
})
