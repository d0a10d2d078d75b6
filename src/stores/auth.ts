/** The app's auth store. It owns the tokens: the access token in memory, the refresh token by its back end. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { backend, baseURL } from '@/api/backend.ts'
import { UserSchema } from '@/api/user.ts'
import { createAuth, sharedName } from '@/auth/index.ts'
import type { AuthEvent } from '@/auth/index.ts'
import { showInDevtools } from '@/devtools.ts'
import { tracker } from '@/tracker.ts'

/** What the tabs of this app share, and no other app on this origin. */
const name = sharedName({ app: import.meta.env.BASE_URL, api: baseURL })

export const useAuthStore = defineStore('auth', () =>
  createAuth({ backend, name, user: UserSchema, onEvent }),
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

function onEvent(event: AuthEvent): void {
  tracker.event(event)
  if (event.type === 'end') refreshes.value = 0
  if (event.type === 'refresh' && event.outcome === 'granted') refreshes.value += 1
  if (!import.meta.env.DEV) return
  if ('problem' in event && event.problem) console.warn(event.problem)
  showInDevtools(event)
}

// Not `acceptHMRUpdate`, which every other store wants: it would make a second session in this tab. The
// page reloads, and the session comes back.
if (import.meta.hot) import.meta.hot.accept(() => window.location.reload())
