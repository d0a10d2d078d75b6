/** The router: titles, scrolling, and what happens when a page's code cannot be loaded. */
import { createRouter, createWebHistory, stringifyQuery } from 'vue-router'
import type { LocationQueryRaw } from 'vue-router'
import { atSameAddress } from '@/auth/index.ts'
import { setPageTitle } from '@/composables/usePageTitle.ts'
import { routes } from './routes.ts'

/** Key in sessionStorage: the address that was reloaded because its chunk was missing. */
const RELOADED = 'router.reloaded'

const router = createRouter({
  history: createWebHistory(import.meta.env.BASE_URL),
  routes,
  stringifyQuery: (query = {}) => stringifyQuery(wellFormed(query)),
  scrollBehavior: (to, from, saved) => saved ?? (to.hash ? { el: to.hash } : { top: 0 }),
})

router.afterEach((to, from, failure) => {
  if (failure) return
  setPageTitle(to.meta.title)
  if (to.name !== 'unavailable') tabStorage()?.removeItem(RELOADED)
})

// After a deployment, the chunks that this page knows are gone: reload once, to get the new ones. If
// they are still missing, or there is no network, the server cannot be reached.
router.onError((error, to) => {
  if (!/dynamically imported module|importing a module|preload/i.test(String(error))) return
  const storage = tabStorage()
  if (!navigator.onLine || !storage || storage.getItem(RELOADED) === to.fullPath) {
    void router.replace(atSameAddress('unavailable', to))
  } else {
    storage.setItem(RELOADED, to.fullPath)
    // With the origin: a path such as `//example.com` alone would lead to another one.
    window.location.assign(window.location.origin + router.resolve(to.fullPath).href)
  }
})

/** Null if the browser denies it. A page that cannot be marked must not be reloaded time and again. */
function tabStorage(): Storage | null {
  try {
    return window.sessionStorage
  } catch {
    return null
  }
}

/** Without lone surrogates, such as half an emoji typed into a search field: they cannot be encoded. */
function wellFormed(query: LocationQueryRaw): LocationQueryRaw {
  const clean = <T>(text: T) =>
    typeof text === 'string' ? text.replace(/\p{Surrogate}/gu, '\ufffd') : text
  const entries = Object.entries(query)
  return Object.fromEntries(
    entries.map(([key, value]) => [
      clean(key),
      Array.isArray(value) ? value.map(clean) : clean(value),
    ]),
  )
}

export default router
