/**
 * One browser profile, many tabs: an exclusive lock, a message channel, and one shared note that
 * says which session the profile is in. What the messages mean is left to shared-session.ts.
 */
import { lockTabs, spareLocks } from './locks.ts'
import type { TabChannel, TabLocks, TabPage } from './locks.ts'
import { browserStorage, createNote } from './storage.ts'
import type { TabStorage } from './storage.ts'

/** How a tab takes part in what all tabs of the browser profile share. */
export interface Tabs {
  /**
   * Runs `task` while no other task runs, in this tab or another. `contended` tells the task that
   * another tab held the lock, and so may have done its work already.
   *
   * @throws what `task` throws
   */
  exclusive<T>(task: (contended: boolean) => Promise<T>): Promise<T>
  /** Tells all other tabs. */
  post(message: unknown): void
  /** Hears what all other tabs post, messages about the lock too. Returns the function that stops it. */
  listen(listener: (message: unknown) => void): () => void
  /** Calls `listener` when this tab comes back into view, perhaps after hours of sleep. */
  onWake(listener: () => void): () => void
  /**
   * The id of the session that this profile is in, or null. It is random, never sent to a server
   * and no secret; it outlives the page, so that only a visitor who signed in costs a refresh (R14).
   * Where it is not shared, it is known to this tab alone.
   */
  session: { get(): string | null; set(id: string | null): void; readonly isShared: boolean }
}

export interface TabsOptions {
  /** Names the lock, the channel and the note. Two apps on one origin need two names. */
  name?: string
  /**
   * Milliseconds after which a tab that holds on to the lock counts as frozen, and loses it: a
   * little more than its work may take. A tab that is out of view meanwhile waits for twice as long.
   */
  patience?: number
  locks?: TabLocks | null
  channel?: TabChannel | null
  storage?: TabStorage | null
  page?: TabPage | null
}

/**
 * The tabs of this browser profile, by Web Locks, BroadcastChannel and localStorage. Each may be
 * missing, or denied: without Web Locks (plain http) the storage has to do, and without that this
 * tab excludes and remembers for itself alone, and the leeway of the server carries two tabs that
 * refresh at once.
 *
 * @see https://developer.mozilla.org/docs/Web/API/Web_Locks_API
 */
export function createTabs(options: TabsOptions = {}): Tabs {
  const { name = 'auth', patience = 10_500 } = options
  const { storage = browserStorage() } = options
  const { locks = globalThis.navigator?.locks ?? spareLocks(storage, patience) } = options
  const { channel = openChannel(name) } = options
  const { page = globalThis.document } = options
  let last: Promise<unknown> = Promise.resolve()
  /** Whether another tab has held the lock since tasks began to queue here. */
  let wasContended = false

  return {
    exclusive(task) {
      // In this tab tasks run in the order in which they were asked for, lock or no lock.
      const run = Promise.all([locks, last]).then(([locks]) =>
        locks
          ? lockTabs({ locks, channel, page, name, patience }, (contended) =>
              task((wasContended ||= contended)),
            )
          : task(false),
      )
      const done = run
        .catch(() => {})
        .finally(() => {
          if (last === done) wasContended = false
        })
      last = done
      return run
    },
    post: (message) => channel?.postMessage(message),
    listen(listener) {
      const hear = (event: Event) => listener((event as MessageEvent).data)
      channel?.addEventListener('message', hear)
      return () => channel?.removeEventListener('message', hear)
    },
    onWake(listener) {
      const wake = () => page?.visibilityState === 'visible' && listener()
      page?.addEventListener('visibilitychange', wake)
      return () => page?.removeEventListener('visibilitychange', wake)
    },
    session: createNote(`${name}.session`, storage),
  }
}

/** Null also where the browser denies it, as it may with storage. */
function openChannel(name: string): BroadcastChannel | null {
  try {
    return new BroadcastChannel(name)
  } catch {
    return null
  }
}

/** Resolves when `done` holds after a message, or when `patience` (milliseconds) is over. */
export function afterMessage(tabs: Tabs, done: () => boolean, patience: number): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      clearTimeout(timer)
      stop()
      resolve()
    }
    const timer = setTimeout(settle, patience)
    const stop = tabs.listen(() => done() && settle())
  })
}
