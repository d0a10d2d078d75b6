// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest'
import { ada, bob } from '../../support/backend.ts'
import { projectNamed, projectPage } from '../../support/projects.ts'
import { openApp, screen, settled, signedInAs, useScreen, words } from '../../support/screen.ts'

const api = useScreen()

beforeEach(() => {
  api.on('GET /api/projects', projectPage(projectNamed('Apollo')))
  api.on('GET /api/notifications', [])
  api.on('GET /api/stats', {
    projects: 1,
    active: 0,
    done: 0,
    months: [],
    notifications: 0,
    uptimeSeconds: 59,
  })
  api.on('GET /api/admin/users', [ada, bob])
})

describe('The way around', () => {
  it('leads everybody to the lab', async () => {
    await signedInAs(bob)
    await openApp('/')

    expect(screen.links(screen.navigation())).toEqual(['Dashboard', 'Projects', 'Lab'])
    expect(screen.links(screen.main())).toEqual(['Open the dashboard', 'Try it in the lab'])
  })

  it('leads admins to the admin page too', async () => {
    await signedInAs(ada)
    await openApp('/')

    expect(screen.links(screen.navigation())).toEqual(['Dashboard', 'Projects', 'Lab', 'Admin'])
  })
})

describe('Pages', () => {
  it.each([
    ['/admin', 'Admin'],
    ['/lab', 'Refresh lab'],
  ])('%s is headed “%s”', async (path, heading) => {
    await signedInAs(ada)
    await openApp(path)

    expect(words(screen.heading())).toBe(heading)
  })

  it.each(['/dashboard', '/admin', '/lab'])(
    '%s has a heading that can take the focus',
    async (path) => {
      await signedInAs(ada)
      await openApp(path)

      expect(screen.heading().getAttribute('tabindex')).toBe('-1')
    },
  )

  it('the admin page lists the users and their roles', async () => {
    await signedInAs(ada)
    await openApp('/admin')

    const rows = [...screen.region('Users').querySelectorAll('tbody tr')]
    const cells = rows.map((row) => [...row.querySelectorAll('th bdi, td')].map(words))
    expect(cells).toEqual([
      ['Ada', 'ada', 'useradmin'],
      ['Bob', 'bob', 'user'],
    ])
  })

  it('the admin page says that an answer was not understood', async () => {
    const headers = { 'content-type': 'application/json' }
    api.on('GET /api/admin/users', () => new Response('[{"id":"cut o', { headers }))
    await signedInAs(ada)
    await openApp('/admin')

    expect(words(screen.status(screen.region('Users')))).toMatch(
      /^The server’s answer was not understood/,
    )
    expect(screen.button('Retry')).toBeTruthy()
  })
})

it('R6: another person finds nothing of the last one on the page', async () => {
  await signedInAs(bob)
  await openApp('/dashboard')
  expect(screen.has('Apollo')).toBe(true)
  const answer = api.hold('GET /api/projects')

  await signedInAs(ada)
  await settled()
  expect(words(screen.heading())).toBe('Dashboard')
  expect(screen.has('Apollo')).toBe(false)

  await answer(projectPage(projectNamed('Gemini')))
  expect(screen.has('Gemini')).toBe(true)
})
