/**
 * The mock server’s demo resources: whose they are, and who may see them.
 */
import { describe, expect, it } from 'vitest'
import {
  createHarness,
  createMemoryStorage,
  granted,
  outcome,
  quickUsers,
} from '../../support/mock-server.ts'

async function setUp() {
  const harness = createHarness()
  const { accessToken: token } = await harness.signIn('demo')
  const { accessToken: adminToken } = await harness.signIn('admin')
  return { ...harness, token, adminToken }
}

const createdAt = '2025-12-31T23:48:00.000Z'

it.each([
  ['GET', '/api/notifications'],
  ['GET', '/api/stats'],
  ['GET', '/api/admin/users'],
])('%s %s is closed without a token', async (method, path) => {
  const { call } = createHarness()
  expect(await outcome(call(path, { method }))).toBe('401 access_token_missing')
})

describe('the rest of the dashboard', () => {
  it('notifications begin with the newest, and none is of the future', async () => {
    const { call, token } = await setUp()
    const notifications = await (await call('/api/notifications', { token })).json()
    const times = notifications.map(({ createdAt }: { createdAt: string }) => createdAt)
    expect(times).toEqual([createdAt, '2025-12-31T19:00:00.000Z', '2025-12-30T21:00:00.000Z'])
  })

  it('notifications are an array', async () => {
    const { call, token } = await setUp()
    const notifications = await (await call('/api/notifications', { token })).json()
    expect(notifications[0]).toEqual({
      id: 'notification-1',
      text: expect.any(String),
      createdAt,
    })
  })

  it('stats count', async () => {
    const { call, clock, post, token } = await setUp()
    await post('/api/projects', { token, json: { name: 'Tea' } })
    clock.advance(90_500)

    const stats = await (await call('/api/stats', { token })).json()
    expect(stats).toEqual({
      projects: 24,
      active: 8,
      done: 7,
      months: expect.any(Array),
      notifications: 3,
      uptimeSeconds: 90,
    })
    expect(stats.months).toHaveLength(8)
    expect(stats.months.slice(-2)).toEqual([
      { month: '2025-12', added: 10 },
      { month: '2026-01', added: 1 },
    ])
  })
})

describe('admin', () => {
  it('S1: is for those whom the token calls so, until the next one', async () => {
    const storage = createMemoryStorage()
    const { accessToken, refreshToken } = await createHarness({ storage }).signIn('admin')
    const users = quickUsers.map((user) => ({ ...user, roles: ['user'] }))
    const { call, refresh } = createHarness({ storage, users })
    expect(await outcome(call('/api/admin/users', { token: accessToken }))).toBe('200')

    const { accessToken: token } = await granted(await refresh(refreshToken))
    expect(await outcome(call('/api/admin/users', { token }))).toBe('403 forbidden')
  })

  it('is for the role admin, and tells no hash', async () => {
    const { adminToken, call, token } = await setUp()
    const users = await (await call('/api/admin/users', { token: adminToken })).json()

    expect(users).toEqual([
      { id: 'user-1', username: 'admin', name: 'Admin', roles: ['admin', 'user'] },
      { id: 'user-2', username: 'demo', name: 'Demo', roles: ['user'] },
    ])
    expect(await outcome(call('/api/admin/users', { token }))).toBe('403 forbidden')
  })
})
