/** The router: titles, scrolling, and what happens when a page's code cannot be loaded. */
import { createRouter, createWebHistory } from 'vue-router'
import { atSameAddress } from '@/auth/index.ts'
import { routes } from './routes.ts'

const APP_NAME = 'Vue Silent Refresh'

/** Marks, in sessionStorage, the address that was loaded anew because its chunk was missing. */
const RELOADED = 'router.reloaded'

const router = createRouter({
  history: createWebHistory(import.meta.env.BASE_URL),
  routes,
  scrollBehavior: (to, from, saved) => saved ?? (to.hash ? { el: to.hash } : { top: 0 }),
})

router.afterEach((to, from, failure) => {
  if (failure) return
  document.title = to.meta.title ? `${to.meta.title} · ${APP_NAME}` : APP_NAME
  if (to.name !== 'unavailable') tabStorage()?.removeItem(RELOADED)
})

// After a new deployment the chunks that this page knows are gone: a load of the page brings the new
// ones, once. If they still do not come, or there is no network, the server is out of reach.
router.onError((error, to) => {
  if (!/dynamically imported module|importing a module|preload/i.test(String(error))) return
  const storage = tabStorage()
  if (!navigator.onLine || !storage || storage.getItem(RELOADED) === to.fullPath) {
    void router.replace(atSameAddress('unavailable', to))
  } else {
    storage.setItem(RELOADED, to.fullPath)
    window.location.assign(router.resolve(to.fullPath).href)
  }
})

/** Null where the browser denies it: what cannot be marked is not loaded anew, time and again. */
function tabStorage(): Storage | null {
  try {
    return window.sessionStorage
  } catch {
    return null
  }
}

export default router
