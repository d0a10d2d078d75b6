/**
 * Screens as a person meets them: the app's own components, store, client and routes, in front of an
 * API whose answers the test gives. Whatever Vue or the app complains about fails the test.
 */
import { PiniaColada, useQueryCache } from '@pinia/colada'
import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils'
import { createPinia, disposePinia, setActivePinia } from 'pinia'
import type { Pinia } from 'pinia'
import type { Component, Plugin } from 'vue'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import { createMemoryHistory, createRouter, routeLocationKey, routerKey } from 'vue-router'
import type { RouteRecordRaw } from 'vue-router'
import App from '@/App.vue'
import { installAuthGuard } from '@/auth/index.ts'
import { useAuthStore } from '@/stores/auth.ts'
import type { User } from '@/api/user.ts'
import { coladaOptions } from '@/queries/index.ts'
import { routes } from '@/router/routes.ts'
import { resetOnSessionChange } from '@/stores/resetOnSessionChange.ts'
import { grantFor } from './backend.ts'

type Answer = unknown | (() => unknown)

export interface Sent {
  /** `GET /api/auth/me`, without the query. */
  what: string
  /** `page=2` */
  query: string
  body: unknown
  token: string | null
  signal: AbortSignal
  priority: RequestPriority | undefined
}

/**
 * The API: what it was asked, and what it answers. `GET /api/projects` is a request with any query,
 * `GET /api/projects?page=2` one with this query alone. A request without an answer fails the test.
 */
export interface FakeApi {
  sent: Sent[]
  count(what: string): number
  /** From now on. A function answers, now or later; anything else is the answer, as JSON. */
  on(what: string, answer: Answer): void
  /** From now on there is no connection. */
  offline(what: string): void
  /** From now on requests wait until the function that this returns answers the oldest of them. */
  hold(what: string): (answer: unknown) => Promise<void>
}

let pinia: Pinia
/** As main.ts uses them. */
let plugins: (Plugin | [Plugin, ...unknown[]])[]
let signInAs: (user: User) => Promise<void>

/** A new store, a new API and a silent console for every test of this file. */
export function useScreen(): FakeApi {
  const answers = new Map<string, Answer>()
  const sent: Sent[] = []
  const unanswered: string[] = []

  beforeEach(() => {
    answers.clear()
    sent.length = 0
    unanswered.length = 0
    localStorage.clear()
    sessionStorage.clear()
    document.body.replaceChildren()
    // Each test is a browser of its own.
    vi.stubGlobal('BroadcastChannel', undefined)
    vi.stubGlobal('fetch', fetch)
    vi.spyOn(console, 'warn')
    vi.spyOn(console, 'error')
    pinia = createPinia().use(resetOnSessionChange)
    plugins = [pinia, [PiniaColada, coladaOptions]]
    setActivePinia(pinia)
  })
  afterEach(() => {
    // Each entry has a timer, which would outlive the test.
    const cache = '_pc_query' in pinia.state.value ? useQueryCache(pinia) : null
    for (const entry of cache?.getEntries() ?? []) cache?.remove(entry)
    disposePinia(pinia)
    // Here, because the page may show the error as it shows any other.
    expect(unanswered, 'requests that the test has no answer for').toEqual([])
    expect(console.warn).not.toHaveBeenCalled()
    expect(console.error).not.toHaveBeenCalled()
  })
  enableAutoUnmount(afterEach) // The last one of these runs first.

  async function fetch(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
    const { method = 'GET', signal, priority } = init
    const { pathname, search } = new URL(String(input), location.href)
    const what = `${method} ${pathname}`
    const key = answers.has(what + search) ? what + search : what
    const body = typeof init.body === 'string' ? JSON.parse(init.body) : init.body
    const token = new Headers(init.headers).get('authorization')
    sent.push({ what, query: search.slice(1), body, token, signal: signal!, priority })
    if (!answers.has(key)) {
      unanswered.push(what + search)
      throw new Error(`The test has no answer to ${what}${search}`)
    }
    const answer = answers.get(key)
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason))
      Promise.resolve(typeof answer === 'function' ? answer() : answer)
        .then((value) => (value instanceof Response ? value : Response.json(value)))
        .then(resolve, reject)
    })
  }

  const api: FakeApi = {
    sent,
    count: (what) => sent.filter((request) => request.what === what).length,
    on: (what, answer) => void answers.set(what, answer),
    offline: (what) =>
      api.on(what, () => {
        throw new TypeError('Failed to fetch')
      }),
    hold(what) {
      const waiting: ((answer: unknown) => void)[] = []
      api.on(what, () => new Promise((resolve) => waiting.push(resolve)))
      return async (answer) => {
        const next = waiting.shift()
        if (!next) throw new Error(`Nobody waits for ${what}`)
        next(answer)
        await settled()
      }
    },
  }
  signInAs = async (user) => {
    api.on('POST /api/auth/login', grantFor(user))
    await useAuthStore().login({ username: user.username, password: 'password' })
  }
  return api
}

/** An error as the API answers it. */
export function problem(status: number, headers: Record<string, string> = {}): Response {
  return Response.json({ status, message: `Problem ${status}` }, { status, headers })
}

/** The answer to a form with something wrong in these fields. */
export function invalid(fields: Record<string, string>): Response {
  const data = { code: 'invalid_body', fields }
  return Response.json({ status: 400, message: 'Problem 400', data }, { status: 400 })
}

/** Signs in through the store, as if it had happened before the screen is seen. */
export async function signedInAs(user: User): Promise<void> {
  await signInAs(user)
}

/** One component on the page, with its props, and a router that goes nowhere by itself. */
export function show(component: Component, props: Record<string, unknown> = {}): void {
  const router = createRouter({ history: createMemoryHistory(), routes })
  const provide = {
    [routerKey as symbol]: router,
    [routeLocationKey as symbol]: router.currentRoute.value,
  }
  mount(component, { attachTo: document.body, props, global: { plugins, provide } })
}

interface AppOptions {
  /** `false`: nobody navigates when a session ends. */
  guarded?: boolean
  /** In place of the app's. */
  pages?: RouteRecordRaw[]
  /** Gets what components throw, which else fails the test. */
  errorHandler?: (error: unknown) => void
}

/** The whole app at an address. */
export async function openApp(
  path: string,
  { guarded = true, pages = routes, errorHandler }: AppOptions = {},
) {
  const history = createMemoryHistory()
  history.replace(path)
  const router = createRouter({ history, routes: pages })
  if (guarded) installAuthGuard(router, { auth: useAuthStore() })
  await codeOfAllPages()
  const config = errorHandler && { errorHandler }
  mount(App, { attachTo: document.body, global: { plugins: [...plugins, router], config } })
  await router.isReady()
  await settled()
  return router
}

/** Loaded beforehand: a navigation in a test must not wait for the disk. */
async function codeOfAllPages(): Promise<void> {
  const records = routes.flatMap((route) => [route, ...(route.children ?? [])])
  const pages = records.map(({ component }) => component)
  await Promise.all(pages.map((page) => typeof page === 'function' && (page as () => unknown)()))
}

/** Lets everything happen that is under way, except what the test holds back. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 10; round += 1) await flushPromises()
}

/** The one element of its kind, by the words that a person knows it by. */
export const screen = {
  heading: () => find('h1'),
  header: () => find('header'),
  main: () => find('main'),
  alert: (within?: Element) => find('[role="alert"]', undefined, within),
  status: (within?: Element) => find('[role="status"]', undefined, within),
  dialog: () => find('dialog'),
  button: (name: string, within?: Element) => find('button', name, within),
  link: (name: string, within?: Element) => find('a', name, within),
  links: (within?: Element) => all('a', within).map(words),
  navigation: () => find('nav'),
  field: (label: string) => {
    const { htmlFor } = find('label', label) as HTMLLabelElement
    return find(`[id="${htmlFor}"]`) as HTMLInputElement
  },
  /** What is wrong with a field, as assistive technology is told; empty if nothing is. */
  problemOf(label: string): string {
    const field = screen.field(label)
    const problemId = field.getAttribute('aria-describedby')
    if (field.getAttribute('aria-invalid') !== 'true' || !problemId) return ''
    return words(find(`[id="${problemId}"]`))
  },
  /** A region or form, by the heading that labels it. */
  region: (name: string) => {
    const labelled = all('[aria-labelledby]').filter(
      (element) => words(find(`[id="${element.getAttribute('aria-labelledby')}"]`)) === name,
    )
    return only(labelled, `region ${name}`)
  },
  has: (text: string, within: Element = document.body) => words(within).includes(text),
}

export async function type(label: string, text: string): Promise<void> {
  const field = screen.field(label)
  field.value = text
  field.dispatchEvent(new Event('input', { bubbles: true }))
  await settled()
}

/** Clicks, and lets happen what follows from it. */
export async function click(element: HTMLElement): Promise<void> {
  element.focus()
  element.click()
  await settled()
}

function find(selector: string, name?: string, within?: Element): HTMLElement {
  const found = all(selector, within).filter((element) => !name || words(element) === name)
  return only(found, name ? `${selector} “${name}”` : selector)
}

function all(selector: string, within: Element = document.body): HTMLElement[] {
  return [...within.querySelectorAll<HTMLElement>(selector)]
}

function only(found: HTMLElement[], what: string): HTMLElement {
  if (found.length !== 1 || !found[0]) throw new Error(`There are ${found.length} of: ${what}`)
  return found[0]
}

export function words(element: Element): string {
  return (element.textContent ?? '').replace(/\s+/g, ' ').trim()
}
