import { expect, it } from 'vitest'
import { explain, explainSignIn, fieldErrors } from '@/api/errors.ts'
import { createJourney, demo, describeJourneys } from './journeys.ts'
import { createFastApiBackend } from './examples/fastapi.ts'
import { useRealServer } from './realServer.ts'

const open = useRealServer('fastapi', {
  createBackend: createFastApiBackend,
  isRefresh: ({ path }) => path === '/refresh',
})

describeJourneys('FastAPI', { leeway: false, revokes: true }, open())

it('a wrong password is told in the words of the API', async () => {
  const { auth } = (await createJourney(open())).openTab()
  const refused = await auth.login({ ...demo, password: 'wrong' }).catch((error) => error)
  expect(explainSignIn(refused)).toBe('Incorrect username or password')
})

it('what is wrong with a field is told by its name', async () => {
  const { api } = await (await createJourney(open())).signIn()
  const refused = await api('/projects', { method: 'POST', body: { name: '' } }).catch((e) => e)
  expect(Object.keys(fieldErrors(refused))).toEqual(['name'])
  expect(explain(refused, ['name'])).toBe('Check the fields that are marked.')
})
