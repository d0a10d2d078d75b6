import { expect, it } from 'vitest'
import { createJourney, describeJourneys } from './journeys.ts'
import { createSimplejwtBackend } from './examples/simplejwt.ts'
import { useRealServer } from './realServer.ts'

const open = useRealServer('simplejwt', {
  path: '/api',
  createBackend: createSimplejwtBackend,
  isRefresh: ({ path }) => path === '/api/token/refresh/',
})

describeJourneys('Django and simplejwt', { leeway: false, revokes: true }, open())

it('asks for the user at sign-in and restore, not at a refresh that nobody asked for', async () => {
  const here = await createJourney(open())
  const { auth } = await here.signIn()
  await auth.sessions.current()!.nextToken('unauthorized')
  expect(here.count('GET', '/me')).toBe(1)
  const reloaded = here.openTab()
  await reloaded.auth.restore()
  expect(here.count('GET', '/me')).toBe(2)
  expect(auth.user.value).toMatchObject({ username: 'demo', roles: ['user'] })
})
