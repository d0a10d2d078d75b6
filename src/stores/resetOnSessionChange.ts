/**
 * The one place where a person's data are forgotten: when somebody else signs in, or nobody is
 * signed in any more, every store but `auth` goes back to the state it was made with. Requests that
 * are under way then reject by themselves, and protected views are made anew (App.vue).
 */
import type { PiniaPlugin, StateTree } from 'pinia'
import { isReadonly, toRaw, watch } from 'vue'
import { useAuthStore } from '@/stores/auth.ts'

/**
 * A Pinia plugin for option and setup stores alike. State has to be what `structuredClone` takes,
 * plain data, and what a plugin can write to.
 *
 * @throws Error for a store that returns `readonly` state, which would keep a person's data
 * @see https://pinia.vuejs.org/core-concepts/plugins.html
 */
export const resetOnSessionChange: PiniaPlugin = ({ store, pinia }) => {
  const auth = useAuthStore(pinia)
  if (store.$id === auth.$id) return
  const fixed = Object.keys(store.$state).find((key) => isReadonly(toRaw(store)[key as never]))
  if (fixed) throw new Error(`Store ${store.$id}: ${fixed} is readonly, and cannot be emptied.`)
  const initial = copy(store.$state)
  watch(
    () => auth.user?.id,
    (_, before) => {
      if (before) store.$patch((state: StateTree) => void Object.assign(state, copy(initial)))
    },
    // Not a moment later: nothing may render in between.
    { flush: 'sync' },
  )
}

function copy(state: StateTree): StateTree {
  const entries = Object.entries(state)
  return Object.fromEntries(entries.map(([key, value]) => [key, structuredClone(toRaw(value))]))
}
