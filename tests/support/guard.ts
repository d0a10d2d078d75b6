/** An app with guarded routes, in front of an API whose answers the test gives. */
import { createPinia, defineStore, setActivePinia } from 'pinia'
import { afterEach, beforeEach, vi } from 'vitest'
import { createMemoryHistory, createRouter, stringifyQuery } from 'vue-router'
import type { Component } from 'vue'
import type { Router } from 'vue-router'
import type { AuthGuardOptions } from '@/auth/index.ts'
import { createAuth, installAuthGuard } from '@/auth/index.ts'
import { ada, createManualBackend, grantFor, httpError } from './backend.ts'
import type { ManualBackend } from './backend.ts'
import { FakeBrowser } from './browser.ts'
import { elapse, useFakeClock } from './time.ts'

export type Prepare = NonNullable<AuthGuardOptions['prepare']>

export let backend: ManualBackend
export let browser: FakeBrowser
export let auth: ReturnType<typeof openTab>
export let router: Router
export let visited: string[]
export let removeGuard: () => void
export const loadSecret = vi.fn<() => Promise<Component>>(async () => ({ render: () => null }))

/** Use a fresh app, API and browser in every test of this file, and a fake clock. */
export function useGuardedApp(): void {
  useFakeClock()
  beforeEach(() => {
    backend = createManualBackend()
    browser = new FakeBrowser()
    loadSecret.mockClear()
    startApp()
  })
  afterEach(() => removeGuard())
}

/** The store as Pinia makes it, of a tab of its own. */
function openTab() {
  setActivePinia(createPinia())
  return defineStore('auth', () => createAuth({ backend, tabs: browser.openTab() }))()
}

export function startApp(prepare?: Prepare) {
  auth = openTab()
  const component = { render: () => null }
  const catchAll = '/:pathMatch(.*)*'
  router = createRouter({
    history: createMemoryHistory(),
    // The router's own throws at a lone surrogate, before any guard runs.
    stringifyQuery: (query) => stringifyQuery(JSON.parse(JSON.stringify(query), wellFormed)),
    routes: [
      { path: '/', component },
      { path: '/login', component, meta: { guestOnly: true } },
      { path: '/dashboard', component, meta: { requiresAuth: true } },
      { path: '/admin', component, meta: { requiresAuth: true, roles: ['admin'] } },
      { path: '/staff', component, meta: { roles: ['admin', 'owner'] } },
      { path: '/files/:name', component, meta: { requiresAuth: true } },
      { path: '/secret', component: loadSecret, meta: { requiresAuth: true } },
      { path: '/documents/:pathMatch(.*)*', component, meta: { requiresAuth: true } },
      { path: '/forbidden', component },
      { path: catchAll, name: 'not-found', component },
      { path: catchAll, name: 'unavailable', component },
    ],
  })
  removeGuard = installAuthGuard(router, { auth, prepare })
  visited = []
  router.afterEach((to, _from, failure) => void (failure || visited.push(to.fullPath)))
}

export async function signIn(user = ada) {
  const signedIn = auth.login({ username: user.username, password: 'secret' })
  await elapse()
  backend.latest('login').grant(grantFor(user))
  await signedIn
  await elapse()
}

/** As after a reload of a page of somebody who is signed in. */
export async function reload(prepare?: Prepare) {
  await signIn()
  removeGuard()
  startApp(prepare)
}

const wellFormed = (_: string, value: unknown) =>
  typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\ufffd') : value

export const here = () => router.currentRoute.value

/** The API refuses the refresh. */
export async function expire() {
  void auth.refresh().catch(() => {})
  await elapse()
  backend.latest('refresh').fail(httpError(401))
  await elapse()
}
