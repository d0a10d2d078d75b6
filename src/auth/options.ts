/** What `createAuth` can be given. Only `backend` is required. */
import type { AuthBackend } from './backend.ts'
import type { PasswordCredentials } from './contract.ts'
import type { AuthEvent } from './events.ts'
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
