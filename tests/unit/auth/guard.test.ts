// @vitest-environment happy-dom
/** Who may enter a page, and where the start and the end of a session lead. */
import { describe, expect, it } from 'vitest'
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
