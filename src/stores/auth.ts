/** The app's auth store. It owns the tokens: the access token in memory, the refresh token by its back end. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { backend } from '@/api/backend.ts'
import { UserSchema } from '@/api/user.ts'
import { createAuth } from '@/auth/index.ts'
import type { AuthEvent } from '@/auth/index.ts'
import { showInDevtools } from '@/devtools.ts'

export const useAuthStore = defineStore('auth', () =>
  createAuth({ backend, user: UserSchema, onEvent }),
)

/**
 * For a button *Retry*, before the request: if that needs a refresh, it is sent, even while failed
 * refreshes are held back. Only a person may skip the pause (R7).
 */
export function endRefreshPause(): void {
  useAuthStore().sessions.current()?.endPause()
}

/** How many refreshes this tab has made since the sign-in, or since the page was loaded. */
export const refreshes = ref(0)

/** The seam for logs, metrics and an error tracker. */
function onEvent(event: AuthEvent): void {
  if (event.type === 'end') refreshes.value = 0
  if (event.type === 'refresh' && event.outcome === 'granted') refreshes.value += 1
  if (!import.meta.env.DEV) return
  if ('problem' in event && event.problem) console.warn(event.problem)
  showInDevtools(event)
}

// Not `acceptHMRUpdate`, which every other store wants: it would make a second session in this tab. The
// page reloads, and the session comes back.
if (import.meta.hot) import.meta.hot.accept(() => window.location.reload())
