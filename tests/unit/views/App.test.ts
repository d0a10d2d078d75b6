// @vitest-environment happy-dom
import { defineStore } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, onUnmounted, ref } from 'vue'
import type { RouteRecordRaw } from 'vue-router'
import { api as client } from '@/api/client.ts'
import { SessionEndedError } from '@/auth/index.ts'
import { routes } from '@/router/routes.ts'
import { theme } from '@/composables/theme.ts'
import { keptViews } from '@/router/routes.ts'
import { useAuthStore } from '@/stores/auth.ts'
import { ada, bob, grantFor } from '../../support/backend.ts'
import {
  click,
  openApp as openAppWith,
  problem,
  screen,
  settled,
  signedInAs,
  useScreen,
  words,
} from '../../support/screen.ts'

const api = useScreen()

/** Pages for signed-in people show their title alone here: the shell does not depend on what is in them. */
function titled(route: RouteRecordRaw, isInside = false): RouteRecordRaw {
  const { children, meta } = route
  const isProtected = isInside || meta?.requiresAuth || meta?.roles
  if (!isProtected) return route
  if (children) {
    return { ...route, children: children.map((child) => titled(child, true)) } as RouteRecordRaw
  }
  const component = { render: () => h('h1', { tabindex: '-1' }, meta?.title) }
  return { ...route, component, props: false } as RouteRecordRaw
}

const pages = routes.map((route) => titled(route))

const openApp: typeof openAppWith = (path, options) => openAppWith(path, { pages, ...options })

beforeEach(() => {
  api.on('POST /api/auth/logout', () => new Response(null, { status: 204 }))
})

/** The initials beside the name are for the eye. */
const accountButton = () => screen.header().querySelector<HTMLElement>('[aria-expanded]')!

describe('The header', () => {
  it('offers a visitor to sign in', async () => {
    await openApp('/')

    expect(screen.links(screen.navigation())).toEqual(['Sign in'])
    expect(screen.has('Sign out')).toBe(false)
  })

  it('shows who is signed in, and where they may go', async () => {
    await signedInAs(bob)
    await openApp('/')

    expect(screen.links(screen.navigation())).toContain('Dashboard')
    expect(screen.has('Bob')).toBe(true)
    expect(screen.button('Sign out')).toBeTruthy()
  })

  it('has the account in a menu, which opens, and closes with its button in focus', async () => {
    await signedInAs(bob)
    await openApp('/forbidden')
    const button = accountButton()
    expect(words(button)).toContain('Bob: account')
    const panel = document.getElementById(button.getAttribute('aria-controls')!)!
    expect([button.getAttribute('aria-expanded'), panel.hidden]).toEqual(['false', true])

    await click(button)
    expect([button.getAttribute('aria-expanded'), panel.hidden]).toEqual(['true', false])
    expect(panel.contains(screen.button('Sign out'))).toBe(true)
    expect([...panel.querySelectorAll('li')].map(words)).toEqual(bob.roles)

    screen.button('Sign out').focus()
    screen
      .button('Sign out')
      .dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))
    await settled()
    expect(panel.hidden).toBe(true)
    expect(document.activeElement).toBe(button)
  })

  it.each(['pointerdown', 'focusin'])('closes the menu on %s elsewhere', async (type) => {
    await signedInAs(bob)
    await openApp('/forbidden')
    const button = accountButton()
    await click(button)

    screen.main().dispatchEvent(new Event(type, { bubbles: true }))
    await settled()

    expect(button.getAttribute('aria-expanded')).toBe('false')
  })

  it.each(['light', 'dark'])('lets a visitor choose the theme %s too', async (value) => {
    await openApp('/')
    await click(screen.button('Theme'))

    await click(document.querySelector<HTMLElement>(`[type=radio][value=${value}]`)!)

    expect(theme.value).toBe(value)
    theme.value = 'system'
  })

  it('marks the page one is on', async () => {
    await signedInAs(ada)
    await openApp('/dashboard')

    const nav = screen.navigation()
    expect(screen.link('Dashboard', nav).getAttribute('aria-current')).toBe('page')
    expect(screen.link('Vue Silent Refresh').hasAttribute('aria-current')).toBe(false)
  })

  it('offers nobody to sign in who is at the sign-in page', async () => {
    const router = await openApp('/dashboard?tab=2')

    expect(router.currentRoute.value.query).toEqual({ redirect: '/dashboard?tab=2' })
    expect(screen.links(screen.header())).toEqual(['Vue Silent Refresh'])
    expect(screen.button('Theme')).toBeTruthy()

    await router.push('/')
    await settled()
    expect(screen.links(screen.navigation())).toEqual(['Sign in'])
  })

  it('R17: offers to sign out, and not to sign in, while it is not known who is there', async () => {
    localStorage.setItem('silent-refresh.session', 'kept')
    const answer = api.hold('POST /api/auth/refresh')
    void useAuthStore().restore()
    await openApp('/')
    expect(words(screen.header())).toBe('Vue Silent RefreshSign out')

    await answer(problem(401))

    expect(screen.links(screen.navigation())).toEqual(['Sign in'])
  })

  it('signs out', async () => {
    await signedInAs(bob)
    const router = await openApp('/dashboard')

    await click(screen.button('Sign out'))

    expect(api.count('POST /api/auth/logout')).toBe(1)
    expect(screen.has('Bob')).toBe(false)
    expect(router.currentRoute.value.path).toBe('/login')
  })
})

describe('The end of a session', () => {
  it('takes the protected view away at once, before any navigation', async () => {
    await signedInAs(bob)
    const router = await openApp('/dashboard', { guarded: false })
    expect(words(screen.main())).not.toBe('')

    void useAuthStore().logout()
    await settled()

    expect(router.currentRoute.value.path).toBe('/dashboard')
    expect(words(screen.main())).toBe('Sign in to see this page.')
  })

  it('leaves a page alone that is open to all', async () => {
    await signedInAs(bob)
    await openApp('/')

    void useAuthStore().logout()
    await settled()

    expect(words(screen.heading())).toBe('Vue Silent Refresh')
  })

  it('R18: leaves nothing of the person in header or page, open pages included', async () => {
    const useGreeting = defineStore('greeting', () => ({ text: ref(useAuthStore().user?.name) }))
    const Greeting = {
      setup() {
        const greeting = useGreeting()
        return () => h('h1', `Hello ${greeting.text ?? 'visitor'}`)
      },
    }
    await signedInAs(bob)
    const router = await openApp('/')
    router.addRoute({ path: '/hello', component: Greeting })
    await router.push('/hello')
    await settled()
    expect(words(screen.heading())).toBe('Hello Bob')
    const header = screen.header()

    void useAuthStore().logout()
    await settled()

    expect(words(screen.heading())).toBe('Hello visitor')
    expect(screen.header()).not.toBe(header)
  })

  it('is told once, in a live region that was there before', async () => {
    await signedInAs(bob)
    const router = await openApp('/forbidden')
    const status = screen.status()
    expect(words(status)).toBe('')
    await router.push('/dashboard')
    const told: string[] = []
    const observer = new MutationObserver(() => void told.push(words(status)))
    observer.observe(status, { characterData: true, childList: true, subtree: true })
    api.on('POST /api/auth/refresh', () => problem(401))

    await expect(useAuthStore().refresh()).rejects.toThrow(SessionEndedError)
    await settled()

    expect(told).toEqual(['Your session has ended. Sign in to pick up where you left off.'])
    expect(status.isConnected).toBe(true)
    expect(words(screen.heading())).toBe('Sign in')
    observer.disconnect()
  })

  it('promises no way back where there is none', async () => {
    await signedInAs(bob)
    const router = await openApp('/dashboard')
    api.on('POST /api/auth/refresh', () => problem(401))
    await expect(useAuthStore().refresh()).rejects.toThrow(SessionEndedError)
    await settled()

    await click(screen.link('Vue Silent Refresh'))
    expect(words(screen.status())).toBe('Your session has ended.')
    await click(screen.link('Sign in', screen.navigation()))

    expect(router.currentRoute.value.fullPath).toBe('/login')
    expect(words(screen.status())).toBe('Your session has ended.')
  })

  it('is told with what the API says of it', async () => {
    await signedInAs(bob)
    await openApp('/dashboard')
    const message = 'Your account was suspended.'
    api.on('POST /api/auth/refresh', () => Response.json({ message }, { status: 403 }))

    await expect(useAuthStore().refresh()).rejects.toThrow(SessionEndedError)
    await settled()

    expect(words(screen.status())).toBe(
      'Your session has ended. Your account was suspended. Sign in to pick up where you left off.',
    )
  })

  it('is no news to somebody who signed out', async () => {
    await signedInAs(bob)
    await openApp('/dashboard')

    await click(screen.button('Sign out'))

    expect(words(screen.heading())).toBe('Sign in')
    expect(screen.has('Your session has ended')).toBe(false)
  })

  it('is forgotten with the next sign-in', async () => {
    await signedInAs(bob)
    await openApp('/dashboard')
    api.on('POST /api/auth/refresh', () => problem(401))
    await expect(useAuthStore().refresh()).rejects.toThrow(SessionEndedError)

    await signedInAs(bob)
    await settled()

    expect(screen.has('Your session has ended')).toBe(false)
  })
})

describe('R6: another person', () => {
  it('gets a page of their own, created again', async () => {
    await signedInAs(bob)
    await openApp('/dashboard')
    const heading = screen.heading()

    await signedInAs(ada)
    await settled()

    expect(words(screen.heading())).toBe('Dashboard')
    expect(heading.isConnected).toBe(false)
  })
})

describe('A view that is kept alive', () => {
  const TickingView = defineComponent({
    name: 'TickingView',
    setup() {
      const ticks = ref(0)
      const timer = setInterval(() => void client('/ticks').then(() => (ticks.value += 1)), 1000)
      onUnmounted(() => clearInterval(timer))
      return () => h('h1', { tabindex: -1 }, `Ticks: ${ticks.value}`)
    },
  })

  beforeEach(() => {
    keptViews.push('TickingView')
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    api.on('GET /api/ticks', {})
    return () => {
      keptViews.length = 0
      vi.useRealTimers()
    }
  })

  async function tick() {
    vi.advanceTimersByTime(1000)
    await settled()
  }

  async function keepTicking() {
    await signedInAs(bob)
    const router = await openApp('/')
    router.addRoute({ path: '/ticks', component: TickingView })
    await router.push('/ticks')
    await tick()
    await router.push('/forbidden')
    await tick()
    expect(words(screen.heading())).toBe('Access denied')
    return router
  }

  it('is there as it was, for the same person', async () => {
    const router = await keepTicking()

    await router.push('/ticks')
    await settled()

    expect(words(screen.heading())).toBe('Ticks: 2')
  })

  it.each([
    ['a sign-out', () => useAuthStore().logout()],
    ['somebody else took over', () => signedInAs(ada)],
  ])('R18: is gone after %s, with its timers', async (_, leave) => {
    const router = await keepTicking()

    await leave()
    await tick()

    expect(api.count('GET /api/ticks')).toBe(2)
    await router.push('/ticks')
    await settled()
    expect(words(screen.heading())).toBe('Ticks: 0')
  })
})

describe('For keyboard and screen reader', () => {
  it('moves the focus to the heading of the new page', async () => {
    await signedInAs(bob)
    await openApp('/')

    await click(screen.link('Dashboard', screen.navigation()))

    expect(words(screen.heading())).toBe('Dashboard')
    expect(document.activeElement).toBe(screen.heading())
  })

  it('moves the focus into the first field of the sign-in', async () => {
    await openApp('/')

    await click(screen.link('Sign in', screen.navigation()))

    expect(document.activeElement).toBe(screen.field('Username'))
  })

  it('keeps the focus in the header when the button to sign out goes', async () => {
    await signedInAs(bob)
    await openApp('/')

    await click(screen.button('Sign out'))

    expect(document.activeElement).toBe(screen.link('Sign in', screen.navigation()))
  })

  it('skips to the content', async () => {
    await openApp('/')

    await click(screen.link('Skip to content'))

    expect(document.activeElement).toBe(screen.main())
  })
})

describe('While a page is on its way', () => {
  const bar = () => document.querySelector('[role="progressbar"]')

  it('a bar says so, until it is there', async () => {
    const router = await openApp('/')
    let load!: (page: object) => void
    const component = () => new Promise<object>((resolve) => (load = resolve))
    router.addRoute({ path: '/slow', component })
    expect(bar()).toBe(null)

    const arrived = router.push('/slow')
    await settled()
    expect(bar()?.getAttribute('aria-label')).toBe('Loading the page')

    load({ render: () => 'Here' })
    await arrived
    await settled()
    expect(bar()).toBe(null)
  })
})

describe('A page that breaks', () => {
  const Broken = defineComponent(() => {
    const items = ref<(string | null)[]>(['a'])
    const breakUp = () => items.value.push(null)
    const fail = () => {
      throw new Error('Of a click')
    }
    return () => [
      h(
        'ul',
        items.value.map((item) => h('li', item!.toUpperCase())),
      ),
      h('button', { onClick: breakUp }, 'Break up'),
      h('button', { onClick: fail }, 'Fail'),
    ]
  })

  async function openBroken() {
    const errorHandler = vi.fn<(error: unknown) => void>()
    const router = await openApp('/', { errorHandler })
    router.addRoute({ path: '/broken', component: Broken })
    await router.push('/broken')
    await settled()
    return { router, errorHandler }
  }

  it('says so, with a way on, and tells the error tracker', async () => {
    const { errorHandler } = await openBroken()

    await click(screen.button('Break up'))

    expect(words(screen.heading())).toBe('Something went wrong')
    expect(document.activeElement).toBe(screen.heading())
    expect(errorHandler.mock.calls[0]?.[0]).toBeInstanceOf(TypeError)
    const reload = vi.spyOn(window.location, 'reload').mockReturnValue()
    await click(screen.button('Reload the page'))
    expect(reload).toHaveBeenCalledOnce()
    await click(screen.link('Back to the start'))
    expect(words(screen.heading())).toBe('Vue Silent Refresh')
  })

  it('says so where it breaks from the start', async () => {
    api.on('GET /api/projects', { items: [null], total: 1, page: 1 })
    await signedInAs(bob)
    const errorHandler = vi.fn<(error: unknown) => void>()
    const router = await openApp('/projects', { pages: routes, errorHandler })
    await settled()
    expect(words(screen.heading())).toBe('Something went wrong')

    await router.push('/forbidden')
    await settled()

    expect(words(screen.heading())).toBe('Access denied')
    expect(errorHandler).toHaveBeenCalled()
  })

  it('stays in view after an error that leaves no hole in it', async () => {
    const { errorHandler } = await openBroken()

    await click(screen.button('Fail'))

    expect(errorHandler).toHaveBeenCalledOnce()
    expect(screen.button('Break up')).toBeTruthy()
  })
})

describe('Pages', () => {
  it.each([
    ['/', 'Vue Silent Refresh'],
    ['/dashboard', 'Dashboard'],
    ['/projects', 'Projects'],
    ['/forbidden', 'Access denied'],
    ['/nowhere/at/all', 'Page not found'],
  ])('%s is headed “%s”', async (path, heading) => {
    await signedInAs(ada)
    await openApp(path)

    expect(words(screen.heading())).toBe(heading)
  })

  it.each(['/', '/login', '/forbidden', '/nowhere/at/all'])(
    '%s has a heading that can take the focus',
    async (path) => {
      await openApp(path)

      expect(screen.heading().getAttribute('tabindex')).toBe('-1')
    },
  )

  it('a visitor finds the way from the start to the sign-in', async () => {
    await openApp('/')

    await click(screen.link('Sign in', screen.main()))

    expect(words(screen.heading())).toBe('Sign in')
  })
})

describe('When the server is out of reach', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] })
    localStorage.setItem('silent-refresh.session', 'kept')
    api.on('POST /api/auth/refresh', () => problem(503))
    return () => vi.useRealTimers()
  })

  it('opens the page once the server answers again', async () => {
    const router = await openApp('/dashboard?tab=2')
    vi.setSystemTime(Date.now() + 60_000)
    const answer = api.hold('POST /api/auth/refresh')

    await click(screen.button('Try again'))
    expect(screen.button('Try again').getAttribute('aria-disabled')).toBe('true')
    await answer(grantFor(bob))

    expect(words(screen.heading())).toBe('Dashboard')
    expect(document.activeElement).toBe(screen.heading())
    expect(router.currentRoute.value.fullPath).toBe('/dashboard?tab=2')
  })

  it('R17: to sign out leads to the sign-in page', async () => {
    await openApp('/dashboard?tab=2')

    await click(screen.button('Sign out'))

    expect(words(screen.heading())).toBe('Sign in')
    expect(screen.field('Username')).toBeTruthy()
  })
})
