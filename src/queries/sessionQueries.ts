/**
 * What a session means for cached answers: another person finds nothing of the last one's, and a query
 * that was cut off because the same person signed in again is sent again.
 */
import { PiniaColadaQueryHooksPlugin, useMutationCache } from '@pinia/colada'
import type { PiniaColadaPlugin } from '@pinia/colada'
import { SessionEndedError } from '@/auth/index.ts'
import { onPersonLeave } from '@/stores/resetOnSessionChange.ts'

/** A plugin of Pinia Colada. */
export const sessionQueries: PiniaColadaPlugin = (context) => {
  const { pinia, queryCache } = context

  // R18. The views of the last person go (App.vue), and those of the next one load by themselves.
  onPersonLeave(() => {
    for (const entry of queryCache.getEntries()) {
      queryCache.cancel(entry)
      queryCache.setEntryState(entry, { status: 'pending', data: undefined, error: null })
      entry.placeholderData = null
      entry.when = 0
      // One that is in view stays until its view goes. It would take the next one of its key away.
      if (!entry.active) queryCache.remove(entry)
    }
    const mutationCache = useMutationCache(pinia)
    for (const entry of mutationCache.getEntries()) mutationCache.remove(entry)
  })

  /**
   * A query is sent again once, never twice: its session may be replaced time and again. One error may
   * have cut off several of them.
   */
  const lastReplaced = new WeakMap<object, unknown>()
  PiniaColadaQueryHooksPlugin({
    onError(error, entry) {
      const isReplaced = error instanceof SessionEndedError && error.reason === 'replaced'
      if (!isReplaced || error === lastReplaced.get(entry) || !entry.active) return
      lastReplaced.set(entry, error)
      queryCache.fetch(entry).catch(() => {})
    },
  })(context)
}
