/**
 * Which session is the current one in this tab, and what is shown of it. `apply` is the one place where
 * either changes, whether the change comes from here, from another tab or from storage.
 */
import { shallowRef } from 'vue'
import type { SessionChange } from './changes.ts'
import type { User } from './contract.ts'
import { SessionEndedError } from './errors.ts'
import type { EndOfAll, EndReason } from './errors.ts'
import type { HeldGrant } from './grant.ts'
import { Session } from './session.ts'
import type { SessionContext } from './session.ts'

/** What is shown changes all at once: nobody sees a user who is not signed in. */
interface AuthState {
  status: 'restoring' | 'anonymous' | 'authenticated'
  user: User | null
  accessToken: string | null
  /** When the next call renews the token, in milliseconds since the epoch. */
  renewAt: number | null
  endReason: EndOfAll | null
  /** Why the API refused the refresh. */
  endCause: unknown
}

export interface CurrentSessionOptions extends Omit<SessionContext, 'announce'> {
  /** Sends a change to the other tabs, and stores the id of a new session. Never throws. */
  tell(change: SessionChange): void
  /** Hears each change before it is applied, and stores an end. */
  onChange(change: SessionChange, current: Session | null, isGuess: boolean): void
}

export type CurrentSession = ReturnType<typeof createCurrentSession>

export function createCurrentSession(options: CurrentSessionOptions) {
  // Not reactive: a request inside an effect must not depend on its token.
  let current: Session | null = null
  /** Whether there is a session is not known before the first refresh (`restore: 'always'`). */
  let isGuess = false
  const state = shallowRef<AuthState>(stateOf(null))
  const context: SessionContext = { ...options, announce }

  /**
   * A change that this tab has caused. The other tabs are told first, because a watcher in this one may
   * end the session. Then this tab: its calls are aborted, what is shown changes, `onEvent` is called.
   * All of that is synchronous. After it, in no promised order, callers get the rejection, and guard.ts,
   * which watches what is shown, goes to the sign-in page.
   */
  function announce(change: SessionChange): void {
    if (change.type !== 'ended' || !change.onlyHere) options.tell(change)
    apply(change)
  }

  function apply(change: SessionChange): void {
    options.onChange(change, current, isGuess)
    const here = current?.id === change.id ? current : null
    switch (change.type) {
      case 'granted':
        return enter(here && isOf(here, change.grant) ? here : open(change.id), change.grant)
      case 'joined':
        return enter(here ?? open(change.id), null, change.isGuess)
      case 'failed':
        return here?.pause(change.failure)
      case 'ended':
        if (here) leave(here, change.reason, change.cause)
    }
  }

  function open(id: string): Session {
    return new Session(id, context)
  }

  function enter(session: Session, grant: HeldGrant | null, guess = false): void {
    const last = current
    const wasGuess = isGuess
    current = session
    isGuess = guess
    if (grant) session.hold(grant)
    if (last && last !== session) last.end(new SessionEndedError('replaced')) // R6
    show()
    if (last && last !== session && !wasGuess) report('replaced')
  }

  function leave(session: Session, reason: EndOfAll, cause: unknown): void {
    const wasGuess = isGuess
    current = null
    session.end(new SessionEndedError(reason, cause))
    if (wasGuess) return show() // That nobody is signed in is no end.
    show(reason, cause)
    report(reason, cause)
  }

  function show(endReason?: EndOfAll, endCause?: unknown): void {
    state.value = stateOf(current, endReason, endCause)
  }

  function report(reason: EndReason, cause?: unknown): void {
    options.report({ type: 'end', reason, ...(cause ? { cause } : {}) })
  }

  return { state, current: () => current, isGuess: () => isGuess, announce, apply }
}

/** R6: a session belongs to one person. */
export function isOf({ grant }: Session, { user }: HeldGrant): boolean {
  return !grant || grant.user.id === user.id
}

function stateOf(
  session: Session | null,
  endReason: AuthState['endReason'] = null,
  endCause: unknown = null,
): AuthState {
  const { user = null, accessToken = null, renewAt = null } = session?.grant ?? {}
  const status = !session ? 'anonymous' : user ? 'authenticated' : 'restoring'
  return { status, user, accessToken, renewAt, endReason, endCause }
}

/** Random, but no secret. `randomUUID` is missing on plain http. */
export function newSessionId(): string {
  const parts = crypto.getRandomValues(new Uint32Array(4))
  return Array.from(parts, (part) => part.toString(36)).join('')
}
