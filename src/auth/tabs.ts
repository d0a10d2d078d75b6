/**
 * One browser profile, many tabs: an exclusive lock, a message channel, and one shared note that
 * says which session the profile is in. What the messages mean is left to shared-session.ts.
 */
import { browserStorage, createNote } from './storage.ts'
import type { TabStorage } from './storage.ts'

/** Tells the other tabs that this one has got the lock. It is no message to their listeners. */
const HOLDING = 'tabs.holding'

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
  /** Hears all other tabs. Returns the function that stops it. */
  listen(listener: (message: unknown) => void): () => void
  /** Calls `listener` when this tab comes back into view, perhaps after hours of sleep. */
  onWake(listener: () => void): () => void
  /**
   * The id of the session that this profile is in, or null. It is random, never sent to a server
   * and no secret; it outlives the page, so that only a visitor who signed in costs a refresh (R14).
   */
  session: { get(): string | null; set(id: string | null): void }
}

export interface TabsOptions {
  /** Names the lock, the channel and the note. Two apps on one origin need two names. */
  name?: string
  /**
   * Milliseconds after which a tab that holds on to the lock counts as frozen, and loses it: a
   * little more than its work may take. A tab that is out of view meanwhile waits for twice as long.
   */
  patience?: number
  locks?: Pick<LockManager, 'request'> | null
  channel?: Pick<
    BroadcastChannel,
    'postMessage' | 'addEventListener' | 'removeEventListener'
  > | null
  storage?: TabStorage | null
  page?: Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'> | null
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
  const { channel = globalThis.BroadcastChannel ? new BroadcastChannel(name) : null } = options
  const { page = globalThis.document } = options
  let last: Promise<unknown> = Promise.resolve()
  /** Whether another tab has held the lock since tasks began to queue here. */
  let met = false

  return {
    exclusive(task) {
      // In this tab tasks run in the order in which they were asked for, lock or no lock.
      const run = Promise.all([locks, last]).then(([locks]) =>
        locks
          ? lockTabs({ locks, channel, page, name, patience }, (contended) =>
              task((met ||= contended)),
            )
          : task(false),
      )
      const done = run
        .catch(() => {})
        .finally(() => {
          if (last === done) met = false
        })
      last = done
      return run
    },
    post: (message) => channel?.postMessage(message),
    listen(listener) {
      const hear = (event: Event) => {
        const { data } = event as MessageEvent
        if (data !== HOLDING) listener(data)
      }
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

/** For plain http, where browsers have no Web Locks. Null where the code for it does not come. */
function spareLocks(storage: TabStorage | null, patience: number) {
  if (globalThis.isSecureContext !== false || !storage) return null
  const late = new Promise<null>((resolve) => setTimeout(resolve, patience, null)) // R11
  const loaded = import('./storage-locks.ts')
    .then(({ createStorageLocks }) => createStorageLocks(storage, patience))
    .catch(() => null)
  return Promise.race([loaded, late])
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

/**
 * Asks with `ifAvailable` first: whoever finds the lock taken knows it, and gives the holder's
 * message time to arrive (R1). The platform promises no order between the two.
 */
async function lockTabs<T>(
  {
    locks,
    channel,
    page,
    name,
    patience,
  }: Pick<Required<TabsOptions>, 'name' | 'patience' | 'channel' | 'page'> & {
    locks: Pick<LockManager, 'request'>
  },
  task: (contended: boolean) => Promise<T>,
): Promise<T> {
  let running: Promise<T> | undefined
  const run = (contended: boolean) => {
    channel?.postMessage(HOLDING)
    return (running = task(contended))
  }

  await locks
    .request(name, { ifAvailable: true }, (lock) => (lock ? run(false) : undefined))
    .catch(unlessRunning)
  if (running) return running

  const waiting = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let slept = page?.visibilityState === 'hidden'
  const wait = () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      if (!slept) return waiting.abort()
      slept = false
      wait()
    }, patience)
  }
  const sleep = () => (slept = true)
  const stop = () => {
    clearTimeout(timer)
    channel?.removeEventListener('message', wait)
    page?.removeEventListener('visibilitychange', sleep)
  }
  // Patience begins anew with every sign of life, such as that of the next tab in the queue. A tab
  // that was out of view may have been frozen itself, and have missed one: it waits once more.
  channel?.addEventListener('message', wait)
  page?.addEventListener('visibilitychange', sleep)
  wait()
  await locks
    .request(name, { signal: waiting.signal }, () => {
      stop()
      return run(true)
    })
    .catch((error) => {
      if (!running && !waiting.signal.aborted) throw error
    })
    .finally(stop)
  if (running) return running

  // The holder is frozen. One of those who waited takes the lock by force, the others queue again.
  await locks
    .request(`${name}.rescue`, { ifAvailable: true }, (rescue) =>
      locks.request(name, rescue ? { steal: true } : {}, () => run(true)),
    )
    .catch(unlessRunning)
  return running!

  // A lock taken by force rejects its holder's request, but does not undo the holder's task.
  function unlessRunning(error: unknown) {
    if (!running) throw error
  }
}
