// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest'
import { ada } from '../../support/backend.ts'
import { projectNamed, projectPage } from '../../support/projects.ts'
import {
  click,
  invalid,
  openApp,
  problem,
  screen,
  settled,
  signedInAs,
  type,
  useScreen,
  words,
} from '../../support/screen.ts'

const api = useScreen()

const apollo = projectNamed('Apollo', { id: '1002', description: 'To the moon', status: 'active' })
const gemini = projectNamed('Gemini', { id: '1003', dueOn: '2026-12-31' })
const GET_APOLLO = 'GET /api/projects/1002'
const GET_GEMINI = 'GET /api/projects/1003'
const PATCH_APOLLO = 'PATCH /api/projects/1002'
const DELETE_APOLLO = 'DELETE /api/projects/1002'

beforeEach(async () => {
  api.on('GET /api/projects', projectPage(apollo, gemini))
  api.on(GET_APOLLO, apollo)
  api.on(GET_GEMINI, gemini)
  await signedInAs(ada)
})

const shown = () =>
  ['Name', 'Description', 'Due on', 'Status'].map((label) => screen.field(label).value)
const sentTo = (what: string) => api.sent.filter((sent) => sent.what === what)
const form = () => screen.field('Name').form!
const said = () => [...form().querySelectorAll('[role="status"]')].map(words).join('')
const save = () => click(screen.button('Save'))

async function open(path = '/projects/1002') {
  const router = await openApp(path)
  await settled()
  return router
}

describe('A project', () => {
  it('is shown in a form under its name', async () => {
    await open()

    expect(words(screen.heading())).toBe('Apollo')
    expect(document.title).toBe('Apollo · Vue Silent Refresh')
    expect(shown()).toEqual(['Apollo', 'To the moon', '', 'active'])
  })

  it('has its title back after the query has changed', async () => {
    const router = await open()
    document.title = 'Project' // As the router sets it.

    await router.push('/projects/1002?tab=2')
    await settled()

    expect(document.title).toBe('Apollo · Vue Silent Refresh')
  })

  it('keeps its list the current one in the navigation', async () => {
    await open()

    const link = screen.link('Projects', screen.navigation())
    expect(link.getAttribute('aria-current')).toBe('true')
    await click(link)
    expect(link.getAttribute('aria-current')).toBe('page')
  })

  it('says why it could not be loaded, and tries again', async () => {
    api.on(GET_APOLLO, () => problem(503))
    await open()
    expect(screen.has('The server has a problem.', screen.region('Details'))).toBe(true)
    api.on(GET_APOLLO, apollo)

    await click(screen.button('Retry'))

    expect(shown()).toEqual(['Apollo', 'To the moon', '', 'active'])
  })

  it('that is not there says so, without a Retry', async () => {
    api.on(GET_APOLLO, () => problem(404))
    await open()

    expect(words(screen.heading())).toBe('Project not found')
    expect(document.title).toBe('Project not found · Vue Silent Refresh')
    expect(screen.has('Retry')).toBe(false)
    expect(screen.links(screen.main())).toEqual(['All projects'])
  })
})

describe('From one project to the next', () => {
  it('no form shows the last one while the next loads', async () => {
    const router = await open()
    const arrive = api.hold(GET_GEMINI)

    await router.push('/projects/1003')
    await settled()
    expect(screen.has('Apollo')).toBe(false)
    expect(document.querySelector('main form')).toBe(null)

    await arrive(gemini)
    expect(words(screen.heading())).toBe('Gemini')
    expect(shown()).toEqual(['Gemini', '', '2026-12-31', 'planned'])
    api.on('PATCH /api/projects/1003', gemini)
    await type('Description', 'Two men')
    await save()
    expect(sentTo('PATCH /api/projects/1003')).toMatchObject([{ body: { name: 'Gemini' } }])
    expect(api.sent.map(({ what }) => what)).not.toContain(PATCH_APOLLO)
  })

  it('the form is that of the next, also if both are cached', async () => {
    const router = await open()
    await router.push('/projects/1003')
    await settled()
    await router.push('/projects/1002')
    await type('Name', 'Half typed')

    void router.push('/projects/1003')
    await settled()
    await click(screen.button('Discard'))

    expect(shown()).toEqual(['Gemini', '', '2026-12-31', 'planned'])
  })

  it('a change that is answered late is none of the next', async () => {
    const router = await open()
    const answer = api.hold(PATCH_APOLLO)
    await type('Name', 'Apollo 13')
    await save()
    void router.push('/projects/1003')
    await settled()
    await click(screen.button('Discard'))

    await answer({ ...apollo, name: 'Apollo 13' })

    expect(words(screen.heading())).toBe('Gemini')
    expect(screen.has('Saved.')).toBe(false)
    await router.push('/projects/1002')
    expect(words(screen.heading())).toBe('Apollo 13')
  })
})

describe('Saving', () => {
  it('sends what was typed, and shows what the API made of it', async () => {
    await open()
    api.on(PATCH_APOLLO, { ...apollo, name: 'Apollo 13' })
    api.on(GET_APOLLO, { ...apollo, name: 'Apollo 13' })

    await type('Name', 'Apollo 13')
    await type('Due on', '2026-04-11')
    await save()

    expect(sentTo(PATCH_APOLLO).map(({ body }) => body)).toEqual([
      { name: 'Apollo 13', description: 'To the moon', dueOn: '2026-04-11', status: 'active' },
    ])
    expect(words(screen.heading())).toBe('Apollo 13')
    expect(document.title).toBe('Apollo 13 · Vue Silent Refresh')
    expect(said()).toBe('Saved.')
  })

  it('sends no due date as null', async () => {
    await open('/projects/1003')
    api.on('PATCH /api/projects/1003', gemini)

    await type('Due on', '')
    await save()

    expect(sentTo('PATCH /api/projects/1003')).toMatchObject([{ body: { dueOn: null } }])
  })

  it('is in the list at once', async () => {
    const router = await open('/projects')
    await router.push('/projects/1002')
    await settled()
    api.on(PATCH_APOLLO, { ...apollo, name: 'Apollo 13' })
    await type('Name', 'Apollo 13')
    await save()
    api.on('GET /api/projects', projectPage({ ...apollo, name: 'Apollo 13' }))

    await router.push('/projects')
    await settled()

    expect(screen.link('Apollo 13')).toBeTruthy()
  })

  it('says at the fields what is wrong, and leads to the first', async () => {
    api.on(PATCH_APOLLO, () => invalid({ dueOn: 'Too early', status: 'Too late' }))
    await open()
    expect(words(screen.alert())).toBe('')

    await type('Due on', '2001-01-01')
    await save()

    expect(words(screen.alert())).toBe('Check the fields that are marked.')
    expect(['Name', 'Due on', 'Status'].map(screen.problemOf)).toEqual([
      '',
      'Too early',
      'Too late',
    ])
    expect(document.activeElement).toBe(screen.field('Due on'))
  })

  it('takes the errors away with the next attempt', async () => {
    api.on(PATCH_APOLLO, () => invalid({ dueOn: 'Too early' }))
    await open()
    await type('Due on', '2001-01-01')
    await save()
    const answer = api.hold(PATCH_APOLLO)

    await save()

    expect(words(screen.alert())).toBe('')
    expect(screen.problemOf('Due on')).toBe('')
    await answer(apollo)
  })

  it('keeps what was typed if it failed', async () => {
    api.on(PATCH_APOLLO, () => problem(503))
    await open()
    await type('Name', 'Apollo 13')

    await save()

    expect(words(screen.alert())).toMatch(/^The server has a problem/)
    expect(screen.field('Name').value).toBe('Apollo 13')
  })

  it('is sent once, however often the button is pressed', async () => {
    const answer = api.hold(PATCH_APOLLO)
    await open()
    await type('Name', 'Apollo 13')

    await save()
    await save()

    expect(api.count(PATCH_APOLLO)).toBe(1)
    expect(form().getAttribute('aria-busy')).toBe('true')
    await answer(apollo)
    expect(form().getAttribute('aria-busy')).toBe('false')
  })

  it('does nothing while nothing has changed, or was changed back', async () => {
    await open()
    expect(screen.button('Save').getAttribute('aria-disabled')).toBe('true')

    await type('Name', 'Apollo 13')
    expect(screen.button('Save').getAttribute('aria-disabled')).toBe('false')
    await type('Name', 'Apollo')
    await save()

    expect(screen.button('Save').getAttribute('aria-disabled')).toBe('true')
    expect(api.count(PATCH_APOLLO)).toBe(0)
  })

  it('leaves alone what was typed meanwhile', async () => {
    await open()
    const answer = api.hold(PATCH_APOLLO)
    await type('Name', 'Apollo 13')
    await save()

    await type('Name', 'Apollo 14')
    await answer({ ...apollo, name: 'Apollo 13' })

    expect(screen.field('Name').value).toBe('Apollo 14')
    expect(said()).toBe('')
    expect(screen.button('Save').getAttribute('aria-disabled')).toBe('false')
  })

  it('takes over what the API made of it', async () => {
    await open()
    api.on(PATCH_APOLLO, { ...apollo, name: 'Apollo 13' })

    await type('Name', ' Apollo 13 ')
    await save()

    expect(screen.field('Name').value).toBe('Apollo 13')
    expect(screen.button('Save').getAttribute('aria-disabled')).toBe('true')
  })

  it('can be thought better of', async () => {
    await open()
    expect(screen.has('Discard changes')).toBe(false)
    await type('Name', 'Apollo 13')

    await click(screen.button('Discard changes'))

    expect(screen.field('Name').value).toBe('Apollo')
    expect(document.activeElement).toBe(screen.field('Name'))
  })

  it('of a project that was deleted meanwhile leads to "not found"', async () => {
    api.on(PATCH_APOLLO, () => problem(404))
    await open()
    api.on(GET_APOLLO, () => problem(404))

    await type('Name', 'Apollo 13')
    await save()
    expect(screen.field('Name').value).toBe('Apollo 13') // R19
    await click(screen.button('Discard changes'))

    expect(words(screen.heading())).toBe('Project not found')
  })
})

describe('R19: what is typed stays in view', () => {
  const details = () => screen.region('Details')
  const hasError = () => screen.has('The server has a problem.', details())

  /** As a person who comes back to the window. */
  async function comeBack() {
    document.dispatchEvent(new Event('visibilitychange'))
    await settled()
  }

  it('beside the error of a reload, which can be tried again', async () => {
    await open()
    await type('Description', 'To Mars')
    const field = screen.field('Description')
    api.on(GET_APOLLO, () => problem(503))

    await comeBack()
    expect(hasError()).toBe(true)
    expect(screen.field('Description')).toBe(field)
    expect(field.value).toBe('To Mars')

    api.on(GET_APOLLO, { ...apollo, name: 'Apollo 13' })
    await click(screen.button('Retry'))
    expect(hasError()).toBe(false)
    expect(words(screen.heading())).toBe('Apollo 13')
    expect(screen.field('Description')).toBe(field)
    expect(field.value).toBe('To Mars')
  })

  it('where there is no network to save it', async () => {
    await open()
    await type('Description', 'To Mars')
    api.offline(PATCH_APOLLO)
    api.offline(GET_APOLLO)

    await save()

    expect(words(screen.alert())).toMatch(/^Cannot reach the server/)
    expect(screen.field('Description').value).toBe('To Mars')
    api.on(PATCH_APOLLO, { ...apollo, description: 'To Mars' })
    api.on(GET_APOLLO, { ...apollo, description: 'To Mars' })
    await save()
    expect(said()).toBe('Saved.')
    expect(screen.has('Cannot reach')).toBe(false)
  })

  it('where it is saved, and the reload after it fails', async () => {
    await open()
    await type('Description', 'To Mars')
    api.on(PATCH_APOLLO, { ...apollo, description: 'To Mars' })
    api.on(GET_APOLLO, () => problem(503))

    await save()

    expect(said()).toBe('Saved.')
    expect(hasError()).toBe(true)
    expect(screen.field('Description').value).toBe('To Mars')
  })

  it('where the project was deleted meanwhile, until it is given up', async () => {
    await open()
    await type('Description', 'To Mars')
    api.on(PATCH_APOLLO, () => problem(404))
    api.on(GET_APOLLO, () => problem(404))

    await save()
    expect(words(screen.alert())).toBe('Problem 404')
    expect(screen.field('Description').value).toBe('To Mars')

    await click(screen.button('Discard changes'))
    expect(words(screen.heading())).toBe('Project not found')
  })
})

describe('Deleting', () => {
  const ask = () => click(screen.button('Delete…'))
  const confirm = () => click(screen.button('Delete', screen.dialog()))
  const dialog = () => screen.dialog() as HTMLDialogElement

  it('asks first, and does nothing if told not to', async () => {
    await open()
    expect(dialog().open).toBe(false)
    await ask()
    expect(dialog().open).toBe(true)
    expect(words(dialog())).toMatch(/^Delete “Apollo”\? This cannot be undone\./)

    await click(screen.button('Cancel', dialog()))

    expect(dialog().open).toBe(false)
    expect(api.count(DELETE_APOLLO)).toBe(0)
  })

  it('leads to the list, where it is gone', async () => {
    const router = await open('/projects')
    await router.push('/projects/1002')
    await settled()
    api.on(DELETE_APOLLO, () => new Response(null, { status: 204 }))
    const arrive = api.hold('GET /api/projects')

    await ask()
    await confirm()

    expect(router.currentRoute.value.fullPath).toBe('/projects')
    expect(screen.has('Apollo')).toBe(false)
    await arrive(projectPage(gemini))
    expect(screen.link('Gemini')).toBeTruthy()
  })

  it('says what went wrong, on the page', async () => {
    api.on(DELETE_APOLLO, () => problem(500))
    await open()

    await ask()
    await confirm()

    expect(dialog().open).toBe(false)
    expect(words(screen.alert())).toMatch(/^The server has a problem/)
  })

  it('is sent once, however often the button is pressed', async () => {
    api.hold(DELETE_APOLLO)
    await open()
    await ask()

    await confirm()
    await confirm()

    expect(api.count(DELETE_APOLLO)).toBe(1)
    expect(dialog().getAttribute('aria-busy')).toBe('true')
  })
})
