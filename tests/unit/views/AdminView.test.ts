// @vitest-environment happy-dom
import { expect, it } from 'vitest'
import { ada, bob } from '../../support/backend.ts'
import { openApp, screen, signedInAs, useScreen, words } from '../../support/screen.ts'

const api = useScreen()

it('shows an admin who may sign in', async () => {
  api.on('GET /api/admin/users', [ada, bob])
  await signedInAs(ada)
  await openApp('/admin')

  expect(words(screen.heading())).toBe('Admin')
  expect(words(screen.region('Users'))).toContain('Bob')
})

it.each([
  [[ada, bob], '2 users'],
  [[ada], '1 user'],
])('says how many they are', async (users, count) => {
  api.on('GET /api/admin/users', users)
  await signedInAs(ada)
  await openApp('/admin')

  expect(screen.has(count, screen.region('Users'))).toBe(true)
})

it('is closed to anybody else, who is not offered it either', async () => {
  await signedInAs(bob)
  await openApp('/admin')

  expect(words(screen.heading())).toBe('Access denied')
  expect(screen.links(screen.navigation())).not.toContain('Admin')
  expect(api.count('GET /api/admin/users')).toBe(0)
})
