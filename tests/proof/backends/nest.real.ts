import { expect, it } from 'vitest'
import { explainSignIn, fieldErrors } from '@/api/errors.ts'
import { createJourney, demo, describeJourneys } from './journeys.ts'
import { createNestBackend } from './examples/nest.ts'
import { useRealServer } from './realServer.ts'

const open = useRealServer('nest', {
  createBackend: createNestBackend,
  isRefresh: ({ path }) => path === '/auth/refresh',
  hasCookies: true,
})

describeJourneys('NestJS', { leeway: false, keepsLostAnswers: true, revokes: true }, open())

it('a wrong password is told in the words of the API', async () => {
  const { auth } = (await createJourney(open())).openTab()
  const refused = await auth.login({ ...demo, password: 'wrong' }).catch((error) => error)
  expect(explainSignIn(refused)).toBe('Wrong name or password, or the account is locked')
})

it('what is wrong with a field is told by its name', async () => {
  const { api } = await (await createJourney(open())).signIn()
  const refused = await api('/projects', { method: 'POST', body: { name: 7 } }).catch((e) => e)
  expect(fieldErrors(refused)).toEqual({ name: 'name must be a string' })
})
