import { onScopeDispose, watch } from 'vue'
import { browserStorage, createStoredValue } from '@/auth/index.ts'
import { useAuthStore } from '@/stores/auth.ts'

/**
 * Ends the session after so many minutes without a key pressed, a click or a scroll in any tab. Call it
 * once, in the setup of App.vue.
 */
export function useIdleSignOut(minutes: number): void {
  const auth = useAuthStore()
  // All tabs share it. It also counts while the computer sleeps or the browser is closed.
  const activeAt = createStoredValue('idle.activeAt', browserStorage())

  /** Ends a session that has been idle for too long, and says whether it did. */
  function check(): boolean {
    const idle = Date.now() - Number(activeAt.get() ?? Date.now())
    if (auth.status === 'anonymous' || idle < minutes * 60_000) return false
    void auth.logout({ reason: 'expired' })
    return true
  }

  function noteActivity(): void {
    // First, because the first thing that happens after a night is a click.
    if (!check()) activeAt.set(String(Date.now()))
  }

  const events = ['keydown', 'pointerdown', 'wheel'] as const
  const options = { capture: true, passive: true }
  for (const name of events) window.addEventListener(name, noteActivity, options)
  document.addEventListener('visibilitychange', check)
  const timer = setInterval(check, 5000)
  onScopeDispose(() => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', check)
    for (const name of events) window.removeEventListener(name, noteActivity, options)
  })

  if (!check()) activeAt.set(activeAt.get() ?? String(Date.now()))
  // The next sign-in starts the clock again.
  watch(
    () => auth.status,
    (status, before) => {
      if (before === 'anonymous') activeAt.set(String(Date.now()))
    },
    { flush: 'sync' },
  )
}
