/** Which session is the current one in this tab, how one takes the place of another, and its end. */
import { shallowRef } from 'vue'
import type { User } from './contract.ts'
import { SessionEndedError } from './errors.ts'
import type { EndReason } from './errors.ts'
import type { AuthEvent } from './events.ts'
import type { HeldGrant } from './grant.ts'
import { Session } from './session.ts'
import type { SessionOwner } from './session.ts'
import type { SharedSession } from './tabs/shared-session.ts'

/** What is shown changes all at once: nobody sees a user who is not signed in. */
interface AuthState {
  status: 'restoring' | 'anonymous' | 'authenticated'
  user: User | null
  accessToken: string | null
  endReason: 'signed-out' | 'expired' | null
}

interface Surroundings {
  owner: SessionOwner
  others: SharedSession
  report: (event: AuthEvent) => void
}

/** `surroundings` is read when it is needed, because it needs the current session itself. */
export function createCurrentSession(surroundings: () => Surroundings) {
  // Not reactive: a request inside an effect must not depend on its token.
  let current: Session | null = null
  const state = shallowRef<AuthState>(stateOf(null, null))

  function open(id = newId()): Session {
    return new Session(id, surroundings().owner)
  }

  /** R6: a session belongs to one person. Without Web Locks, another's refresh token may be sent. */
  function sameOrNew({ user }: HeldGrant, session: Session, id = newId()): Session {
    return session.grant && session.grant.user.id !== user.id ? open(id) : session
  }

  /** This tab has got a grant for `session`, or for a new one. All tabs go on with it. */
  function begin(session: Session | null, grant: HeldGrant): void {
    const next = session ? sameOrNew(grant, session) : open()
    surroundings().others.granted(next, grant)
    enter(next, grant) // Last, because whoever watches may end it right then.
  }

  /** Takes part in the session `id`, for which another tab has a token or (null) this one gets it. */
  function join(id: string, grant: HeldGrant | null): void {
    const session = current?.id === id ? current : open(id)
    enter(grant ? sameOrNew(grant, session, id) : session, grant)
  }

  function enter(session: Session, grant: HeldGrant | null): void {
    if (current && current !== session) endOne(current, 'replaced') // R6
    current = session
    session.isKnown = true
    if (grant) session.hold(grant)
    surroundings().others.joined(session)
    show(null)
  }

  /** Nobody knows whether there is a session (`restore: 'always'`). */
  function guess(): void {
    current = open()
    show(null)
  }

  /** Ends the session in this tab and in all others (R8, R13). */
  function endInAllTabs(session: Session, reason: EndReason, cause?: unknown): SessionEndedError {
    const error = endInThisTab(session, reason, cause)
    surroundings().others.ended(session, reason)
    return error
  }

  function endInThisTab(session: Session, reason: EndReason, cause?: unknown): SessionEndedError {
    current = null
    const error = endOne(session, reason, cause)
    show(session.isKnown ? reason : null) // That nobody is signed in is no end.
    return error
  }

  function endOne(session: Session, reason: EndReason, cause?: unknown): SessionEndedError {
    const error = new SessionEndedError(reason, cause)
    const { others, report } = surroundings()
    others.left(session, reason)
    session.end(error)
    if (session.isKnown) report({ type: 'end', reason })
    return error
  }

  function show(reason: EndReason | null): void {
    state.value = stateOf(current, reason === 'replaced' ? null : reason)
  }

  return { state, current: () => current, begin, join, guess, endInAllTabs, endInThisTab }
}

function stateOf(session: Session | null, endReason: AuthState['endReason']): AuthState {
  const { user = null, accessToken = null } = session?.grant ?? {}
  const status = !session ? 'anonymous' : user ? 'authenticated' : 'restoring'
  return { status, user, accessToken, endReason }
}

/** Random, but no secret. `randomUUID` is missing on plain http. */
function newId(): string {
  const parts = crypto.getRandomValues(new Uint32Array(4))
  return Array.from(parts, (part) => part.toString(36)).join('')
}
