/**
 * The way to the other tabs: turns, messages and what is stored for all. It carries changes and knows
 * no session; what a change of another tab does here is in follow.ts.
 */
import type { SessionChange } from '../changes.ts'
import type { User, UserSchemaOf } from '../contract.ts'
import { createMessageReader, createMessageWait, portable, readChange } from './messages.ts'
import { createRefreshMark } from './reload.ts'
import { createStoredSession } from './stored-session.ts'
import type { Tabs } from './tabs.ts'

/** Milliseconds that the message of the tab that held the lock may take to arrive (R1). */
const MESSAGE_DELAY = 1_000

/** Who takes part in what other tabs do. */
export interface Follower {
  /** Another tab tells of a change. `isStored`: it has stored the id for all tabs. */
  hear(change: SessionChange, isStored: boolean): void
  /** Takes up from storage what this tab missed while it slept (R13). */
  catchUp(): void
  /** Tells from now on whether a result was heard: another token, a failure or an end. */
  watch(): () => boolean
}

export type OtherTabs = ReturnType<typeof createOtherTabs>

export interface OtherTabsOptions {
  tabs: Tabs
  userSchema: UserSchemaOf<User>
  now: () => number
}

export function createOtherTabs({ tabs, userSchema, now }: OtherTabsOptions) {
  const readMessage = createMessageReader(userSchema)
  const stored = createStoredSession(tabs.session)
  const refreshMark = createRefreshMark(tabs.refreshSentAt, now)
  const arrivals = createMessageWait()
  let follower: Follower | null = null

  /**
   * Runs `task` when no other tab signs in, refreshes or signs out (R1, R13), and this tab knows what
   * the others did. The browser frees the lock of a tab that is closed or crashes; a tab that is frozen
   * loses it after 17 s (lock.ts). Without Web Locks (plain http) only the tasks of this tab run one at a
   * time, and two tabs may refresh at once.
   */
  function exclusive<T>(task: () => Promise<T>): Promise<T> {
    const hasHeard = follower?.watch() ?? (() => true)
    return tabs.exclusive(async (contended) => {
      // The message of the tab that held the lock may come after the lock.
      if (contended && !hasHeard()) await arrivals.until(hasHeard, MESSAGE_DELAY)
      // R16: the refresh of a page that was closed, reloaded or crashed may be under way for up to 4 s.
      // Its answer replaces the refresh token. If the old one were sent before that, it would look
      // stolen (reload.ts).
      const patience = refreshMark.remaining()
      if (patience > 0) await arrivals.until(() => refreshMark.remaining() === 0, patience)
      follower?.catchUp()
      return task()
    })
  }

  function tell(change: SessionChange): void {
    if (change.type === 'granted') stored.setId(change.id)
    try {
      const { isShared: isStored } = stored
      tabs.post({ change: portable(change), isStored, settled: refreshMark.settled() })
    } catch (error) {
      console.error(error) // A change of this tab must not fail because others cannot be told.
    }
  }

  /** Calls `follower` from now on. Returns the function that stops it. */
  function follow(by: Follower): () => void {
    follower = by
    const stops = [
      tabs.listen((data) => {
        const message = readMessage(data)
        if (!message) return
        if (message.settled) refreshMark.settledElsewhere(message.settled)
        by.hear(readChange(message), message.isStored)
        arrivals.check()
      }),
      tabs.onStorageChange(arrivals.check),
      // On the way out of view as well, so that a reload still finds what a script has cleared.
      tabs.onVisibilityChange(() => {
        by.catchUp()
        refreshMark.keep()
      }),
    ]
    return () => stops.forEach((stop) => stop())
  }

  return {
    exclusive,
    /**
     * As `exclusive`, for a sign-out, which waits for no message. A refresh that the sign-out has aborted
     * may still reach the API; the token that it brings is revoked with the session (S7).
     */
    alone: <T>(task: () => Promise<T>): Promise<T> => tabs.exclusive(() => task()),
    /** Resolves when a task has begun, or waits for another tab. */
    asked: () => tabs.asked(),
    tell,
    follow,
    stored,
    /** Sends a refresh in such a way that the next page can wait for it (R16). */
    markRefresh: refreshMark.during,
    /**
     * Without Web Locks another tab may have refreshed at the same time: resolves when `isDone`, or
     * when its message has had the time to arrive.
     */
    async wait(isDone: () => boolean): Promise<void> {
      if (!tabs.isExclusive && !isDone()) await arrivals.until(isDone, MESSAGE_DELAY)
    },
  }
}
