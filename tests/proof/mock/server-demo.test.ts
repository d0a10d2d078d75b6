/**
 * The mock server’s demo resources: whose they are, and who may see them.
 */
import { describe, expect, it } from 'vitest'
import { createHarness, createMemoryStorage, granted, outcome, quickUsers } from './harness.ts'

async function setUp() {
  const harness = createHarness()
  const { accessToken: token } = await harness.signIn('demo')
  const { accessToken: adminToken } = await harness.signIn('admin')
  return { ...harness, token, adminToken }
}

const createdAt = '2026-01-01T00:00:00.000Z'

it.each([
  ['GET', '/api/projects'],
  ['GET', '/api/projects/project-1'],
  ['POST', '/api/projects'],
  ['GET', '/api/notifications'],
  ['GET', '/api/stats'],
  ['GET', '/api/admin/users'],
])('%s %s is closed without a token', async (method, path) => {
  const { call } = createHarness()
  expect(await outcome(call(path, { method }))).toBe('401 access_token_missing')
})

describe('projects', () => {
  it('are an array, with a few to begin with', async () => {
    const { call, token } = await setUp()
    const projects = await (await call('/api/projects', { token })).json()

    expect(projects).toHaveLength(3)
    expect(projects[0]).toEqual({ id: 'project-1', name: 'Website relaunch', createdAt })
  })

  it('can be added, and then be found', async () => {
    const { call, post, token } = await setUp()
    const response = await post('/api/projects', { token, json: { name: '  Tea ', id: 'mine' } })
    const project = await response.json()

    expect(response.status).toBe(201)
    expect(project).toEqual({ id: expect.any(String), name: 'Tea', createdAt })
    expect(project.id).not.toBe('mine')
    expect(await (await call('/api/projects', { token })).json()).toContainEqual(project)
    expect(await (await call(`/api/projects/${project.id}`, { token })).json()).toEqual(project)
  })

  it('are a thousand for each user at most', async () => {
    const { adminToken, post, token } = await setUp()
    const add = (token: string) => outcome(post('/api/projects', { token, json: { name: 'Tea' } }))
    for (let i = 3; i < 1000; i += 1) await add(token)

    expect(await add(token)).toBe('409 too_many_projects')
    expect(await add(adminToken)).toBe('201')
  })

  it('belong to one user', async () => {
    const { adminToken, call, post, token } = await setUp()
    const { id } = await (await post('/api/projects', { token, json: { name: 'Tea' } })).json()

    const foreign = await call(`/api/projects/${id}`, { token: adminToken })
    expect(await foreign.json()).toEqual({
      status: 404,
      message: 'You have no project with this id.',
      data: { code: 'not_found' },
    })
    expect(await (await call('/api/projects', { token: adminToken })).json()).toHaveLength(3)
  })

  it.each<[string, unknown]>([
    ['no name', {}],
    ['an empty name', { name: '' }],
    ['a name of spaces', { name: '   ' }],
    ['a name that is a number', { name: 7 }],
    ['a name of 101 letters', { name: 'a'.repeat(101) }],
    ['an array', [{ name: 'x' }]],
  ])('S5: a project with %s is refused', async (_, json) => {
    const { post, signIn } = createHarness()
    const { accessToken: token } = await signIn()
    expect(await outcome(post('/api/projects', { token, json }))).toBe('400 invalid_body')
  })

  it('are as at start after a reset', async () => {
    const { call, post, signIn, token } = await setUp()
    await post('/api/projects', { token, json: { name: 'Tea' } })
    await post('/api/__mock/reset')

    const { accessToken } = await signIn('demo')
    const projects = await (await call('/api/projects', { token: accessToken })).json()
    expect(projects).toHaveLength(3)
  })

  it.each(['nothing', '__proto__', '%2e%2e', '%00', 'a%2Fb'])('has none called %s', async (id) => {
    const { call, token } = await setUp()
    expect(await outcome(call(`/api/projects/${id}`, { token }))).toBe('404 not_found')
  })
})

describe('the rest of the dashboard', () => {
  it('notifications begin with the newest, and none is of the future', async () => {
    const { call, token } = await setUp()
    const notifications = await (await call('/api/notifications', { token })).json()
    const times = notifications.map(({ createdAt }: { createdAt: string }) => createdAt)
    expect(times).toEqual([createdAt, '2025-12-31T23:00:00.000Z', '2025-12-31T22:00:00.000Z'])
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
    expect(stats).toEqual({ projects: 4, notifications: 3, uptimeSeconds: 90 })
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
