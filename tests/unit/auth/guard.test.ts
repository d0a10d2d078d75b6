// @vitest-environment happy-dom
/** Who may enter a page, and where the start and the end of a session lead. */
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { MockInstance } from 'vitest'
import type { RouteRecordRaw, Router } from 'vue-router'
import { installAuthGuard, maySee } from '@/auth/index.ts'
import type { AuthGuardOptions } from '@/auth/index.ts'
import { ada, bob, grantFor } from '../../support/backend.ts'
import {
  auth,
  backend,
  expire,
  here,
  loadSecret,
  removeGuard,
  router,
  signIn,
  startApp,
  useGuardedApp,
  visited,
} from '../../support/guard.ts'
import { elapse } from '../../support/time.ts'

useGuardedApp()

describe('who may enter', () => {
  it('a visitor: public pages at once, others after signing in', async () => {
    await router.push('/')
    expect(here().fullPath).toBe('/')
    await router.push('/dashboard?tab=2#top')
    expect(here().path).toBe('/login')
    expect(here().query).toEqual({ redirect: '/dashboard?tab=2#top' })

    await signIn()
    expect(visited).toEqual(['/', expect.stringMatching(/^\/login/), '/dashboard?tab=2#top'])
  })

  it('a visitor who is sent to sign in can go back to where they were', async () => {
    await router.push('/')
    await router.push('/dashboard')
    expect(here().path).toBe('/login')
    router.back()
    await elapse()
    expect(here().fullPath).toBe('/')
  })

  it('a visitor may ask for an address with a lone surrogate', async () => {
    await router.push('/files/\ud800?q=\udfff#\ud800')
    expect(here().path).toBe('/login')
    await signIn()
    expect(decodeURI(here().fullPath)).toBe('/files/\ufffd?q=\ufffd#\ufffd')
  })

  it('a signed-in person is sent on from the sign-in page', async () => {
    await signIn()
    await router.push('/login')
    expect(here().fullPath).toBe('/dashboard')
  })

  it('a role that is missing leads to /forbidden', async () => {
    await signIn(bob)
    await router.push('/admin')
    expect(here().fullPath).toBe('/forbidden')
    await signIn(ada)
    await router.push('/admin')
    expect(here().fullPath).toBe('/admin')
  })

  it('one of several roles will do', async () => {
    await signIn(ada)
    await router.push('/staff')
    expect(here().fullPath).toBe('/staff')
  })

  it('a page for roles needs no requiresAuth to be closed to visitors', async () => {
    await router.push('/staff')
    expect(here().fullPath).toBe('/login?redirect=/staff')
  })

  it('the code of a page is not loaded for those who may not see it', async () => {
    await router.push('/secret')
    expect(here().path).toBe('/login')
    expect(loadSecret).not.toHaveBeenCalled()
    await signIn()
    expect(here().path).toBe('/secret')
    expect(loadSecret).toHaveBeenCalledOnce()
  })

  it('a person who takes over loses the page that they may not see', async () => {
    await signIn(ada)
    await router.push('/admin')
    await signIn(bob)
    expect(here().fullPath).toBe('/forbidden')
  })

  it('a person who loses the role loses the page', async () => {
    await signIn(ada)
    await router.push('/admin')
    void auth.refresh()
    await elapse()
    backend.latest('refresh').grant(grantFor({ ...ada, roles: ['user'] }))
    await elapse()
    expect(here().fullPath).toBe('/forbidden')
  })
})

describe('?redirect=', () => {
  it.each(['https://elsewhere.example/', '//elsewhere.example/', '/\\elsewhere.example'])(
    '%s leads to the default page',
    async (redirect) => {
      await router.push({ path: '/login', query: { redirect } })
      await signIn()
      expect(here().fullPath).toBe('/dashboard')
    },
  )
})

describe('the end of a session', () => {
  it.each(['/dashboard?tab=2#top', '/'])(
    'R8: leads from %s to the sign-in once, and back',
    async (page) => {
      await signIn()
      await router.push(page)
      await expire()
      expect(visited).toHaveLength(2)
      expect(here().path).toBe('/login')
      expect(here().query).toEqual({ redirect: page })

      await signIn()
      expect(visited).toHaveLength(3)
      expect(here().fullPath).toBe(page)
    },
  )

  it('by signing out leads from a protected page to the sign-in, and leaves a public one', async () => {
    await signIn()
    await router.push('/dashboard')
    void auth.logout()
    await elapse()
    expect(here().fullPath).toBe('/login')
    backend.latest('logout').done()

    await signIn()
    await router.push('/')
    void auth.logout()
    await elapse()
    expect(here().fullPath).toBe('/')
  })
})

it('prepare is awaited after a sign-in, before the page is entered', async () => {
  removeGuard()
  let resolve = () => {}
  const promise = new Promise<void>((done) => (resolve = done))
  startApp(() => promise)
  await router.push('/dashboard')
  await signIn()
  expect(here().path).toBe('/login')
  resolve()
  await elapse()
  expect(here().fullPath).toBe('/dashboard')
})

it('a guard that was taken off guards nothing', async () => {
  removeGuard()
  await router.push('/dashboard')
  expect(here().path).toBe('/dashboard')
  await signIn()
  void auth.logout()
  await elapse()
  expect(here().path).toBe('/dashboard')
})

describe('The way to the sign-in page is open, and the console names the route', () => {
  const component = { render: () => null }
  const catchAll = '/:pathMatch(.*)*'
  let reported: MockInstance<typeof console.error>

  /** Visits a page of this app as a visitor. */
  async function visit(routes: RouteRecordRaw[], options: Partial<AuthGuardOptions> = {}) {
    removeGuard()
    reported = vi.spyOn(console, 'error').mockReturnValue()
    router = createRouter({ history: createMemoryHistory(), routes })
    router.onError(() => {})
    const stop = installAuthGuard(router, { auth, ...options })
    onTestFinished(stop)
    await router.push('/dashboard?tab=2')
    return router.currentRoute.value.fullPath
  }
  let router: Router
  const dashboard = { path: '/dashboard', component, meta: { requiresAuth: true } }
  const said = () => reported.mock.calls.map(([error]) => String(error))

  it('where a layout around it asks for a sign-in', async () => {
    const page = { path: 'login', component, meta: { guestOnly: true } }
    const layout = { path: '/', component, meta: { roles: ['user'] }, children: [page] }

    expect(await visit([layout, dashboard])).toBe('/login?redirect=/dashboard?tab=2')

    expect(maySee(router.currentRoute.value, auth)).toBe(true)
    expect(said()).toEqual([expect.stringMatching(/"\/login".*requiresAuth/)])
    await signIn()
    expect(router.currentRoute.value.fullPath).toBe('/dashboard?tab=2')
  })

  it('where `prepare` makes unknown addresses ask for it, and it is one', async () => {
    const routes = [dashboard, { path: catchAll, component }]

    expect(await visit(routes, { prepare: () => {} })).toBe('/login?redirect=/dashboard?tab=2')

    expect(said()).toEqual([expect.stringMatching(/no route "\/login"/)])
  })

  it('where a page for all addresses asks for it', async () => {
    const routes = [dashboard, { path: catchAll, component, meta: { requiresAuth: true } }]

    expect(await visit(routes)).toBe('/login?redirect=/dashboard?tab=2')

    expect(said()).toEqual([expect.stringMatching(/no route "\/login"/)])
    await router.push('/anywhere')
    expect(router.currentRoute.value.path).toBe('/login')
  })

  it('or the navigation says so, where it leads on to a page that asks for it', async () => {
    const page = { path: '/welcome', component, meta: { requiresAuth: true } }
    const routes = [dashboard, page, { path: '/login', redirect: '/welcome' }]

    await expect(visit(routes)).rejects.toThrow(/"\/login" leads to "\/welcome"/)
  })

  it('and nothing is said of one that is open', async () => {
    const layout = {
      path: '/',
      component,
      meta: { requiresAuth: true },
      children: [{ path: 'login', component, meta: { requiresAuth: false } }],
    }

    await visit([layout, dashboard])

    expect(said()).toEqual([])
  })
})
