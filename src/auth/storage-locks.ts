/**
 * Locks by localStorage, for pages that have no Web Locks, and loaded by those alone. When one is
 * asked for is left to tabs.ts.
 */
import type { TabStorage } from './storage.ts'

/** Milliseconds in which the names that several tabs write at once have become one. */
const SETTLING = 40
/** Milliseconds between two looks at a lock that is taken. */
const POLL = 50

/**
 * Web Locks in a storage, for pages that have none, as on plain http. As good as can be without help
 * from the browser: a tab writes its name, waits, and looks whether it still stands. Exclusive locks
 * only. A lock is free after `expiry` milliseconds: its tab has crashed.
 */
export function createStorageLocks(
  storage: TabStorage,
  expiry: number,
): Pick<LockManager, 'request'> {
  async function request(
    name: string,
    options: LockOptions,
    callback: (lock: Lock | null) => unknown,
  ) {
    const { ifAvailable = false, steal = false, signal } = options
    const key = `${name}.lock`
    const me = String(Math.random())
    while (!(await take(key, me, steal))) {
      signal?.throwIfAborted()
      if (ifAvailable) return callback(null)
      await pause(POLL)
    }
    const release = () => holder(key) === me && storage.removeItem(key)
    globalThis.addEventListener?.('pagehide', release)
    try {
      signal?.throwIfAborted()
      return await callback({ name, mode: 'exclusive' })
    } finally {
      release()
      globalThis.removeEventListener?.('pagehide', release)
    }
  }

  async function take(key: string, me: string, steal: boolean): Promise<boolean> {
    if (holder(key) && !steal) return false
    try {
      storage.setItem(key, `${me} ${Date.now()}`)
    } catch {
      return true
    }
    await pause(SETTLING)
    return holder(key) === me
  }

  function holder(key: string): string | null {
    const [name, at] = storage.getItem(key)?.split(' ') ?? []
    const age = Date.now() - Number(at)
    return name && age >= 0 && age < expiry ? name : null
  }

  return { request: request as LockManager['request'] }
}

function pause(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time))
}
