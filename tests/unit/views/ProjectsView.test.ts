// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { ada } from '../../support/backend.ts'
import { projectNamed, projectPage } from '../../support/projects.ts'
import {
  click,
  openApp,
  problem,
  screen,
  settled,
  signedInAs,
  type,
  useScreen,
  words,
} from '../../support/screen.ts'

const LIST = 'GET /api/projects'

const api = useScreen()

const apollo = projectNamed('Apollo', { status: 'active', dueOn: '2026-12-31' })
const gemini = projectNamed('Gemini')
const mercury = projectNamed('Mercury')
/** As of 23 projects. */
const pageOf = (page: number, ...items: (typeof apollo)[]) => ({ items, total: 23, page })

beforeEach(async () => {
  api.on(LIST, projectPage(apollo, gemini))
  await signedInAs(ada)
})

const asked = () => api.sent.filter(({ what }) => what === LIST).map(({ query }) => query)
const listed = () => [...document.querySelectorAll('tbody th')].map(words)
const region = () => screen.region('All projects')

async function open(path = '/projects') {
  const router = await openApp(path)
  await settled()
  return router
}

async function search(text: string) {
  await type('Search', text)
  screen.field('Search').form!.requestSubmit()
  await settled()
}

describe('The list of projects', () => {
  it('tells name, status and due date, and leads to each', async () => {
    await open()

    const rows = [...region().querySelectorAll('tbody tr')]
    expect(rows.map((row) => [...row.children].map(words))).toEqual([
      ['Apollo', 'Active', 'Dec 31, 2026'],
      ['Gemini', 'Planned', '–'],
    ])
    expect(screen.link('Apollo').getAttribute('href')).toBe(`/projects/${apollo.id}`)
    expect(screen.has('2 projects', region())).toBe(true)
  })

  it('says that there is none yet', async () => {
    api.on(LIST, projectPage())
    await open()

    expect(screen.has('No projects yet.')).toBe(true)
    expect(screen.has('Page')).toBe(false)
  })

  it('stays where the API answers something else, as another API would', async () => {
    api.on(LIST, [projectNamed('Apollo')])
    await open()

    expect(screen.has('The server’s answer was not understood.')).toBe(true)
    expect(words(screen.heading())).toBe('Projects')
  })

  it('says what went wrong, and tries again', async () => {
    api.on(LIST, () => problem(503))
    await open()
    expect(screen.has('The server has a problem.', region())).toBe(true)
    api.on(LIST, projectPage(apollo))

    await click(screen.button('Retry'))

    expect(listed()).toEqual(['Apollo'])
  })

  it('has a new project in it', async () => {
    await open()
    api.on('POST /api/projects', mercury)
    api.on(LIST, projectPage(mercury, apollo, gemini))

    await click(screen.button('New project'))
    await type('Name', 'Mercury')
    await click(screen.button('Add project'))

    expect(listed()).toEqual(['Mercury', 'Apollo', 'Gemini'])
    expect(screen.has('Added “Mercury”.', region())).toBe(true)
  })
})

describe('Pages', () => {
  beforeEach(() => {
    api.on(LIST, pageOf(1, apollo))
    api.on(`${LIST}?page=2`, pageOf(2, gemini))
    api.on(`${LIST}?page=3`, pageOf(3, mercury))
  })

  it('are in the address, and a step back leads to the last', async () => {
    const router = await open()
    expect(listed()).toEqual(['Apollo'])
    expect(screen.has('Page 1 of 3')).toBe(true)

    await click(screen.link('Next'))
    expect(router.currentRoute.value.fullPath).toBe('/projects?page=2')
    expect(listed()).toEqual(['Gemini'])

    router.back()
    await settled()
    expect(router.currentRoute.value.fullPath).toBe('/projects')
    expect(listed()).toEqual(['Apollo'])
    expect(asked()).toEqual(['page=1', 'page=2', 'page=1'])
  })

  it('keep the last list in view while the next loads, and the focus', async () => {
    await open('/projects?page=2')
    const arrive = api.hold(`${LIST}?page=3`)

    await click(screen.link('Next'))
    expect(listed()).toEqual(['Gemini'])
    expect(region().getAttribute('aria-busy')).toBe('true')

    await arrive(pageOf(3, mercury))
    expect(listed()).toEqual(['Mercury'])
    expect(document.activeElement).toBe(screen.link('Next'))
    expect(screen.link('Next').getAttribute('aria-disabled')).toBe('true')
    expect(screen.link('Previous').getAttribute('aria-disabled')).toBe('false')
  })

  it.each(['0', '-2', 'x', ''])('take ?page=%s for the first', async (page) => {
    await open(`/projects?page=${page}`)
    expect(asked()).toEqual(['page=1'])
  })

  it('lead back from one that is past the last', async () => {
    api.on(`${LIST}?page=9`, pageOf(9))
    const router = await open('/projects?page=9')
    expect(screen.has('There is no page 9.', region())).toBe(true)

    await click(screen.link('Previous'))

    expect(router.currentRoute.value.fullPath).toBe('/projects?page=3')
  })
})

describe('A search', () => {
  it('is in the address, begins on the first page, and is asked for', async () => {
    const router = await open('/projects?page=2')
    api.on(`${LIST}?q=gem&page=1`, projectPage(gemini))

    await search(' gem ')

    expect(router.currentRoute.value.fullPath).toBe('/projects?q=gem')
    expect(asked().at(-1)).toBe('q=gem&page=1')
    expect(listed()).toEqual(['Gemini'])
    expect(screen.has('1 project found', region())).toBe(true)
  })

  it('comes from the address', async () => {
    await open('/projects?q=gem&page=2')

    expect(asked()).toEqual(['q=gem&page=2'])
    expect(screen.field('Search').value).toBe('gem')
  })

  it('begins by itself after a pause in typing', async () => {
    const router = await open()
    vi.useFakeTimers()
    screen.field('Search').value = 'gem'
    screen.field('Search').dispatchEvent(new Event('input'))
    await vi.advanceTimersByTimeAsync(299)
    expect(router.currentRoute.value.fullPath).toBe('/projects')

    await vi.advanceTimersByTimeAsync(1)
    vi.useRealTimers()

    expect(router.currentRoute.value.fullPath).toBe('/projects?q=gem')
  })

  it('is one step back, however often it was refined', async () => {
    const router = await open()
    await search('ge')
    await search('gem')
    expect(router.currentRoute.value.fullPath).toBe('/projects?q=gem')

    router.back()
    await settled()

    expect(router.currentRoute.value.fullPath).toBe('/projects')
    expect(screen.field('Search').value).toBe('')
  })

  it('that finds nothing says so', async () => {
    api.on(LIST, projectPage())
    await open('/projects?q=nothing')

    expect(screen.has('0 projects found', region())).toBe(true)
    expect(screen.has('No projects yet.')).toBe(false)
  })

  it('that finds nothing can be cleared, and leaves the focus in its field', async () => {
    api.on(LIST, projectPage())
    const router = await open('/projects?q=nothing')

    await click(screen.button('Clear search'))

    expect(router.currentRoute.value.fullPath).toBe('/projects')
    expect(document.activeElement).toBe(screen.field('Search'))
  })
})

describe('Filter and order', () => {
  async function choose(label: string, value: string) {
    const select = screen.field(label) as HTMLElement as HTMLSelectElement
    select.value = value
    select.dispatchEvent(new Event('change'))
    await settled()
  }

  it('are in the address, begin on the first page, and are asked for', async () => {
    const router = await open('/projects?page=2')
    await choose('Status', 'done')
    await choose('Sort by', 'due')

    expect(router.currentRoute.value.fullPath).toBe('/projects?status=done&sort=due')
    expect(asked().at(-1)).toBe('status=done&sort=due&page=1')
  })

  it('come from the address, and go with a step back', async () => {
    const router = await open('/projects?status=active&sort=name')
    const chosen = () => [screen.field('Status').value, screen.field('Sort by').value]
    expect(chosen()).toEqual(['active', 'name'])
    await choose('Status', '')

    router.back()
    await settled()

    expect(chosen()).toEqual(['active', 'name'])
    expect(asked().at(-1)).toBe('status=active&sort=name&page=1')
  })

  it('that find nothing can be taken off', async () => {
    api.on(LIST, projectPage())
    const router = await open('/projects?status=done&q=x&sort=name')

    await click(screen.button('Show all projects'))

    expect(router.currentRoute.value.fullPath).toBe('/projects?sort=name')
  })
})
