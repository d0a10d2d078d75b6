/**
 * What other tabs and storage change in this tab. Each becomes a change that current.ts applies, like
 * one of this tab itself.
 */
import type { SessionChange } from '../changes.ts'
import type { CurrentSession } from '../current.ts'
import type { AuthEvent } from '../events.ts'
import type { HeldGrant } from '../grant.ts'
import type { Session } from '../session.ts'
import type { OtherTabs } from './other-tabs.ts'

/** Remembers which sessions there were, to tell news from late messages. */
export function createHistory(others: OtherTabs, now: () => number) {
  /** When the last grant was received here, or the session was joined. An older grant is ignored. */
  let latestAt = 0
  /** Sessions that have ended. Messages about them are ignored, in whatever order they arrive. */
  const endedIds = new Set<string>()

  return {
    hasEnded: (id: string) => endedIds.has(id),

    /** A grant may arrive late: only one newer than what is known here counts. */
    isNews(id: string, { receivedAt }: HeldGrant, current: Session | null): boolean {
      if (current?.id === id && !current.grant) return true
      const isClockSetBack = latestAt > now()
      return isClockSetBack || receivedAt >= latestAt
    },

    /** Hears each change before it is applied, whoever caused it. */
    note(change: SessionChange, current: Session | null, isGuess: boolean): void {
      if (change.type === 'granted' || change.type === 'joined') {
        if (current && current.id !== change.id) endedIds.add(current.id)
        latestAt = change.type === 'granted' ? change.grant.receivedAt : now()
      } else if (change.type === 'ended') {
        endedIds.add(change.id)
        const isHere = current?.id === change.id && !change.onlyHere
        if (isHere) others.stored.setEnd(change.id, change.reason, isGuess)
      }
    },
  }
}

export interface FollowOptions {
  others: OtherTabs
  sessions: CurrentSession
  history: ReturnType<typeof createHistory>
  report: (event: AuthEvent) => void
}

/** Returns what catches up with the other tabs at once, and what stops. */
export function followOtherTabs({ others, sessions, history, report }: FollowOptions) {
  const { stored } = others
  const { current, apply, isGuess } = sessions

  function hear(change: SessionChange, isStored: boolean): void {
    const { id } = change
    if (history.hasEnded(id)) return // R12
    const isCurrent = current()?.id === id
    if (change.type === 'ended') {
      apply(change)
      if (!isCurrent && stored.end()) catchUp() // The beginning of the session was not heard here.
      report({ type: 'other-tab', brought: 'end' })
    } else if (change.type === 'granted' && history.isNews(id, change.grant, current())) {
      apply(change)
      remember(id, isStored)
      report({ type: 'other-tab', brought: 'grant' })
    } else if (change.type === 'failed' && isCurrent) {
      apply(change)
      report({ type: 'other-tab', brought: 'failure' })
    }
  }

  /** Stores the id for a tab that cannot, because storage is denied or full. */
  function remember(id: string, isStored: boolean): void {
    if (isStored && stored.isShared) return // The other tab has stored it, and may have ended it since.
    const known = stored.id()
    if (!known || history.hasEnded(known)) stored.setId(id)
  }

  /** Another session is stored, or the end of the one here (R13). */
  function catchUp(): void {
    const here = current()
    const end = stored.end()
    const id = stored.id()
    if (end && here && !isGuess()) apply({ type: 'ended', id: here.id, reason: end })
    else if (id && id !== here?.id && !history.hasEnded(id)) apply({ type: 'joined', id })
    else if (!end && !id && here && !isGuess()) stored.setId(here.id) // A cleared storage is no sign-out.
    const joined = current()
    // A failure reaches the calls that need the token.
    if (joined && !joined.grant) joined.nextToken('restore').catch(() => {})
  }

  /** A result that still counts: another token, a failure, or an end after which nobody signed in. */
  function watch(): () => boolean {
    const before = current()?.grant ?? null
    return () => {
      const session = current()
      if (session?.isPaused()) return true
      if ((session?.grant ?? null) === before) return false
      return session ? session.isGood() : !stored.id()
    }
  }

  return { catchUp, stop: others.follow({ hear, catchUp, watch }) }
}
