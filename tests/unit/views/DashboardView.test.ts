// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { useAuthStore } from '@/stores/auth.ts'
import DashboardView from '@/views/DashboardView.vue'
import { ada, grantFor } from '../../support/backend.ts'
import { projectNamed, projectPage } from '../../support/projects.ts'
import {
  click,
  invalid,
  openApp,
  problem,
  screen,
  settled,
  show,
  signedInAs,
  type,
  useScreen,
  words,
} from '../../support/screen.ts'

const NOT_UNDERSTOOD = 'The server’s answer was not understood.'
const jsonType = { 'content-type': 'application/json' }

const api = useScreen()

const apollo = projectNamed('Apollo')
const gemini = projectNamed('Gemini')
const both = projectPage(gemini, apollo)
const welcome = { id: '1', text: 'Welcome!', createdAt: '2026-01-02T03:04:05Z' }
const months = [
  { month: '2025-12', added: 30 },
  { month: '2026-01', added: 11 },
]
const stats = {
  projects: 41,
  active: 8,
  done: 12,
  months,
  notifications: 7,
  uptimeSeconds: 7543,
}

const regions = [
  { name: 'Projects', path: 'GET /api/projects', answer: projectPage(apollo), shown: 'Apollo' },
  { name: 'Notifications', path: 'GET /api/notifications', answer: [welcome], shown: 'Welcome!' },
  { name: 'Stats', path: 'GET /api/stats', answer: stats, shown: '2 h 5 min' },
]

beforeEach(async () => {
  for (const { path, answer } of regions) api.on(path, answer)
  await signedInAs(ada)
})

describe.each(regions)('The region $name', ({ name, path, answer, shown }) => {
  it('says that it is loading, then shows what came', async () => {
    const arrive = api.hold(path)
    show(DashboardView)
    await settled()
    expect(screen.has('Loading…', screen.region(name))).toBe(true)
    expect(screen.region(name).getAttribute('aria-busy')).toBe('true')

    await arrive(answer)

    expect(screen.has(shown, screen.region(name))).toBe(true)
    expect(screen.has('Loading…', screen.region(name))).toBe(false)
    expect(screen.region(name).getAttribute('aria-busy')).toBe('false')
  })

  it('says what went wrong, while the others show their data', async () => {
    api.on(path, () => problem(500))
    show(DashboardView)
    await settled()

    const region = screen.region(name)
    expect(screen.has('The server has a problem.', region)).toBe(true)
    expect(screen.button('Retry', region)).toBeTruthy()
    for (const other of regions.filter((other) => other.name !== name)) {
      expect(screen.has(other.shown, screen.region(other.name))).toBe(true)
    }
  })

  it('is there with a way to try again where the answer is no JSON', async () => {
    api.on(path, () => new Response('[{"id":"cut o', { headers: jsonType }))
    show(DashboardView)
    await settled()
    expect(screen.has(NOT_UNDERSTOOD, screen.region(name))).toBe(true)
    api.on(path, answer)

    await click(screen.button('Retry', screen.region(name)))

    expect(screen.has(shown, screen.region(name))).toBe(true)
  })

  it('tries again, and keeps the focus in the region', async () => {
    api.on(path, () => problem(500))
    show(DashboardView)
    await settled()
    const arrive = api.hold(path)

    await click(screen.button('Retry', screen.region(name)))
    expect(screen.has('The server has a problem.')).toBe(false)
    expect(screen.region(name).getAttribute('aria-busy')).toBe('true')
    expect(words(document.activeElement!)).toBe(name)

    await arrive(answer)
    expect(screen.has(shown, screen.region(name))).toBe(true)
  })

  it('R11: gives up after 30 s, and can be tried again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    api.hold(path)
    show(DashboardView)
    await settled()
    vi.advanceTimersByTime(30_000)
    await settled()
    const region = screen.region(name)
    expect(screen.has('Cannot reach the server.', region)).toBe(true)
    api.on(path, answer)

    await click(screen.button('Retry', region))

    expect(screen.has(shown, region)).toBe(true)
  })

  it('R7: Retry sends a refresh even while refreshes are held back', async () => {
    api.on(path, () => problem(401))
    api.on('POST /api/auth/refresh', () => problem(503, { 'retry-after': '120' }))
    show(DashboardView)
    await settled()
    const region = screen.region(name)
    await click(screen.button('Retry', region))
    expect(api.count('POST /api/auth/refresh')).toBe(2)
    api.on('POST /api/auth/refresh', grantFor(ada))
    api.on(path, answer)

    await click(screen.button('Retry', region))

    expect(screen.has(shown, region)).toBe(true)
  })

  it('has a heading that can take the focus', async () => {
    show(DashboardView)
    await settled()

    expect(screen.region(name).querySelector('h2')!.getAttribute('tabindex')).toBe('-1')
  })
})

describe('The dashboard', () => {
  it('asks for everything at once', async () => {
    for (const { path } of regions) api.hold(path)
    show(DashboardView)
    await settled()

    expect(api.sent.map(({ what }) => what)).toEqual(
      expect.arrayContaining(regions.map(({ path }) => path)),
    )
  })

  it('says where there is nothing', async () => {
    api.on('GET /api/projects', projectPage())
    api.on('GET /api/notifications', [])
    show(DashboardView)
    await settled()

    expect(screen.has('No projects yet.', screen.region('Projects'))).toBe(true)
    expect(screen.has('Nothing new.', screen.region('Notifications'))).toBe(true)
  })

  it.each([
    [59, '59 s'],
    [60, '1 min'],
    [3599, '59 min'],
    [3600, '1 h 0 min'],
  ])('tells %i seconds as %s', async (uptimeSeconds, words) => {
    api.on('GET /api/stats', { ...stats, uptimeSeconds })
    show(DashboardView)
    await settled()

    expect(screen.has(words, screen.region('Stats'))).toBe(true)
  })

  it('counts projects by what the API says of them', async () => {
    show(DashboardView)
    await settled()

    const tiles = [...screen.region('Stats').querySelectorAll('dl > div')].map((tile) =>
      [...tile.children].map(words),
    )
    expect(tiles).toEqual([
      ['Projects', '41', '11 added this month'],
      ['Active', '8', '21 planned, 12 done'],
      ['Notifications', '7', 'all listed below'],
      ['Server uptime', '2 h 5 min', 'since its last restart'],
    ])
  })

  it('tells how many projects were added in which month', async () => {
    show(DashboardView)
    await settled()

    const shown = [...screen.region('Stats').querySelectorAll('ol li > :not(svg)')].map(words)
    expect(shown).toEqual(['30', 'Dec', '11', 'Jan'])
  })

  it('shows five projects, and leads to all', async () => {
    const projects = ['A', 'B', 'C', 'D', 'E', 'F'].map((name) => projectNamed(name))
    api.on('GET /api/projects', projectPage(...projects))
    show(DashboardView)
    await settled()

    expect(screen.links(screen.region('Projects'))).toEqual([
      'All projects',
      'A',
      'B',
      'C',
      'D',
      'E',
    ])
  })

  it('gives its requests up when it goes', async () => {
    for (const { path } of regions) api.hold(path)
    const router = await openApp('/dashboard')
    const requests = api.sent.filter(({ what }) => what.startsWith('GET'))
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([false, false, false])

    await router.push('/')
    await settled()

    expect(requests.map(({ signal }) => signal.aborted)).toEqual([true, true, true])
  })

  it('shows no error for a session that ended', async () => {
    for (const { path } of regions) api.hold(path)
    api.on('POST /api/auth/logout', () => new Response(null, { status: 204 }))
    show(DashboardView)
    await settled()

    void useAuthStore().logout()
    await settled()

    expect(screen.has('Cannot reach')).toBe(false)
    expect(screen.has('Retry')).toBe(false)
  })
})

describe('A new project', () => {
  const listed = () => [...screen.region('Projects').querySelectorAll('li a')].map(words)

  const dialog = () => screen.dialog() as HTMLDialogElement
  const form = () => dialog().querySelector('form')!
  const confirmed = () => words(screen.status(dialog().parentElement!))

  async function add(name: string) {
    if (!dialog().open) await click(screen.button('New project'))
    await type('Name', name)
    await click(screen.button('Add project', dialog()))
  }

  it('is in the list, which is loaded again', async () => {
    api.on('POST /api/projects', gemini)
    show(DashboardView)
    await settled()
    api.on('GET /api/projects', both)

    await add(' Gemini ')

    expect(api.sent.find(({ what }) => what === 'POST /api/projects')?.body).toEqual({
      name: 'Gemini',
    })
    expect(listed()).toEqual(['Gemini', 'Apollo'])
  })

  it('is confirmed, and the dialog is ready for the next', async () => {
    api.on('POST /api/projects', gemini)
    show(DashboardView)
    await settled()

    await add('Gemini')

    expect(confirmed()).toBe('Added “Gemini”.')
    expect(dialog().open).toBe(false)
    await click(screen.button('New project'))
    expect(confirmed()).toBe('')
    expect(screen.field('Name').value).toBe('')
  })

  it('is not added where the person thinks better of it', async () => {
    show(DashboardView)
    await settled()
    await click(screen.button('New project'))
    await type('Name', 'Gemini')

    await click(screen.button('Cancel', dialog()))

    expect(dialog().open).toBe(false)
    expect(api.count('POST /api/projects')).toBe(0)
  })

  it('leaves alone what was typed while it was sent', async () => {
    const answer = api.hold('POST /api/projects')
    show(DashboardView)
    await settled()
    await add('Gemini')

    await type('Name', 'Merc')
    await answer(gemini)

    expect(confirmed()).toBe('Added “Gemini”.')
    expect(dialog().open).toBe(true)
    expect(screen.field('Name').value).toBe('Merc')
  })

  it('that fails is told, also where the dialog was closed meanwhile', async () => {
    const answer = api.hold('POST /api/projects')
    show(DashboardView)
    await settled()
    await add('Gemini')
    dialog().close()

    await answer(problem(500))

    expect(dialog().open).toBe(true)
    expect(words(screen.alert(dialog()))).toBe('The server has a problem. Try again in a moment.')
    expect(screen.field('Name').value).toBe('Gemini')
  })

  it('is sent once, also where the dialog is opened again meanwhile', async () => {
    const answer = api.hold('POST /api/projects')
    show(DashboardView)
    await settled()
    await add('Gemini')
    dialog().close()

    await add('Gemini')

    expect(api.count('POST /api/projects')).toBe(1)
    await answer(gemini)
    expect(confirmed()).toBe('Added “Gemini”.')
  })

  it('counts in the stats', async () => {
    api.on('POST /api/projects', gemini)
    show(DashboardView)
    await settled()
    api.on('GET /api/stats', { ...stats, projects: 42 })

    await add('Gemini')

    expect(screen.has('42', screen.region('Stats'))).toBe(true)
  })

  it('leaves the stats in view while they are counted again', async () => {
    api.on('POST /api/projects', gemini)
    show(DashboardView)
    await settled()
    api.hold('GET /api/stats')

    await add('Gemini')

    expect(screen.has('41', screen.region('Stats'))).toBe(true)
  })

  it('does not leave stats in view that could not be counted again', async () => {
    api.on('POST /api/projects', gemini)
    show(DashboardView)
    await settled()
    api.on('GET /api/stats', () => problem(500))

    await add('Gemini')

    expect(screen.has('The server has a problem.', screen.region('Stats'))).toBe(true)
    expect(screen.has('41', screen.region('Stats'))).toBe(false)
  })

  it('is in the list even if that could not be loaded before', async () => {
    api.on('GET /api/projects', () => problem(500))
    api.on('POST /api/projects', gemini)
    show(DashboardView)
    await settled()
    api.on('GET /api/projects', both)

    await add('Gemini')

    expect(listed()).toEqual(['Gemini', 'Apollo'])
  })

  it('is in the list even if it was added while the list was on its way', async () => {
    const arrive = api.hold('GET /api/projects')
    api.on('POST /api/projects', gemini)
    show(DashboardView)
    await settled()

    await add('Gemini')
    expect(api.count('GET /api/projects')).toBe(2)
    await arrive(projectPage(apollo))
    expect(listed()).toEqual([])
    await arrive(both)

    expect(listed()).toEqual(['Gemini', 'Apollo'])
  })

  it('is sent once, however often the button is pressed', async () => {
    const answer = api.hold('POST /api/projects')
    show(DashboardView)
    await settled()

    await add('Gemini')
    expect(form().getAttribute('aria-busy')).toBe('true')
    await click(screen.button('Add project', dialog()))
    expect(api.count('POST /api/projects')).toBe(1)

    await answer(gemini)
    expect(form().getAttribute('aria-busy')).toBe('false')
  })

  it('has a button that says so while it is sent', async () => {
    const answer = api.hold('POST /api/projects')
    show(DashboardView)
    await settled()

    await add('Gemini')
    const button = screen.button('Add project')
    expect(button.getAttribute('aria-disabled')).toBe('true')

    await answer(gemini)
    expect(button.getAttribute('aria-disabled')).toBe('false')
  })

  it('has a name no longer than the API takes', async () => {
    show(DashboardView)
    await settled()

    expect(screen.field('Name').maxLength).toBe(100)
  })

  it('needs a name', async () => {
    show(DashboardView)
    await settled()

    await add('')
    await add('   ')

    expect(api.count('POST /api/projects')).toBe(0)
  })

  it('stays in the field with the reason if it was refused', async () => {
    api.on('POST /api/projects', () => invalid({ name: 'Too long' }))
    show(DashboardView)
    await settled()

    await add('Gemini')

    expect(words(screen.alert(dialog()))).toBe('Check the fields that are marked.')
    expect(screen.problemOf('Name')).toBe('Too long')
    expect(screen.field('Name').value).toBe('Gemini')
    expect(listed()).toEqual(['Apollo'])
  })

  it('takes the last outcome away with the next attempt', async () => {
    api.on('POST /api/projects', gemini)
    show(DashboardView)
    await settled()
    await add('Gemini')

    api.on('POST /api/projects', () => problem(500))
    await add('Mercury')
    expect(confirmed()).toBe('')
    expect(words(screen.alert(dialog()))).toBe('The server has a problem. Try again in a moment.')

    api.on('POST /api/projects', gemini)
    await add('Mercury')
    expect(words(screen.alert(dialog()))).toBe('')
  })

  it('is in doubt when the same person has signed in again meanwhile', async () => {
    api.hold('POST /api/projects')
    show(DashboardView)
    await settled()
    await add('Gemini')

    await signedInAs(ada)
    await settled()

    expect(words(screen.alert(dialog()))).toMatch(/^You signed in again meanwhile\./)
    expect(screen.field('Name').value).toBe('Gemini')
  })

  it('is no error when the session ends meanwhile', async () => {
    api.hold('POST /api/projects')
    api.on('POST /api/auth/logout', () => new Response(null, { status: 204 }))
    show(DashboardView)
    await settled()
    await add('Gemini')

    void useAuthStore().logout()
    await settled()

    expect(words(screen.alert(dialog()))).toBe('')
  })
})
