// @vitest-environment happy-dom
/** What a guard of a page may hold back: not the way out of a page that may no longer be seen. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import { onBeforeRouteLeave } from 'vue-router'
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

const InOptions = defineComponent({
  beforeRouteLeave: stay,
  render: () => h('h1', { tabindex: -1 }, 'Of a person'),
})

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
