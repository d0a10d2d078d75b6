/**
 * Drops a person's data when they leave: when they sign out, their session ends, or somebody else
 * signs in. All stores but `auth` are disposed of, and App.vue creates header and view again, because
 * they hold the old ones. Requests under way reject by themselves (R6).
 *
 * Code that outlives a person, such as a router guard, must call `useCartStore()` each time and not
 * keep the store in a constant. Data in web storage stay there: their key must name the person, as
 * docs/faq.md shows.
 */
import type { PiniaPlugin } from 'pinia'
import { nextTick, watch } from 'vue'
import { useAuthStore } from '@/stores/auth.ts'

/**
 * A Pinia plugin. The next use of a store runs its setup again, for the next person (R18). To reset the
 * state instead would need a copy of what it was at first, which may hold the person's data already: a
 * store may be seeded from the user or from storage.
 *
 * @see https://pinia.vuejs.org/core-concepts/plugins.html
 */
export const resetOnSessionChange: PiniaPlugin = ({ store, pinia }) => {
  // The caches of Pinia Colada are emptied by src/queries/sessionQueries.ts.
  if (store.$id === useAuthStore(pinia).$id || store.$id.startsWith('_pc_')) return
  onPersonLeave(() => {
    store.$dispose()
    delete pinia.state.value[store.$id]
    if (!import.meta.env.DEV) return
    const warn = (action: string) =>
      console.warn(`${action}() of a store whose person has left. Call its use function again.`)
    void nextTick(() => store.$onAction(({ name }) => warn(`${store.$id}.${name}`)))
  })
}

/** Calls back as soon as nobody or somebody else is signed in, before anything renders. */
export function onPersonLeave(callback: () => void): void {
  const auth = useAuthStore()
  watch(
    () => auth.user?.id,
    (_, before) => void (before && callback()),
    { flush: 'sync' },
  )
}
