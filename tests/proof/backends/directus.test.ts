import { beforeEach, expect, it, vi } from 'vitest'
import { createAuth } from '@/auth/index.ts'
import { createDirectusBackend } from './examples/directus.ts'

const mia = { id: 'u1', email: 'mia@example.com', first_name: 'Mia', last_name: null }

let sent: { path: string; body: unknown }[]
let now: number

function openPage(user: object = { ...mia, role: { name: 'Editor' } }) {
  const answers: Record<string, object> = {
    '/api/auth/login': { data: { access_token: 'a', expires: 900_000 } },
    '/api/auth/refresh': { data: { access_token: 'b', expires: 900_000 } },
    '/api/users/me': { data: user },
  }
  vi.stubGlobal('fetch', async (url: string, { body }: RequestInit) => {
    const path = url.replace(/\?.*/, '')
    sent.push({ path, body: body && JSON.parse(String(body)) })
    return Response.json(answers[path] ?? null)
  })
  return createAuth({ backend: createDirectusBackend(), tabs: null, now: () => now })
}

const signIn = { username: 'mia@example.com', password: 'secret' }

beforeEach(() => {
  sent = []
  now = 0
})

it('signs in by e-mail, and asks for the user', async () => {
  const auth = openPage()
  await auth.login(signIn)
  expect(sent).toEqual([
    {
      path: '/api/auth/login',
      body: { email: 'mia@example.com', password: 'secret', mode: 'cookie' },
    },
    { path: '/api/users/me', body: undefined },
  ])
  expect(auth.user.value).toEqual({
    id: 'u1',
    username: 'mia@example.com',
    name: 'Mia',
    roles: ['Editor'],
  })
})

it('R2: `expires` in milliseconds is a lifetime in seconds', async () => {
  const auth = openPage()
  await auth.login(signIn)
  now = 800_000
  expect(await auth.getAccessToken()).toBe('a')
  now = 900_000
  expect(await auth.getAccessToken()).toBe('b')
})

it('asks for the user at sign-in, not at a refresh', async () => {
  const auth = openPage()
  await auth.login(signIn)
  await auth.sessions.current()!.nextToken('unauthorized')
  expect(sent.filter(({ path }) => path === '/api/users/me')).toHaveLength(1)
})

it('a person without a role has none', async () => {
  const auth = openPage({ ...mia, role: null })
  await auth.login(signIn)
  expect(auth.user.value?.roles).toEqual([])
})

it('signs out at the API', async () => {
  const auth = openPage()
  await auth.login(signIn)
  await auth.logout()
  expect(sent.at(-1)).toEqual({ path: '/api/auth/logout', body: { mode: 'cookie' } })
})
