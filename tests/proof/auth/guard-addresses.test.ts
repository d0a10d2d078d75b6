/** Addresses as the app wants them: pages that are functions of the route, and any catch-all. */
import { expect, it, vi } from 'vitest'
import { reactive } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { RouteRecordRaw, Router } from 'vue-router'
import { installAuthGuard } from '@/auth/index.ts'
import type { AuthGuardOptions, GuardedAuth, User } from '@/auth/index.ts'
import { ada, bob } from '../../support/backend.ts'

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

/** Lets the navigations end that are under way. None of them waits for a clock. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

const LOGIN = { path: '/login', component, meta: { guestOnly: true } }
const NOT_FOUND = { path: '/404', component }

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
  await settled()
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

it('login, home and forbidden may be functions of the page that is asked for', async () => {
  const { auth, here, router } = await open('/fr/desk?x=1', LANGUAGES, null, inLanguage)
  expect(here()).toBe('/fr/login?redirect=/fr/desk?x=1')

  auth.enter(bob)
  await settled()
  expect(here()).toBe('/fr/desk?x=1')
  await router.push('/de/login')
  expect(here()).toBe('/de/desk')
  await router.push('/de/admin')
  expect(here()).toBe('/de/closed')
  await router.push('/de/desk')
  auth.leave()
  await settled()
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
  await settled()
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
