// @vitest-environment happy-dom
/** The page in place of one that cannot be shown, because the API cannot say who is signed in. */
import { beforeEach, describe, expect, it } from 'vitest'
import { useAuthStore } from '@/stores/auth.ts'
import { click, openApp, problem, screen, settled, useScreen, words } from '../../support/screen.ts'

const api = useScreen()

describe('R17: the way out while the server is out of reach', () => {
  beforeEach(() => {
    localStorage.setItem('silent-refresh.session', 'kept')
    api.on('POST /api/auth/refresh', () => problem(503))
    api.on('POST /api/auth/logout', () => problem(503))
  })

  it('is a button of the page itself, which leads to the sign-in and back', async () => {
    const router = await openApp('/dashboard?tab=2')
    expect(words(screen.heading())).toBe('Cannot reach the server')

    await click(screen.button('Sign in again', screen.main()))

    expect(useAuthStore().status).toBe('anonymous')
    expect(api.count('POST /api/auth/logout')).toBe(1)
    expect(router.currentRoute.value.path).toBe('/login')
    expect(router.currentRoute.value.query).toEqual({ redirect: '/dashboard?tab=2' })
  })

  it('is not offered to somebody who is not signed in', async () => {
    localStorage.clear()
    const router = await openApp('/')
    await router.push({ name: 'unavailable', params: { pathMatch: ['forbidden'] } })
    await settled()
    expect(words(screen.main())).toMatch(/Try again$/)
  })
})
