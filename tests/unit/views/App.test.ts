// @vitest-environment happy-dom
import { defineStore } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, ref } from 'vue'
import { SessionEndedError } from '@/auth/index.ts'
import { useAuthStore } from '@/stores/auth.ts'
import { ada, bob, grantFor } from '../../support/backend.ts'
import {
  click,
  openApp,
  problem,
  screen,
  settled,
  signedInAs,
  useScreen,
  words,
} from '../../support/screen.ts'

const api = useScreen()

beforeEach(() => {
  api.on('GET /api/auth/me', bob)
  api.on('GET /api/projects', { items: [], total: 0, page: 1 })
  api.on('GET /api/notifications', []) // demo
  api.on('GET /api/stats', { projects: 0, notifications: 0, uptimeSeconds: 59 }) // demo
  api.on('POST /api/auth/logout', () => new Response(null, { status: 204 }))
})

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

  it('marks the page one is on', async () => {
    await signedInAs(ada)
    await openApp('/dashboard')

    const nav = screen.navigation()
    expect(screen.link('Dashboard', nav).getAttribute('aria-current')).toBe('page')
    expect(screen.link('Vue Silent Refresh').hasAttribute('aria-current')).toBe(false)
  })

  it('keeps the way back where one is asked to sign in', async () => {
    const router = await openApp('/dashboard?tab=2')

    await click(screen.link('Sign in', screen.navigation()))

    expect(router.currentRoute.value.query).toEqual({ redirect: '/dashboard?tab=2' })
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
    expect(words(screen.main())).toBe('')
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

  it('is told in a live region that was there before', async () => {
    await signedInAs(bob)
    const router = await openApp('/')
    const status = screen.status()
    expect(words(status)).toBe('')
    await router.push('/dashboard')
    api.on('POST /api/auth/refresh', () => problem(401))

    await expect(useAuthStore().refresh()).rejects.toThrow(SessionEndedError)
    await settled()

    expect(words(status)).toBe('Your session has ended. Sign in to go on where you were.')
    expect(status.isConnected).toBe(true)
    expect(words(screen.heading())).toBe('Sign in')
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
  it('gets a page of their own, made anew', async () => {
    await signedInAs(bob)
    await openApp('/dashboard')
    const heading = screen.heading()

    await signedInAs(ada)
    await settled()

    expect(words(screen.heading())).toBe('Dashboard')
    expect(heading.isConnected).toBe(false)
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

  it('moves it to a page that has no heading', async () => {
    const router = await openApp('/')
    router.addRoute({ path: '/bare', component: { render: () => 'No heading' } })

    await router.push('/bare')
    await settled()

    expect(document.activeElement).toBe(screen.main())
  })

  it('moves it where the same view shows something else', async () => {
    const router = await openApp('/nowhere')
    screen.link('Sign in').focus()

    await router.push('/nowhere/else')
    await settled()

    expect(document.activeElement).toBe(screen.heading())
  })

  it('leaves the focus alone where one cannot leave the page', async () => {
    const router = await openApp('/')
    router.beforeEach(() => false)

    await click(screen.link('Sign in', screen.navigation()))

    expect(document.activeElement).toBe(screen.link('Sign in', screen.navigation()))
  })

  it('keeps the focus in the header when the button to sign out goes', async () => {
    await signedInAs(bob)
    await openApp('/')

    await click(screen.button('Sign out'))

    expect(document.activeElement).toBe(screen.link('Sign in', screen.navigation()))
  })

  it('leaves the focus where it is if the button to sign out never had it', async () => {
    await signedInAs(bob)
    await openApp('/')
    const skip = screen.link('Skip to content')
    skip.focus()

    screen.button('Sign out').click()
    await settled()

    expect(document.activeElement).toBe(skip)
  })

  it('does so before the API has answered', async () => {
    await signedInAs(bob)
    await openApp('/')
    api.hold('POST /api/auth/logout')

    await click(screen.button('Sign out'))

    expect(document.activeElement).toBe(screen.link('Sign in', screen.navigation()))
  })

  it('moves it to the heading of the sign-in where signing out leads there', async () => {
    await signedInAs(bob)
    await openApp('/dashboard')

    await click(screen.button('Sign out'))

    expect(words(screen.heading())).toBe('Sign in')
    expect(document.activeElement).toBe(screen.heading())
  })

  it('leaves the focus where the browser puts it on the first page', async () => {
    await openApp('/')

    expect(document.activeElement).toBe(document.body)
  })

  it('leaves the focus alone while only the query changes', async () => {
    const router = await openApp('/')
    const link = screen.link('Sign in', screen.navigation())
    link.focus()

    await router.push('/?tab=2')
    await settled()

    expect(document.activeElement).toBe(link)
  })

  it('skips to the content', async () => {
    await openApp('/')

    await click(screen.link('Skip to content'))

    expect(document.activeElement).toBe(screen.main())
  })

  it('leaves the address alone when it skips', async () => {
    await openApp('/')

    await click(screen.link('Skip to content'))

    expect(location.hash).toBe('')
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

  it('the bar stays where the next navigation takes over', async () => {
    const router = await openApp('/')
    const component = () => new Promise<object>(() => {})
    router.addRoute({ path: '/slow/:id', component })

    void router.push('/slow/1')
    await settled()
    void router.push('/slow/2')
    await settled()

    expect(bar()).not.toBe(null)
  })

  it('the bar goes where the navigation fails', async () => {
    const router = await openApp('/')
    router.onError(() => {})
    router.addRoute({ path: '/gone', component: () => Promise.reject(new Error('Gone')) })

    await expect(router.push('/gone')).rejects.toThrow('Gone')
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
    const router = await openApp('/projects', { errorHandler })
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

  it('a visitor finds the way from the start to the others', async () => {
    await openApp('/')

    const links = screen.links(screen.main())
    expect(links.slice(0, 3)).toEqual(['Sign in', 'Dashboard', 'Projects'])
  })
})

describe('When the server is out of reach', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] })
    localStorage.setItem('silent-refresh.session', 'kept')
    api.on('POST /api/auth/refresh', () => problem(503))
    return () => vi.useRealTimers()
  })

  it('the page says so, and that the session is kept', async () => {
    const router = await openApp('/dashboard?tab=2')

    expect(words(screen.heading())).toBe('Cannot reach the server')
    expect(screen.has('Your session is kept.')).toBe(true)
    expect(router.currentRoute.value.fullPath).toBe('/dashboard?tab=2')
  })

  it('the page has a heading that can take the focus', async () => {
    await openApp('/dashboard')

    expect(screen.heading().getAttribute('tabindex')).toBe('-1')
  })

  it('opens the page once the server answers, and says meanwhile what it waits for', async () => {
    const answer = api.hold('POST /api/auth/refresh')
    void useAuthStore()
      .restore()
      .catch(() => {})
    const opened = openApp('/dashboard')
    await settled()
    expect(words(screen.main())).toBe('Restoring your session…')

    await answer(grantFor(bob))
    await opened

    expect(words(screen.heading())).toBe('Dashboard')
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

  it('says that it is still out of reach', async () => {
    await openApp('/dashboard')
    vi.setSystemTime(Date.now() + 60_000)

    await click(screen.button('Try again'))

    expect(words(screen.alert())).toMatch(/^Still no luck\./)
    expect(words(screen.heading())).toBe('Cannot reach the server')
  })

  it('says why it is still out of reach', async () => {
    await openApp('/dashboard')
    vi.setSystemTime(Date.now() + 60_000)

    await click(screen.button('Try again'))

    expect(words(screen.alert())).toMatch(/The server has a problem/)
  })

  it('can be tried time and again', async () => {
    await openApp('/dashboard')
    vi.setSystemTime(Date.now() + 60_000)
    await click(screen.button('Try again'))
    vi.setSystemTime(Date.now() + 120_000)
    api.on('POST /api/auth/refresh', grantFor(bob))

    await click(screen.button('Try again'))

    expect(words(screen.heading())).toBe('Dashboard')
  })

  it('takes the error away with the next try, so that the same one is announced again', async () => {
    await openApp('/dashboard')
    vi.setSystemTime(Date.now() + 60_000)
    await click(screen.button('Try again'))
    vi.setSystemTime(Date.now() + 120_000)
    api.hold('POST /api/auth/refresh')

    await click(screen.button('Try again'))

    expect(words(screen.alert())).toBe('')
  })

  it('says that the session is kept where it was the code of the page that had not come', async () => {
    await signedInAs(bob)
    const router = await openApp('/')

    await router.push({ name: 'unavailable', params: { pathMatch: ['forbidden'] } })
    await settled()

    expect(screen.has('Your session is kept.')).toBe(true)
  })

  it('stays where it is, and says so, as long as there is no network', async () => {
    localStorage.clear()
    const reload = vi.spyOn(window.location, 'reload').mockReturnValue()
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
    const router = await openApp('/')
    await router.push({ name: 'unavailable', params: { pathMatch: ['forbidden'] } })
    await settled()

    await click(screen.button('Try again'))

    expect(reload).not.toHaveBeenCalled()
    expect(screen.has('Still no luck.')).toBe(true)
  })

  it('loads the page anew where it was its code that had not come', async () => {
    localStorage.clear()
    const reload = vi.spyOn(window.location, 'reload').mockReturnValue()
    const router = await openApp('/')
    await router.push({ name: 'unavailable', params: { pathMatch: ['forbidden'] } })
    await settled()
    expect(screen.has('Your session is kept.')).toBe(false)

    await click(screen.button('Try again'))

    expect(reload).toHaveBeenCalledOnce()
    expect(router.currentRoute.value.fullPath).toBe('/forbidden')
  })
})
