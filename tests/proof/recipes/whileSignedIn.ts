import { watch } from 'vue'
import { useAuthStore } from '@/stores/auth.ts'

/**
 * Runs `task` for each person who signs in. Its signal aborts at the moment that they leave, and when
 * the component or the store that called this is gone.
 */
export function whileSignedIn(task: (signal: AbortSignal) => Promise<void>): void {
  const auth = useAuthStore()
  watch(
    () => auth.user?.id,
    (id, _, onCleanup) => {
      const departure = new AbortController()
      onCleanup(() => departure.abort())
      if (id) void task(departure.signal)
    },
    { immediate: true, flush: 'sync' },
  )
}

/** Resolves after so many milliseconds, and at once when `signal` aborts. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal.addEventListener('abort', end)
  })
}
