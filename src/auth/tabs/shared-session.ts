/**
 * The same session in all tabs: tabs tell each other of a new token, a failure and an end, and a tab
 * that missed a message finds the shared session id. What a session does is decided in session.ts.
 */
import type { EndReason } from '../errors.ts'
import type { AuthEvent } from '../events.ts'
import type { HeldGrant } from '../grant.ts'
import type { Session } from '../session.ts'
import { createMessageWait, portableError, readMessage } from './messages.ts'
import type { TabMessage } from './messages.ts'
import { createRefreshMark } from './reload.ts'
import type { Tabs } from './tabs.ts'

/** What other tabs change in this one. */
export interface ThisTab {
  now: () => number
  current(): Session | null
  /**
   * Takes part in the session `id`, for which another tab has a token or (null) this one has to get it.
   * Calls of another person's session that was here reject (R6).
   */
  join(id: string, grant: HeldGrant | null): void
  /** The session has ended in another tab. */
  endInThisTab(session: Session, reason: EndReason): void
  report(event: AuthEvent): void
}

export type SharedSession = ReturnType<typeof shareSession>

/** Stored in place of the session id after its end, and until the API knows of a sign-out. */
const MARKS = { 'signed-out': 'signed-out', expired: 'expired', owed: 'sign-out-owed' } as const

/** Milliseconds that the message of the tab that held the lock may take to arrive (R1). */
const MESSAGE_DELAY = 100

export function shareSession(tabs: Tabs, tab: ThisTab) {
  /** Another tab's grant is news only if it is later: the last grant here, or the start of the session. */
  let latestAt = 0
  /** Sessions that have ended. Messages about them are ignored, in whatever order they arrive. */
  const endedIds = new Set<string>()
  const refreshMark = createRefreshMark(tabs.refreshSentAt, tab.now)
  const messages = createMessageWait()

  /**
   * Runs `task` when no other tab signs in, refreshes or signs out (R1, R13). Without Web Locks (plain
   * http) only the tasks of this tab run one at a time, and two tabs may refresh at once.
   */
  async function exclusive<T>(task: () => Promise<T>): Promise<T> {
    const before = grantHere()
    return tabs.exclusive(async (contended) => {
      // The tab that held the lock has a result to tell, and its message may come after the lock.
      const hasHeard = () => hasResult(before)
      if (contended && !hasHeard()) await messages.until(hasHeard, MESSAGE_DELAY)
      // R16: the refresh of a page that is gone may be under way for up to 4 s. Its answer replaces the
      // refresh token; sent again before that, the old one would look stolen (reload.ts).
      const patience = refreshMark.remaining()
      if (patience > 0) await messages.until(() => refreshMark.remaining() === 0, patience)
      catchUp()
      return task()
    })
  }

  const grantHere = () => tab.current()?.grant ?? null

  /** Whether a result was heard that still counts: another grant, an end or a failure. */
  function hasResult(before: HeldGrant | null): boolean {
    const session = tab.current()
    if (session?.backOff.isOn()) return true
    // If a session is over and the next one has begun, its grant is still to come.
    return grantHere() !== before && (session ? session.isAlive() : !knownId())
  }

  /** The shared session id, or null if no session is known in this browser. */
  const knownId = () => (isMark(tabs.session.get()) ? null : tabs.session.get())

  /** Takes up what this tab missed while it slept: another session, or the end of its own (R13). */
  function catchUp(): void {
    const stored = tabs.session.get()
    const current = tab.current()
    const mark = Object.values(MARKS).find((mark) => mark === stored)
    if (mark && current?.isKnown)
      tab.endInThisTab(current, mark === 'expired' ? mark : 'signed-out')
    else if (stored && !mark && stored !== current?.id && !endedIds.has(stored)) {
      tab.join(stored, null)
    } else if (!stored && current?.isKnown) {
      tabs.session.set(current.id) // Another script has cleared the storage: no sign-out.
    }
    const joined = tab.current()
    // If this fails, whoever needs the token is told.
    if (joined && !joined.grant) joined.nextToken('restore').catch(() => {})
  }

  function hear(message: TabMessage): void {
    const { id } = message
    if (endedIds.has(id)) return // R12
    const current = tab.current()
    const isCurrent = current?.id === id
    if (message.type === 'ended') {
      endedIds.add(id)
      if (isCurrent) tab.endInThisTab(current, message.reason)
      else if (isMark(tabs.session.get())) catchUp() // Its beginning was not heard here.
      tab.report({ type: 'other-tab', brought: 'end' })
    } else if (message.type === 'granted') {
      if (!isNews(id, message.grant)) return
      tab.join(id, message.grant)
      remember(id, message.isStored)
      tab.report({ type: 'other-tab', brought: 'grant' })
    } else if (message.type === 'failed' && isCurrent) {
      const error = Object.assign(new Error(), message.failure.error)
      current.backOff.takeElsewhere({ ...message.failure, error }, current.grant?.receivedAt ?? 0)
      tab.report({ type: 'other-tab', brought: 'failure' })
    } else if (message.type === 'refused' && isCurrent) {
      const isOurToken = current.grant?.receivedAt === message.receivedAt
      if (isOurToken) current.refusals.refusedElsewhere(message.route)
    }
  }

  /** A grant may arrive late: only one newer than what is known here counts. */
  function isNews(id: string, { receivedAt }: HeldGrant): boolean {
    if (tab.current()?.id === id && !grantHere()) return true
    const isClockSetBack = latestAt > tab.now()
    return isClockSetBack || receivedAt >= latestAt
  }

  /** For a tab that cannot store the id for all, because storage is denied or full. */
  function remember(id: string, isStored: boolean): void {
    if (isStored && tabs.session.isShared) return // It may have ended since.
    const known = knownId()
    if (!known || endedIds.has(known)) tabs.session.set(id)
  }

  const tell = (message: TabMessage) => tabs.post(message)
  const stops = [
    tabs.listen((data) => {
      const message = readMessage(data)
      if (!message) return
      hear(message)
      messages.arrived()
    }),
    // On the way out of view as well, so that a reload still finds what a script has cleared.
    tabs.onVisibilityChange(() => {
      catchUp()
      refreshMark.keep()
    }),
  ]

  return {
    exclusive,
    catchUp,
    markRefresh: refreshMark.during,
    knownId,

    /** This tab is in `session` from now on. */
    joined({ id, grant }: Session): void {
      endedIds.delete(id) // It may be joined once more, for another person.
      latestAt = grant?.receivedAt ?? tab.now()
    },
    granted({ id }: Session, grant: HeldGrant): void {
      tabs.session.set(id)
      tell({ type: 'granted', id, grant, isStored: tabs.session.isShared })
    },
    failed({ id, backOff }: Session): void {
      const failure = backOff.failure!
      tell({ type: 'failed', id, failure: { ...failure, error: portableError(failure.error) } })
    },
    refused({ id, grant }: Session, route: string): void {
      if (grant) tell({ type: 'refused', id, route, receivedAt: grant.receivedAt })
    },
    /** The session is over in this tab. */
    left({ id, isKnown }: Session, reason: EndReason): void {
      endedIds.add(id)
      const stored = tabs.session.get()
      const isOurs = stored === id || (!stored && isKnown) // Another script may have cleared it.
      if (reason !== 'replaced' && isOurs) tabs.session.set(MARKS[reason])
    },
    ended: ({ id }: Session, reason: EndReason) => tell({ type: 'ended', id, reason }),

    /** A sign-out of which the API does not know yet. */
    signOut: {
      isOwed: () => tabs.session.get() === MARKS.owed,
      owe: () => tabs.session.set(MARKS.owed),
      /** Tells the API, unless somebody has signed in meanwhile: the refresh token is then theirs. */
      async settle(session: Session | null, tellApi: () => Promise<boolean>): Promise<void> {
        await tabs.exclusive(async () => {
          const stored = tabs.session.get()
          if (stored && !isMark(stored) && stored !== session?.id) return
          tabs.session.set(MARKS.owed) // A tab that heard of the end may have overwritten it.
          const isTold = await tellApi()
          // If this tab froze meanwhile, another may have taken the lock and signed somebody in.
          if (isTold && tabs.session.get() === MARKS.owed) tabs.session.set(MARKS['signed-out'])
        })
      },
    },
    stop: () => stops.forEach((stop) => stop()),
  }
}

function isMark(stored: string | null): boolean {
  return Object.values(MARKS).some((mark) => mark === stored)
}
