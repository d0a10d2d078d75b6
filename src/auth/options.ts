/** What `createAuth`, `createAuthFetch` and `createApiClient` can be given. */
import type { AuthBackend } from './backend.ts'
import type { PasswordCredentials } from './contract.ts'
import type { AuthEvent } from './events.ts'
import type { Session } from './session.ts'
import type { Tabs } from './tabs/tabs.ts'

export interface AuthOptions<Credentials = PasswordCredentials> {
  backend: AuthBackend<Credentials>
  /** Default: the tabs of this browser profile. Null: this tab is on its own. */
  tabs?: Tabs | null
  /**
   * When a new page asks the API who is signed in. `known` (default): if a session is known in this
   * browser, so that a first visit costs no request. `always`: also for a sign-in outside the app or a
   * browser that has wiped script storage; costs each visitor who is not signed in one rejected
   * refresh. Without tabs nothing is known, and the default is `always`.
   */
  restore?: 'known' | 'always'
  /** Milliseconds that a call to the back end may take (R11). Default 10,000. */
  timeout?: number
  /** Called with what the session does, for logs and metrics. It may throw. */
  onEvent?: (event: AuthEvent) => void
  /** The clock: milliseconds since the epoch. */
  now?: () => number
  /** A number from 0 up to, but not including, 1. */
  random?: () => number
}

export type Fetch = typeof globalThis.fetch

/** The auth store, or what `createAuth` returns. */
export interface SessionSource {
  readonly sessions: { current(): Session | null }
}

export interface AuthFetchOptions {
  /** The auth store, or a function that returns it, for a client created before Pinia. */
  auth: SessionSource | (() => SessionSource)
  /** Where the API is. Its origin is the only one that gets tokens (R5). Default `/api`. */
  baseURL?: string
  /** Replaces the global `fetch`. */
  fetch?: Fetch
}
