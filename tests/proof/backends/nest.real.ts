import { expect, it } from 'vitest'
import { explainSignIn, fieldErrors } from '@/api/errors.ts'
import { createRequest } from '@/auth/index.ts'
import type { AuthBackend } from '@/auth/index.ts'
import { createJourney, demo, describeJourneys } from './journeys.ts'
import { useRealServer } from './realServer.ts'

/** The lines of docs/backends.md. */
function createNestBackend(baseURL: string): AuthBackend {
  const request = createRequest({ baseURL })
  const grantOf = ({ access_token: accessToken }: { access_token: string }) => ({
    accessToken,
    expiresIn: 900,
  })
  return {
    login: async (body, { signal } = {}) =>
      grantOf(await request('POST', '/auth/login', { body, signal })),
    refresh: async ({ signal } = {}) => grantOf(await request('POST', '/auth/refresh', { signal })),
    logout: ({ signal }) => request('POST', '/auth/logout', { signal }),
    async getUser(accessToken, { signal } = {}) {
      const { username } = await request('GET', '/auth/profile', { accessToken, signal })
      return { id: username, username, name: username, roles: [] }
    },
  }
}

const open = useRealServer('nest', {
  createBackend: createNestBackend,
  isRefresh: ({ path }) => path === '/auth/refresh',
  hasCookies: true,
})

describeJourneys('NestJS', { leeway: false, keepsLostAnswers: true, revokes: true }, open())

it('says in its words that the password is wrong', async () => {
  const { auth } = (await createJourney(open())).openTab()
  const refused = await auth.login({ ...demo, password: 'wrong' }).catch((error) => error)
  expect(explainSignIn(refused)).toBe('Wrong name or password, or the account is locked')
})

it('says what is wrong with a field', async () => {
  const { api } = await (await createJourney(open())).signIn()
  const refused = await api('/projects', { method: 'POST', body: { name: 7 } }).catch((e) => e)
  expect(fieldErrors(refused)).toEqual({ name: 'name must be a string' })
})
