/**
 * The router keeps in sessionStorage how far pages were scrolled, by their addresses: with the ids and
 * the search words of whoever was there. They go when that person leaves (R18).
 */
import { watch } from 'vue'
import type { Router } from 'vue-router'
import { useAuthStore } from '@/stores/auth.ts'
import { tabStorage } from '@/tabStorage.ts'

/** vue-router's, and so is what is stored: a JSON object, a position for each key. */
const KEY = 'vue-router:scroll'

export function forgetScrollPositions(router: Router): void {
  const auth = useAuthStore()
  /** Keys of those who have left. The router still knows them, and stores them with each new one. */
  const left = new Set<string>()

  function forget(): void {
    const entries = Object.entries(stored())
    const kept = entries.filter(([key]) => !left.has(key))
    if (kept.length === entries.length) return
    tabStorage()?.setItem(KEY, JSON.stringify(Object.fromEntries(kept)))
  }

  watch(
    () => auth.user?.id ?? auth.status,
    (_, before) => {
      // A visitor stays who they are when they sign in, and so does whoever is restored.
      if (before === 'anonymous' || (before === 'restoring' && auth.user)) return
      for (const key of Object.keys(stored())) left.add(key)
      forget()
    },
    { flush: 'sync' },
  )
  router.afterEach(forget)
  window.addEventListener('pagehide', forget) // After the router's, which was there before.
}

function stored(): object {
  try {
    return Object(JSON.parse(tabStorage()?.getItem(KEY) ?? '{}'))
  } catch {
    return {}
  }
}
