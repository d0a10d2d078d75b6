// @vitest-environment happy-dom
// Where the focus goes, and every way in which a page may not come. The main ones are in tests/unit.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { useAuthStore } from '@/stores/auth.ts'
import { bob, grantFor } from '../../support/backend.ts'
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
  // demo:start
  api.on('GET /api/notifications', [])
  api.on('GET /api/stats', {
    projects: 0,
    active: 0,
    done: 0,
    months: [],
    notifications: 0,
    uptimeSeconds: 59,
  })
  // demo:end
  api.on('POST /api/auth/logout', () => new Response(null, { status: 204 }))
})

describe('For keyboard and screen reader', () => {
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

  it('moves it to the first field of the sign-in where signing out leads there', async () => {
    await signedInAs(bob)
    await openApp('/dashboard')

    await click(screen.button('Sign out'))

    expect(words(screen.heading())).toBe('Sign in')
    expect(document.activeElement).toBe(screen.field('Username'))
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

  it('leaves the address alone when it skips', async () => {
    await openApp('/')

    await click(screen.link('Skip to content'))

    expect(location.hash).toBe('')
  })
})

describe('While a page is on its way', () => {
  const bar = () => document.querySelector('[role="progressbar"]')

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

  it('reloads the page where it was its code that had not come', async () => {
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
