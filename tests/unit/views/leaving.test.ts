// @vitest-environment happy-dom
/** Ways out of a page: what a guard of it may hold back, and who is asked first. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import { onBeforeRouteLeave } from 'vue-router'
import { SessionEndedError } from '@/auth/index.ts'
import { useAuthStore } from '@/stores/auth.ts'
import { ada, bob, grantFor } from '../../support/backend.ts'
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

const api = useScreen()

beforeEach(() => {
  api.on('POST /api/auth/logout', () => new Response(null, { status: 204 }))
})

const stay = vi.fn<() => boolean>()

beforeEach(() => {
  stay.mockReset().mockReturnValue(false)
})

const InSetup = defineComponent({
  setup() {
    onBeforeRouteLeave(stay)
    return () => h('h1', { tabindex: -1 }, 'Of a person')
  },
})

const InOptions = {
  beforeRouteLeave: stay,
  render: () => h('h1', { tabindex: -1 }, 'Of a person'),
}

/** A page for people with a role, whose guard lets nobody leave it. */
async function openGuarded(component: typeof InSetup | typeof InOptions) {
  await signedInAs(ada)
  const router = await openApp('/')
  router.addRoute({ path: '/mine', component, meta: { roles: ['admin'] } })
  await router.push('/mine?tab=2')
  await settled()
  expect(words(screen.heading())).toBe('Of a person')
  return router
}

async function expire() {
  api.on('POST /api/auth/refresh', () => problem(401))
  await expect(useAuthStore().refresh()).rejects.toThrow(SessionEndedError)
  await settled()
}

describe.each([
  ['onBeforeRouteLeave', InSetup],
  ['beforeRouteLeave', InOptions],
])('R19: %s of a page', (_, component) => {
  it('holds a person back who may stay', async () => {
    const router = await openGuarded(component)

    await router.push('/forbidden')
    await settled()

    expect(stay).toHaveBeenCalledOnce()
    expect(words(screen.heading())).toBe('Of a person')
  })

  it('is not asked after a sign-out, which leads to the sign-in', async () => {
    const router = await openGuarded(component)

    await click(screen.button('Sign out'))

    expect(stay).not.toHaveBeenCalled()
    expect(router.currentRoute.value.fullPath).toBe('/login')
    expect(words(screen.heading())).toBe('Sign in')
  })

  it('is not asked where the session ended by itself, and the way back is kept', async () => {
    const router = await openGuarded(component)

    await expire()

    expect(stay).not.toHaveBeenCalled()
    expect(router.currentRoute.value.fullPath).toBe('/login?redirect=/mine?tab=2')
  })

  it('is not asked by somebody who lost the role', async () => {
    const router = await openGuarded(component)
    api.on('POST /api/auth/refresh', grantFor({ ...ada, roles: ['user'] }))

    await useAuthStore().refresh()
    await settled()

    expect(stay).not.toHaveBeenCalled()
    expect(router.currentRoute.value.fullPath).toBe('/forbidden')
  })

  it('is not asked by another person who took over', async () => {
    const router = await openGuarded(component)

    await signedInAs(bob)
    await settled()

    expect(stay).not.toHaveBeenCalled()
    expect(router.currentRoute.value.fullPath).toBe('/forbidden')
  })
})

it('R19: a page that may no longer be seen leaves words and a way on, wherever it is held', async () => {
  await signedInAs(bob)
  const router = await openApp('/')
  router.addRoute({ path: '/mine', component: InSetup, meta: { requiresAuth: true } })
  await router.push('/mine')
  router.beforeEach(() => false)

  await click(screen.button('Sign out'))

  expect(screen.has('Of a person')).toBe(false)
  expect(words(screen.main())).toBe('Sign in to see this page.')
})

describe('R19: a person with unsaved changes', () => {
  const apollo = projectNamed('Apollo', { id: '1002', description: 'To the moon' })

  beforeEach(() => {
    api.on('GET /api/projects', projectPage(apollo))
    api.on('GET /api/projects/1002', apollo)
  })

  const drafts = () => Object.keys(sessionStorage).filter((key) => key.startsWith('draft:'))
  const isAsked = () => document.querySelector('dialog[open] h2')?.textContent
  const answer = (label: string) => click(screen.button(label, openDialog()))
  const openDialog = () => document.querySelector('dialog[open]')!
  /** Whether the browser would ask before it closes the tab. */
  const warns = () => {
    const event = new Event('beforeunload', { cancelable: true })
    window.dispatchEvent(event)
    return event.defaultPrevented
  }

  async function openTyped() {
    await signedInAs(ada)
    const router = await openApp('/projects/1002')
    await settled()
    await type('Description', 'To Mars')
    return router
  }

  it('is asked before they leave, and may stay', async () => {
    const router = await openTyped()

    await click(screen.link('Projects', screen.navigation()))
    expect(isAsked()).toBe('Discard unsaved changes?')
    expect(document.querySelector('[role=progressbar]')).toBeNull()
    await answer('Keep editing')

    expect(router.currentRoute.value.path).toBe('/projects/1002')
    expect(screen.field('Description').value).toBe('To Mars')
    expect(drafts()).toHaveLength(1)
    expect(isAsked()).toBe(undefined)
  })

  it('leaves nothing behind when they leave all the same', async () => {
    const router = await openTyped()
    await click(screen.link('Projects', screen.navigation()))

    await answer('Discard')

    expect(router.currentRoute.value.path).toBe('/projects')
    expect(drafts()).toEqual([])
    await router.push('/projects/1002')
    await settled()
    expect(screen.field('Description').value).toBe('To the moon')
  })

  it('is not asked where the page stays, nor where nothing is unsaved', async () => {
    const router = await openTyped()

    await router.push('/projects/1002?tab=2#top')
    expect(router.currentRoute.value.fullPath).toBe('/projects/1002?tab=2#top')
    await type('Description', 'To the moon')
    await click(screen.link('Projects', screen.navigation()))

    expect(router.currentRoute.value.path).toBe('/projects')
  })

  it('is asked before a sign-out, which ends nothing until they agree', async () => {
    const router = await openTyped()

    await click(screen.button('Sign out'))
    expect(isAsked()).toBe('Discard unsaved changes?')
    await answer('Keep editing')
    expect(useAuthStore().isAuthenticated).toBe(true)
    expect(api.count('POST /api/auth/logout')).toBe(0)
    expect(screen.field('Description').value).toBe('To Mars')

    await click(screen.button('Sign out'))
    await answer('Discard')
    expect(api.count('POST /api/auth/logout')).toBe(1)
    expect(router.currentRoute.value.fullPath).toBe('/login')
    expect(JSON.stringify({ ...sessionStorage })).not.toContain('Mars')
  })

  it('is not asked where the session ends by itself, and has their text back after it', async () => {
    const router = await openTyped()

    await expire()
    expect(isAsked()).toBe(undefined)
    expect(words(screen.heading())).toBe('Sign in')
    expect(screen.has('To Mars')).toBe(false)
    await signedInAs(ada)
    await settled()

    expect(router.currentRoute.value.path).toBe('/projects/1002')
    expect(screen.field('Description').value).toBe('To Mars')
    expect(words(screen.field('Name').form!)).toMatch(/^Your unsaved changes are back\./)
  })

  it('R18: another person on the same page finds what the API has', async () => {
    const router = await openTyped()
    await expire()

    await signedInAs(bob)
    await settled()

    expect(router.currentRoute.value.path).toBe('/projects/1002')
    expect(screen.field('Description').value).toBe('To the moon')
    expect(JSON.stringify({ ...sessionStorage })).not.toContain('Mars')
  })

  it('is no longer asked once the session has ended, and that was no sign-out', async () => {
    await openTyped()
    await click(screen.button('Sign out'))

    await expire()

    expect(isAsked()).toBe(undefined)
    expect(useAuthStore().endReason).toBe('expired')
    expect(api.count('POST /api/auth/logout')).toBe(0)
    expect(drafts()).toHaveLength(1)
  })

  it('leaves without an answer when the changes are saved meanwhile', async () => {
    const router = await openTyped()
    const save = api.hold('PATCH /api/projects/1002')
    await click(screen.button('Save'))
    await click(screen.link('Projects', screen.navigation()))
    expect(isAsked()).toBe('Discard unsaved changes?')

    await save({ ...apollo, description: 'To Mars' })

    expect(isAsked()).toBe(undefined)
    expect(router.currentRoute.value.path).toBe('/projects')
    expect(drafts()).toEqual([])
  })

  it('is not asked about what they deleted', async () => {
    const router = await openTyped()
    api.on('DELETE /api/projects/1002', () => new Response(null, { status: 204 }))

    await click(screen.button('Delete…'))
    await click(screen.button('Delete', screen.dialog()))

    expect(router.currentRoute.value.path).toBe('/projects')
    expect(drafts()).toEqual([])
  })

  it('is warned by the browser before the tab is closed, and nobody else is', async () => {
    await openTyped()
    expect(warns()).toBe(true)

    await type('Description', 'To the moon')
    expect(warns()).toBe(false)

    await type('Description', 'To Mars')
    await expire()
    expect(warns()).toBe(false)
  })
})
