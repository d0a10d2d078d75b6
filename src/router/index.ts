/** The router: titles, scrolling, and what happens when a page's code cannot be loaded. */
import { createRouter, createWebHistory, stringifyQuery } from 'vue-router'
import type { LocationQueryRaw } from 'vue-router'
import { setPageTitle } from '@/composables/usePageTitle.ts'
import { reloadForMissingChunks } from './missingChunk.ts'
import { routes } from './routes.ts'

const router = createRouter({
  history: createWebHistory(import.meta.env.BASE_URL),
  routes,
  stringifyQuery: (query = {}) => stringifyQuery(wellFormed(query)),
  scrollBehavior: (to, from, saved) => saved ?? (to.hash ? { el: to.hash } : { top: 0 }),
})

router.afterEach((to, from, failure) => {
  if (!failure) setPageTitle(to.meta.title)
})
reloadForMissingChunks(router)

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
