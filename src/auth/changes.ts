/** What can happen to a session. Each change is one value, and current.ts applies it, whoever caused it. */
import type { RefreshFailure } from './backoff.ts'
import type { EndOfAll } from './errors.ts'
import type { HeldGrant } from './grant.ts'

export type SessionChange =
  /** A sign-in or a refresh brought a token. */
  | { type: 'granted'; id: string; grant: HeldGrant }
  /** A session without a token yet. `isGuess`: nobody knows whether it exists (`restore: 'always'`). */
  | { type: 'joined'; id: string; isGuess?: boolean }
  /** A refresh failed temporarily (R7). */
  | { type: 'failed'; id: string; failure: RefreshFailure }
  /** Signed out, or refused by the API with `cause` (R8, R13). `onlyHere`: other tabs may go on. */
  | { type: 'ended'; id: string; reason: EndOfAll; cause?: unknown; onlyHere?: boolean }
