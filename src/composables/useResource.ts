/** Something that a view loads: its data, how the loading goes, and a way to load it again. */
import { nextTick, onScopeDispose, ref, shallowRef } from 'vue'
import { SessionEndedError } from '@/auth/index.ts'

/** What `useResource` returns. Its data stay while they are loaded again. */
export type Resource<T> = ReturnType<typeof useResource<T>>

/**
 * Loads at once, and again on `load()`, to be called when what `fetch` reads has changed. A load that
 * is no longer wanted is aborted: when the view goes, and when the next load starts. An abort is no
 * error, nor is the end of the session, which takes the view away.
 */
export function useResource<T>(fetch: (options: { signal: AbortSignal }) => Promise<T>) {
  const data = shallowRef<T | null>(null)
  const error = shallowRef<unknown>(null)
  const status = ref<'loading' | 'ready' | 'error'>('loading')
  let current = new AbortController()
  /** The latest `replaced`: it leads to one more load and no second, or that would go on for ever. */
  let lastReplaced: unknown

  async function load(): Promise<void> {
    current.abort()
    const { signal } = (current = new AbortController())
    status.value = 'loading'
    error.value = null
    try {
      const result = await fetch({ signal })
      if (signal.aborted) return
      data.value = result
      status.value = 'ready'
    } catch (reason) {
      if (reason instanceof SessionEndedError) {
        if (reason.reason !== 'replaced' || reason === lastReplaced) return
        lastReplaced = reason
        await nextTick()
        return signal.aborted ? undefined : load()
      }
      if (signal.aborted) return
      error.value = reason
      status.value = 'error'
    }
  }

  onScopeDispose(() => current.abort())
  void load()

  return { data, error, status, load }
}
