/** What the tabs of a browser profile share: a lock, a message channel and stored values. */
import { browserStorage, createStoredValue } from '../storage.ts'
import type { StoredValue, TabStorage } from '../storage.ts'
import { withLock } from './lock.ts'
import type { TabLocks } from './lock.ts'

type TabChannel = Pick<BroadcastChannel, 'postMessage' | 'addEventListener' | 'removeEventListener'>
type TabPage = Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'>

export interface Tabs {
  /**
   * Runs `task` while no other task runs, in this tab or another. `contended` tells the task that
   * another tab held the lock, and may have done the same work.
   *
   * @throws what `task` throws
   */
  exclusive<T>(task: (contended: boolean) => Promise<T>): Promise<T>
  /**
   * Resolves when a task that was just given to `exclusive` has begun, or has to wait: it never waits
   * for another tab itself.
   */
  asked(): Promise<void>
  /** Whether `exclusive` holds for all tabs that hear of each other. False without Web Locks. */
  readonly isExclusive: boolean
  /** Tells all other tabs. */
  post(message: unknown): void
  /** Hears what other tabs post. Returns the function that stops it. */
  listen(listener: (message: unknown) => void): () => void
  /** Calls `listener` when this tab comes into view or leaves it. Returns the function that stops it. */
  onVisibilityChange(listener: () => void): () => void
  /** Calls `listener` when another tab has changed what is stored. Returns the function that stops it. */
  onStorageChange(listener: () => void): () => void
  /**
   * The shared session id: which session this profile is in. It is random, no secret and never sent
   * to a server. It outlives the page, so that only a visitor who signed in costs a refresh (R14).
   */
  session: StoredValue
  /** The refresh that is under way: since when, in milliseconds since the epoch, and a random part (R16). */
  refreshSentAt: StoredValue
}

export interface TabsOptions {
  /** Names the lock, the channel and the stored values. Two apps on one origin need two names. */
  name?: string
  /**
   * Milliseconds after which a tab that keeps the lock counts as frozen and loses it: a little more
   * than the time limit of a call, 1 s for a message and 4 s for a refresh to land (R16). Default 17,000.
   */
  patience?: number
  locks?: TabLocks | null
  channel?: TabChannel | null
  storage?: TabStorage | null
  page?: TabPage | null
}

/**
 * The tabs of this browser profile, by Web Locks, BroadcastChannel and localStorage. Each may be
 * missing or denied. Without Web Locks (plain http), each tab refreshes on its own, and the server's
 * leeway covers two that do so at once. `locks` takes another implementation.
 *
 * @see https://developer.mozilla.org/docs/Web/API/Web_Locks_API
 */
export function createTabs(options: TabsOptions = {}): Tabs {
  const { name = 'silent-refresh', patience = 17_000 } = options
  const { locks = globalThis.navigator?.locks ?? null, storage = browserStorage() } = options
  const { channel = openChannel(name), page = globalThis.document } = options
  const queue = createQueue()
  const heldSince = createStoredValue(`${name}.held-since`, storage)

  /** Milliseconds until whoever holds the lock counts as frozen. */
  function remaining(): number {
    const age = Date.now() - Number(heldSince.get() ?? NaN)
    return age >= 0 ? Math.max(0, patience - age) : 0
  }

  async function hold<T>(task: () => Promise<T>): Promise<T> {
    heldSince.set(`${Date.now()}`)
    try {
      return await task()
    } finally {
      heldSince.set(null)
    }
  }

  function lockAndRun<T>(held: TabLocks, task: (contended: boolean) => Promise<T>): Promise<T> {
    const scope = { locks: held, name, patience, remaining }
    return withLock(scope, (contended) => hold(() => task(contended)))
  }

  return {
    exclusive: (task) =>
      // In this tab, tasks run in the order in which they were asked for, lock or no lock.
      queue(() => (locks ? lockAndRun(locks, task) : task(false))),
    async asked() {
      await undefined // `exclusive` asks for its lock then.
      // Locks are answered in the order in which they are asked for. This one is held by nobody.
      await locks?.request(`${name}.asked`, { ifAvailable: true }, () => {}).catch(() => {})
    },
    isExclusive: locks !== null || channel === null,
    post: (message) => channel?.postMessage(message),
    listen(listener) {
      const hear = (event: Event) => listener((event as MessageEvent).data)
      channel?.addEventListener('message', hear)
      return () => channel?.removeEventListener('message', hear)
    },
    onVisibilityChange(listener) {
      page?.addEventListener('visibilitychange', listener)
      return () => page?.removeEventListener('visibilitychange', listener)
    },
    onStorageChange(listener) {
      if (storage) globalThis.addEventListener?.('storage', listener)
      return () => globalThis.removeEventListener?.('storage', listener)
    },
    session: createStoredValue(`${name}.session`, storage),
    refreshSentAt: createStoredValue(`${name}.refresh-sent-at`, storage),
  }
}

/** For `tabs: null`: this tab is on its own. Tasks run one at a time, and nothing is shared. */
export function noTabs(): Tabs {
  return createTabs({ locks: null, channel: null, storage: null, page: null })
}

/** Runs tasks one after the other, in order. */
function createQueue() {
  let last: Promise<unknown> = Promise.resolve()
  return <T>(task: () => Promise<T>): Promise<T> => {
    const run = last.then(task)
    last = run.catch(() => {})
    return run
  }
}

/** Null if the browser denies it, as it may with storage. */
function openChannel(name: string): BroadcastChannel | null {
  try {
    return new BroadcastChannel(name)
  } catch {
    return null
  }
}
