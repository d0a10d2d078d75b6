// @vitest-environment happy-dom
/** Who gets to which page, and where to if not. The addresses may be functions of the route. */
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createApp, h, reactive } from 'vue'
import type { Component } from 'vue'
import { RouterView, createMemoryHistory, createRouter, onBeforeRouteLeave } from 'vue-router'
import type { RouteLocationNormalized, RouteRecordRaw, Router } from 'vue-router'
import { installAuthGuard } from '@/auth/index.ts'
import type { AuthGuardOptions, GuardedAuth, User } from '@/auth/index.ts'
import { ada, bob, grantFor, httpError } from '../../support/backend.ts'
import {
  auth,
  backend,
  browser,
  expire,
  here,
  loadSecret,
  reload,
  removeGuard,
  router,
  signIn,
  startApp,
  useGuardedApp,
  visited,
} from '../../support/guard.ts'
import type { Prepare } from '../../support/guard.ts'
import { elapse, outcome } from '../../support/time.ts'

useGuardedApp()

const isProtected = ({ meta }: RouteLocationNormalized) => !!meta.requiresAuth

describe('?redirect=', () => {
  it.each(['/admin?x=1&y=%26#h', '/', '/dashboard', '/documents/a/b'])(
    '%s is honoured',
    async (redirect) => {
      await router.push({ path: '/login', query: { redirect } })
      await signIn()
      expect(here().fullPath).toBe(redirect)
    },
  )

  it.each([
    'https://evil.example',
    'https:evil.example',
    '//evil.example/dashboard',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '%2F%2Fevil.example',
    '/%2F/evil.example',
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)//',
    'data:text/html,x',
    'admin',
    '',
    '/no/such/page',
    '/login?redirect=/dashboard',
    '/login/',
  ])('%j leads to the default page', async (redirect) => {
    await router.push({ path: '/login', query: { redirect } })
    await signIn()
    expect(here().fullPath).toBe('/dashboard')
  })

  it.each(['//evil.example/dashboard', '/\\evil.example', '/\t/evil.example'])(
    '%j leads to the default page, also while prepare fails',
    async (redirect) => {
      removeGuard()
      startApp(() => Promise.reject(new Error('down')))
      await router.push({ path: '/login', query: { redirect } })
      await signIn()
      expect(here().fullPath).toBe('/dashboard')
    },
  )

  it('is honoured where there is no window', async () => {
    vi.stubGlobal('location', undefined)
    await router.push('/login?redirect=/admin')
    await signIn()
    expect(here().fullPath).toBe('/admin')
  })

  it('asks for nothing that browsers of the build’s target lack', async () => {
    vi.spyOn(URL, 'canParse').mockImplementation(() => {
      throw new TypeError('URL.canParse is not a function')
    })
    await router.push('/login?redirect=/admin')
    await signIn()
    expect(here().fullPath).toBe('/admin')
  })

  it('leads to the default page where it is another origin, though a route takes all', async () => {
    router.addRoute({ path: '/:all(.*)', component: {} })
    await router.push({ path: '/login', query: { redirect: '//evil.example/x' } })
    await signIn()
    expect(here().fullPath).toBe('/dashboard')
  })

  it('leads to the default page where no route takes it', async () => {
    vi.spyOn(console, 'warn').mockReturnValue() // The router tells of it.
    router.removeRoute('not-found')
    router.removeRoute('unavailable')
    await router.push({ path: '/login', query: { redirect: '/no/such/page' } })
    await signIn()
    expect(here().fullPath).toBe('/dashboard')
  })

  it('leads to the default page where the page for unknown addresses is in a layout', async () => {
    const component = { render: () => null }
    router.removeRoute('not-found')
    router.removeRoute('unavailable')
    const children = [{ path: '/:pathMatch(.*)*', component }]
    router.addRoute({ path: '/', component, children })
    await signIn()
    await router.push('/login?redirect=/no/such/page')
    expect(here().fullPath).toBe('/dashboard')
  })

  it.each([
    ['/files/a\udc00b', '/files/a\ufffdb'],
    ['/?q=\ud800', '/?q=\ufffd'],
    ['/documents/x#\udfff', '/documents/x#\ufffd'],
    ['/\ud800', '/dashboard'],
  ])('a lone surrogate is replaced: %j', async (redirect, page) => {
    await router.push({ path: '/login', query: { redirect } })
    await signIn()
    expect(decodeURI(here().fullPath)).toBe(page)
  })

  it('given twice, the default page', async () => {
    await router.push('/login?redirect=/admin&redirect=/')
    await signIn()
    expect(here().fullPath).toBe('/dashboard')
  })
})

describe('the end of a session', () => {
  it('leaves nothing to go back to', async () => {
    await router.push('/')
    await signIn()
    await router.push('/dashboard')
    await router.push('/admin')
    void auth.logout()
    await elapse()
    router.back()
    await elapse()
    expect(here().path).toBe('/login')
    expect(here().query).toEqual({ redirect: '/dashboard' })
    router.back()
    await elapse()
    expect(here().path).toBe('/')
  })

  it('leaves the way back open where a step back leads on', async () => {
    await router.push('/')
    await router.push('/login?redirect=/dashboard?tab=2')
    await router.push('/')
    await signIn()
    router.back()
    await elapse()
    expect(here().fullPath).toBe('/dashboard?tab=2')
    router.back()
    await elapse()
    expect(here().fullPath).toBe('/')
  })

  it('while a navigation is under way does not let it arrive', async () => {
    await signIn()
    await router.push('/')
    router.beforeEach(async (to) => {
      if (to.path === '/dashboard') await new Promise((resolve) => setTimeout(resolve, 50))
    })
    void router.push('/dashboard')
    await elapse(10)
    await expire()
    await elapse(100)
    expect(visited).not.toContain('/dashboard')
    expect(here().path).toBe('/login')
  })

  it('while the code of a page is on its way does not let anybody arrive', async () => {
    let arrive!: (page: Component) => void
    loadSecret.mockReturnValueOnce(new Promise((resolve) => (arrive = resolve)))
    await signIn()
    void router.push('/secret')
    await elapse()
    void auth.logout()
    arrive({ render: () => null })
    await elapse()
    expect(visited).not.toContain('/secret')
    expect(here().fullPath).toBe('/login?redirect=/secret')
  })

  it('R8: while the code of the first page is on its way leads back to that page', async () => {
    let arrive!: (page: Component) => void
    loadSecret.mockReturnValueOnce(new Promise((resolve) => (arrive = resolve)))
    await signIn()
    void router.push('/secret')
    await elapse()
    await expire()
    arrive({ render: () => null })
    await elapse()
    expect(here().fullPath).toBe('/login?redirect=/secret')
  })

  describe('while a guard behind this one holds a navigation', () => {
    let letIn: () => void

    beforeEach(() => {
      router.beforeResolve((to) => {
        if (isProtected(to)) return new Promise((resolve) => (letIn = () => resolve()))
      })
    })

    async function arrive() {
      await elapse()
      letIn()
      await elapse()
    }

    it('by signing out lets nobody stay', async () => {
      await signIn()
      void router.push('/dashboard')
      await elapse()
      void auth.logout()
      await arrive()
      expect(here().fullPath).toBe('/login')
    })

    it('by signing out leaves those alone who have gone elsewhere', async () => {
      await signIn()
      await router.push('/')
      void router.push('/dashboard')
      await elapse()
      void auth.logout()
      await router.push('/forbidden')
      await arrive()
      expect(visited).toEqual(['/', '/forbidden'])
    })

    it('R8: by expiry lets nobody stay', async () => {
      await router.push('/login')
      await signIn()
      await expire()
      await arrive()
      expect(here().fullPath).toBe('/login?redirect=/dashboard')
    })

    it('by another who takes over lets nobody stay', async () => {
      await signIn(ada)
      void router.push('/admin')
      await elapse()
      await signIn(bob)
      await arrive()
      expect(here().fullPath).toBe('/forbidden')
    })
  })
})

describe('while the session is being restored', () => {
  it('a protected page waits, and is entered without a detour', async () => {
    await reload()
    const arrived = outcome(router.push('/dashboard'))
    await elapse(100)
    expect(arrived.state).toBe('pending')
    expect(backend.count('refresh')).toBe(1)
    backend.latest('refresh').grant()
    await elapse()
    expect(visited).toEqual(['/dashboard'])
  })

  it('its chunk is loaded meanwhile', async () => {
    await reload()
    void router.push('/secret')
    await elapse()
    expect(loadSecret).toHaveBeenCalledOnce()
    expect(visited).toEqual([])
  })

  it('is entered though it is a function, which is no chunk to load', async () => {
    await reload()
    const component = Object.assign(({ id }: { id: string }) => id.trim(), { props: ['id'] })
    const meta = { requiresAuth: true }
    router.addRoute({ path: '/item/:id', component, props: true, meta })
    void router.push('/item/1').catch(() => {})
    await elapse()
    backend.latest('refresh').grant()
    await elapse()
    expect(here().path).toBe('/item/1')
  })

  it('its own guard runs when it is known who is signed in, and for nobody else', async () => {
    await reload()
    const seen: unknown[] = []
    const beforeEnter = () => void seen.push(auth.user)
    router.addRoute({ path: '/own', component: {}, meta: { requiresAuth: true }, beforeEnter })
    void router.push('/own')
    await elapse()
    backend.latest('refresh').grant()
    await elapse()
    expect(seen).toEqual([ada])

    await reload()
    router.addRoute({ path: '/own', component: {}, meta: { requiresAuth: true }, beforeEnter })
    void router.push('/own')
    await elapse()
    backend.latest('refresh').fail(httpError(401))
    await elapse()
    expect(here().fullPath).toBe('/login?redirect=/own')
    expect(seen).toEqual([ada])
  })

  it('a public page does not wait', async () => {
    await reload()
    await router.push('/')
    expect(visited).toEqual(['/'])
    expect(auth.status).toBe('restoring')
  })

  it('the sign-in page waits, and sends a signed-in person on', async () => {
    await reload()
    void router.push('/login')
    await elapse(100)
    expect(visited).toEqual([])
    backend.latest('refresh').grant()
    await elapse()
    expect(visited).toEqual(['/dashboard'])
  })

  it('a tab that takes up another session stays where it is until that is known', async () => {
    await signIn()
    await router.push('/dashboard')
    browser.storage.set('silent-refresh.session', 'of another tab')
    const refreshed = outcome(auth.refresh())
    await elapse()
    expect(auth.status).toBe('restoring')
    expect(visited).toEqual(['/dashboard'])
    backend.latest('refresh').grant(grantFor(bob))
    await elapse()
    expect(visited).toEqual(['/dashboard'])
    expect(refreshed.reason).toMatchObject({ reason: 'replaced' })
  })

  it('R8: a tab that takes up another session, which is refused, is led to the sign-in', async () => {
    await signIn()
    await router.push('/dashboard')
    browser.storage.set('silent-refresh.session', 'of another tab')
    void auth.refresh().catch(() => {})
    await elapse()
    expect(auth.status).toBe('restoring')
    backend.latest('refresh').fail(httpError(401))
    await elapse()
    expect(here().fullPath).toBe('/login?redirect=/dashboard')
  })

  it('R7: a tab that takes up another session without a network stays where it is', async () => {
    await signIn()
    await router.push('/dashboard')
    browser.storage.set('silent-refresh.session', 'of another tab')
    const refreshed = outcome(auth.refresh())
    await elapse()
    backend.latest('refresh').fail(new TypeError('Failed to fetch'))
    await elapse()
    expect(refreshed.state).toBe('rejected')
    expect(auth.status).toBe('restoring')
    expect(visited).toEqual(['/dashboard'])
  })

  it('a session that has ended leads to the sign-in, and back', async () => {
    await reload()
    void router.push('/dashboard?tab=2')
    await elapse(100)
    backend.latest('refresh').fail(httpError(401))
    await elapse()
    expect(here().path).toBe('/login')
    expect(here().query).toEqual({ redirect: '/dashboard?tab=2' })
    expect(auth.endReason).toBe('expired')
  })

  it('a person who leaves for another page gets that page', async () => {
    await reload()
    void router.push('/dashboard')
    await elapse(100)
    await router.push('/')
    backend.latest('refresh').grant()
    await elapse()
    expect(visited).toEqual(['/'])
  })

  it('R7: without a network the page is kept for later, and comes by itself', async () => {
    await reload()
    void router.push('/dashboard?tab=2#top')
    await elapse(100)
    backend.latest('refresh').fail(new TypeError('Failed to fetch'))
    await elapse()
    expect(here().name).toBe('unavailable')
    expect(here().fullPath).toBe('/dashboard?tab=2#top')

    await elapse(1_000)
    void auth.restore()
    await elapse(100)
    backend.latest('refresh').grant()
    await elapse()
    expect(here().fullPath).toBe('/dashboard?tab=2#top')
    expect(here().name).toBeUndefined()
  })

  it.each(['a%20b', 'Gr%C3%BC%C3%9Fe', '50%25', 'a%2Fb'])(
    'R7: the address %s is kept as it is, and so is what it says',
    async (name) => {
      await reload()
      void router.push(`/files/${name}?q=a%20b`)
      await elapse(100)
      backend.latest('refresh').fail(new TypeError('Failed to fetch'))
      await elapse()
      expect(here().name).toBe('unavailable')
      expect(here().path).toBe(`/files/${name}`)

      await elapse(1_000)
      void auth.restore()
      await elapse(100)
      backend.latest('refresh').grant()
      await elapse()
      expect(here().params).toEqual({ name: decodeURIComponent(name) })
      expect(here().query).toEqual({ q: 'a b' })
    },
  )

  it.each(['/files/50%', '/files/\ud800', '/files/a#\ud800'])(
    'R7: the address %j, which cannot be decoded or encoded, does no harm',
    async (address) => {
      vi.spyOn(console, 'warn').mockReturnValue() // The router reports it.
      await reload()
      void router.push(address)
      await elapse(100)
      backend.latest('refresh').fail(new TypeError('Failed to fetch'))
      await elapse()
      expect(here().name).toBe('unavailable')
    },
  )

  it('R7: where no page stands in, the failure is that of the navigation', async () => {
    await reload()
    router.removeRoute('unavailable')
    router.onError(() => {})
    const arrived = outcome(router.push('/dashboard'))
    await elapse(100)
    const failure = new TypeError('Failed to fetch')
    backend.latest('refresh').fail(failure)
    await elapse()
    expect(arrived.reason).toBe(failure)
    expect(auth.status).toBe('restoring')
  })

  it('R7: without a network a step back leads on, and not to the same page again', async () => {
    await reload()
    await router.push('/')
    void router.push('/dashboard')
    await elapse(100)
    backend.latest('refresh').fail(new TypeError('Failed to fetch'))
    await elapse()
    await router.push('/forbidden')
    router.back()
    await elapse()
    backend.latest('refresh').fail(new TypeError('Failed to fetch'))
    await elapse()
    expect(here().name).toBe('unavailable')
    router.back()
    await elapse()
    expect(here().path).toBe('/')
  })

  it('without a network, signing out leaves no way back', async () => {
    await reload()
    void router.push('/dashboard')
    await elapse(100)
    backend.latest('refresh').fail(new TypeError('Failed to fetch'))
    await elapse()
    void auth.logout()
    await elapse()
    expect(here().fullPath).toBe('/login')
  })

  it('R7: without a network a person may still sign in', async () => {
    await reload()
    void router.push('/login')
    await elapse(100)
    backend.latest('refresh').fail(new TypeError('Failed to fetch'))
    await elapse()
    expect(visited).toEqual(['/login'])
    expect(here().name).toBeUndefined()
    expect(backend.count('refresh')).toBe(1)
  })
})

describe('prepare', () => {
  /** Each call, and what answers it. */
  let calls: { user: User; signal: AbortSignal; done: () => void; fail: (error: unknown) => void }[]
  const prepare: Prepare = (user, { signal }) =>
    new Promise<void>((resolve, reject) => {
      calls.push({ user, signal, done: resolve, fail: reject })
    })
  /** As a menu of the API would: a page that only this role has. */
  const addReports = () =>
    router.addRoute({
      path: '/reports/:id',
      component: { render: () => null },
      meta: { requiresAuth: true },
    })
  const namesOf = () => calls.map(({ user }) => Object(user).name)

  beforeEach(() => {
    calls = []
    removeGuard()
    startApp(prepare)
  })

  async function finish(index = calls.length - 1) {
    calls[index]!.done()
    await elapse()
  }

  it('is awaited after a restore, before the page is entered', async () => {
    await reload(prepare)
    calls = []
    void router.push('/dashboard')
    await elapse()
    backend.latest('refresh').grant()
    await elapse()
    expect(namesOf()).toEqual(['Ada'])
    expect(visited).toEqual([])
    await finish()
    expect(visited).toEqual(['/dashboard'])
  })

  it('a page that it adds: a visitor signs in, and comes to that page', async () => {
    await router.push('/reports/1?tab=2#top')
    expect(here().path).toBe('/login')
    expect(here().query).toEqual({ redirect: '/reports/1?tab=2#top' })
    await signIn()
    addReports()
    await finish()
    expect(here().fullPath).toBe('/reports/1?tab=2#top')
    expect(here().params).toEqual({ id: '1' })
  })

  it('a page that it adds is opened by its address after a reload', async () => {
    await reload(prepare)
    void router.push('/reports/1')
    await elapse()
    backend.latest('refresh').grant()
    await elapse()
    addReports()
    await finish()
    expect(visited).toEqual(['/reports/1'])
    expect(here().params).toEqual({ id: '1' })
  })

  it('an address that is still unknown: not found, after the sign-in the default page', async () => {
    await router.push('/no/such/page')
    await signIn()
    await finish()
    expect(here().fullPath).toBe('/dashboard')
    await router.push('/no/such/page')
    expect(here().name).toBe('not-found')
  })

  it('without a page for unknown addresses they lead to the sign-in too', async () => {
    vi.spyOn(console, 'warn').mockReturnValue() // The router reports it.
    router.removeRoute('not-found')
    router.removeRoute('unavailable')
    await router.push('/reports/1')
    expect(here().path).toBe('/login')
  })

  it('a page that is open to everyone does not wait', async () => {
    await router.push('/')
    await signIn()
    await router.push('/forbidden')
    expect(visited).toEqual(['/', '/forbidden'])
    expect(namesOf()).toEqual(['Ada'])
  })

  it('runs once for a person, however many pages they enter', async () => {
    await signIn()
    void router.push('/dashboard')
    await elapse()
    void router.push('/files/a')
    await elapse()
    await finish()
    await router.push('/secret')
    void auth.refresh()
    await elapse()
    backend.latest('refresh').grant(grantFor({ ...ada, name: 'Ada L.' }))
    await elapse()
    await router.push('/dashboard')
    expect(visited).toEqual(['/files/a', '/secret', '/dashboard'])
    expect(namesOf()).toEqual(['Ada'])
  })

  it('runs again for a person who signs in again', async () => {
    await router.push('/login')
    await signIn()
    await finish()
    void auth.logout()
    await elapse()
    backend.latest('logout').done()
    await signIn()
    expect(namesOf()).toEqual(['Ada', 'Ada'])
    expect(here().path).toBe('/login')
    await finish()
    expect(here().path).toBe('/dashboard')
  })

  it('runs again when the roles change', async () => {
    await router.push('/login')
    await signIn(bob)
    await finish()
    void auth.refresh()
    await elapse()
    backend.latest('refresh').grant(grantFor({ ...bob, roles: ['user', 'admin'] }))
    await elapse()
    expect(namesOf()).toEqual(['Bob', 'Bob'])
    void router.push('/admin')
    await elapse()
    expect(here().path).toBe('/dashboard')
    await finish()
    expect(here().path).toBe('/admin')
  })

  it('a role that is lost takes the page away without waiting for it', async () => {
    await router.push('/login?redirect=/admin')
    await signIn(ada)
    await finish()
    expect(here().path).toBe('/admin')
    await signIn(bob)
    expect(here().path).toBe('/forbidden')
  })

  it('shows the stand-in at the address of the page if it rejects, and is tried again', async () => {
    await router.push('/reports/1')
    await signIn()
    calls[0]!.fail(new TypeError('Failed to fetch'))
    await elapse()
    expect(here().name).toBe('unavailable')
    expect(here().fullPath).toBe('/reports/1')
    expect(calls).toHaveLength(1)

    void router.push('/dashboard')
    await elapse()
    expect(namesOf()).toEqual(['Ada', 'Ada'])
    await finish()
    expect(here().path).toBe('/dashboard')
  })

  it('what it throws at once is a failure as well', async () => {
    removeGuard()
    startApp(() => {
      throw new TypeError('menus is undefined')
    })
    await router.push('/dashboard')
    await signIn()
    expect(here().name).toBe('unavailable')
  })

  it('without a stand-in, its failure is that of the navigation', async () => {
    router.removeRoute('unavailable')
    router.onError(() => {})
    await signIn()
    const arrived = outcome(router.push('/dashboard'))
    await elapse()
    const failure = new Error('No menus')
    calls[0]!.fail(failure)
    await elapse()
    expect(arrived.reason).toBe(failure)
  })

  it('R17: signing out while it runs leads to the sign-in', async () => {
    await router.push('/')
    await signIn()
    void router.push('/dashboard')
    await elapse()
    void auth.logout()
    await elapse()
    expect(calls[0]!.signal.aborted).toBe(true)
    expect(here().path).toBe('/login')
  })

  it('R17: signing out after it failed leads to the sign-in, and not back', async () => {
    await router.push('/reports/1')
    await signIn()
    calls[0]!.fail(new TypeError('Failed to fetch'))
    await elapse()
    void auth.logout()
    await elapse()
    expect(here().fullPath).toBe('/login')
  })

  it('R8: a session that ends while it runs leads to the sign-in, and back', async () => {
    await router.push('/')
    await signIn()
    void router.push('/files/a')
    await elapse()
    void auth.refresh().catch(() => {})
    await elapse()
    backend.latest('refresh').fail(httpError(401))
    calls[0]!.fail(new Error('The session has ended'))
    await elapse()
    expect(here().name).not.toBe('unavailable')
    await signIn()
    await finish()
    expect(here().fullPath).toBe('/files/a')
  })

  it('R6: another person who signs in while it runs is prepared for themselves', async () => {
    await router.push('/')
    await signIn(ada)
    void router.push('/files/a')
    await elapse()
    await signIn(bob)
    expect(namesOf()).toEqual(['Ada', 'Bob'])
    expect(calls.map(({ signal }) => signal.aborted)).toEqual([true, false])
    await finish(0)
    expect(here().path).toBe('/')
    await finish(1)
    expect(here().path).toBe('/files/a')
  })

  it('R6: another person is prepared for before the guards of the page run', async () => {
    const enters = vi.fn<() => void>()
    router.addRoute({
      path: '/late',
      component: { render: () => null },
      meta: { requiresAuth: true },
      beforeEnter: enters,
    })
    await router.push('/')
    await signIn(ada)
    void router.push('/late')
    await elapse()
    await signIn(bob)
    expect(enters).not.toHaveBeenCalled()
    await finish(1)
    expect(enters).toHaveBeenCalledOnce()
  })

  it('another person on a page of the last one is prepared before they enter another', async () => {
    await router.push('/login?redirect=/files/a')
    await signIn(ada)
    await finish()
    await signIn(bob)
    expect(namesOf()).toEqual(['Ada', 'Bob'])
    void router.push('/dashboard')
    await elapse()
    expect(here().path).toBe('/files/a')
    await finish()
    expect(here().path).toBe('/dashboard')
  })

  it('R7: nothing is prepared while it cannot be known who is there', async () => {
    await reload(prepare)
    calls = []
    void router.push('/reports/1')
    await elapse()
    backend.latest('refresh').fail(new TypeError('Failed to fetch'))
    await elapse()
    expect(here().name).toBe('unavailable')
    expect(calls).toEqual([])

    void auth.restore()
    await elapse()
    backend.latest('refresh').grant()
    await elapse()
    addReports()
    await finish()
    expect(here().fullPath).toBe('/reports/1')
    expect(here().name).toBeUndefined()
  })
})

it('an address is never matched by the page that stands in for others', async () => {
  await router.push('/no/such/page')
  expect(here().name).toBe('not-found')
})

it('R19: a guard of a page does not keep it open after the session, whatever the shell does', async () => {
  const stay = vi.fn<() => boolean>().mockReturnValue(false)
  const component = {
    setup() {
      onBeforeRouteLeave(stay)
      return () => h('h1', 'Mine')
    },
  }
  router.addRoute({ path: '/mine', component, meta: { requiresAuth: true } })
  const app = createApp({ render: () => h(RouterView) }).use(router)
  app.mount(document.createElement('div'))
  await signIn()
  await router.push('/mine')
  await router.push('/')
  expect(here().path).toBe('/mine')
  expect(stay).toHaveBeenCalledOnce()

  await expire()
  expect(stay).toHaveBeenCalledOnce()
  expect(here().fullPath).toBe('/login?redirect=/mine')
  app.unmount()
})

const component = { render: () => null }

/** A store of which nobody is known yet, whose restore finds `found`. */
function storeOf(found: User | null) {
  const auth = reactive({
    status: 'restoring' as GuardedAuth['status'],
    user: null as User | null,
    isAuthenticated: false,
    endReason: null as GuardedAuth['endReason'],
    hasRole: (role: string) => !!auth.user?.roles.includes(role),
    async restore() {
      if (found) auth.enter(found)
      else auth.status = 'anonymous'
    },
    enter(user: User) {
      Object.assign(auth, { status: 'authenticated', user, isAuthenticated: true })
    },
    leave() {
      const endReason = 'signed-out'
      Object.assign(auth, { status: 'anonymous', user: null, isAuthenticated: false, endReason })
    },
  })
  return auth
}

async function open(
  address: string,
  routes: RouteRecordRaw[],
  found: User | null,
  options: (router: Router) => Partial<AuthGuardOptions>,
) {
  const auth = storeOf(found)
  const router = createRouter({ history: createMemoryHistory(), routes })
  installAuthGuard(router, { auth, ...options(router) })
  await router.push(address)
  const here = () => router.currentRoute.value.fullPath
  const page = () => router.currentRoute.value.matched.at(-1)?.path
  return { auth, router, here, page }
}

const LOGIN = { path: '/login', component, meta: { guestOnly: true } }
const NOT_FOUND = { path: '/404', component }

const LANGUAGES: RouteRecordRaw[] = [
  { path: '/:lang/login', component, meta: { guestOnly: true } },
  { path: '/:lang/desk', component, meta: { requiresAuth: true } },
  { path: '/:lang/admin', component, meta: { roles: ['admin'] } },
  { path: '/:lang/closed', component },
]

const inLanguage = (): Partial<AuthGuardOptions> => ({
  login: ({ params }) => `/${String(params.lang)}/login`,
  home: ({ params }) => `/${String(params.lang)}/desk`,
  forbidden: ({ params }) => `/${String(params.lang)}/closed`,
})

it.each<[string, RouteRecordRaw]>([
  ['/:pathMatch(.*)*', { path: '/:pathMatch(.*)*', component }],
  ['/:catchAll(.*)*', { path: '/:catchAll(.*)*', component }],
  ['/:rest(.*)', { path: '/:rest(.*)', component }],
  ['/:rest(.+)', { path: '/:rest(.+)', component }],
  ['in a layout', { path: '/', component, children: [{ path: ':all(.*)*', component }] }],
  ['with a redirect', { path: '/:all(.*)*', redirect: '/404' }],
  ['with a redirect by function', { path: '/:all(.*)*', redirect: () => ({ path: '/404' }) }],
])('a catch-all %s gives way to a page that prepare adds, also after a reload', async (_, all) => {
  const { here, page } = await open('/menu/1?x=1', [LOGIN, NOT_FOUND, all], ada, (router) => ({
    prepare: () => void router.addRoute({ path: '/menu/:id', component }),
  }))
  expect([here(), page()]).toEqual(['/menu/1?x=1', '/menu/:id'])
})

it('a catch-all with a redirect: a visitor is asked to sign in, and comes back to the page', async () => {
  const routes = [LOGIN, NOT_FOUND, { path: '/:all(.*)*', redirect: '/404' }]
  const { auth, here } = await open('/menu/1', routes, null, (router) => ({
    prepare: () => void router.addRoute({ path: '/menu/:id', component }),
  }))
  expect(here()).toBe('/login?redirect=/menu/1')

  auth.enter(ada)
  await elapse()
  expect(here()).toBe('/menu/1')
})

it('a catch-all with a redirect: what prepare does not add is not found', async () => {
  const routes = [LOGIN, NOT_FOUND, { path: '/:all(.*)*', redirect: '/404' }]
  const { here } = await open('/nowhere', routes, ada, () => ({ prepare: () => {} }))
  expect(here()).toBe('/404')
})

it('sees no catch-all in a route with a fixed part', async () => {
  const prepare = vi.fn<() => void>()
  await open('/documents/a/b', [LOGIN, { path: '/documents/:rest(.*)*', component }], ada, () => ({
    prepare,
  }))
  expect(prepare).not.toHaveBeenCalled()
})

it('login, home and forbidden may be functions of the page that is asked for', async () => {
  const { auth, here, router } = await open('/fr/desk?x=1', LANGUAGES, null, inLanguage)
  expect(here()).toBe('/fr/login?redirect=/fr/desk?x=1')

  auth.enter(bob)
  await elapse()
  expect(here()).toBe('/fr/desk?x=1')
  await router.push('/de/login')
  expect(here()).toBe('/de/desk')
  await router.push('/de/admin')
  expect(here()).toBe('/de/closed')
  await router.push('/de/desk')
  auth.leave()
  await elapse()
  expect(here()).toBe('/de/login')
})

it('home may be the first page of a menu that prepare loads', async () => {
  let first = '/nowhere'
  const routes = [LOGIN, { path: '/:all(.*)*', component }]
  const { auth, here } = await open('/login', routes, null, (router) => ({
    home: () => first,
    prepare() {
      first = '/menu'
      router.addRoute({ path: '/menu', component, meta: { requiresAuth: true } })
    },
  }))
  auth.enter(ada)
  await elapse()
  expect(here()).toBe('/menu')
})

it('a sign-in page by function that asks for a sign-in is open all the same', async () => {
  const routes: RouteRecordRaw[] = [
    {
      path: '/:lang',
      meta: { requiresAuth: true },
      children: [
        { path: 'login', component },
        { path: 'desk', component },
      ],
    },
  ]
  const { here } = await open('/fr/desk', routes, null, inLanguage)
  expect(here()).toBe('/fr/login?redirect=/fr/desk')
})

describe('an app that is closed but for a few pages', () => {
  /** As docs/existing-app.md says. */
  const closed = (routes: RouteRecordRaw[]) =>
    routes.map((route) => ({ ...route, meta: { requiresAuth: true, ...route.meta } }))

  async function openClosed(path: string) {
    const problems = vi.spyOn(console, 'error').mockReturnValue()
    const ownRouter = createRouter({
      history: createMemoryHistory(),
      routes: closed([
        {
          path: '/',
          component,
          children: [{ path: 'help', component, meta: { requiresAuth: false } }],
        },
        { path: '/dashboard', component },
        { path: '/about', component, meta: { requiresAuth: false } },
        { path: '/login', component, meta: { guestOnly: true, requiresAuth: false } },
        { path: '/forbidden', component },
        { path: '/:pathMatch(.*)*', name: 'not-found', component },
        { path: '/:pathMatch(.*)*', name: 'unavailable', component },
      ] as RouteRecordRaw[]),
    })
    onTestFinished(installAuthGuard(ownRouter, { auth }))
    const opened = outcome(ownRouter.push(path))
    await elapse()
    const at = () => ownRouter.currentRoute.value
    return { at, opened, problems, router: ownRouter }
  }

  it.each(['/', '/dashboard', '/forbidden'])('%s asks a visitor to sign in', async (path) => {
    const { at } = await openClosed(path)
    expect(at().fullPath).toBe(`/login?redirect=${path}`)
    await signIn()
    expect(at().fullPath).toBe(path)
  })

  it.each(['/about', '/help'])('%s is open, because it says so', async (path) => {
    const { at, problems } = await openClosed(path)
    expect(at().fullPath).toBe(path)
    expect(problems).not.toHaveBeenCalled()
  })

  it('R7: without a network the stand-in is shown, though its route says nothing', async () => {
    await reload()
    const { at } = await openClosed('/dashboard')
    backend.latest('refresh').fail(httpError(503))
    await elapse()
    expect([at().name, at().fullPath]).toEqual(['unavailable', '/dashboard'])
  })
})
