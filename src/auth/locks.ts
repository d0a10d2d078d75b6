/**
 * One task at a time over all tabs, by Web Locks. A tab that froze while it held the lock loses it.
 */
import type { TabStorage } from './storage.ts'

/** Tells the other tabs that this one has got the lock. Any message is as good a sign of life. */
const HOLDING = 'tabs.holding'

/** Milliseconds that the message of a tab which took the lock by force may take to the others. */
const ROUND_DELAY = 100

export type TabLocks = Pick<LockManager, 'request'>
export type TabChannel = Pick<
  BroadcastChannel,
  'postMessage' | 'addEventListener' | 'removeEventListener'
>
export type TabPage = Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'>

/** What tabs that take turns need of their browser. */
export interface TabScope {
  locks: TabLocks
  channel: TabChannel | null
  page: TabPage | null
  /** Names the lock. */
  name: string
  /** Milliseconds after which a tab that holds on to the lock counts as frozen. */
  patience: number
}

/** For plain http, where browsers have no Web Locks. Null where their code cannot be loaded. */
export function spareLocks(
  storage: TabStorage | null,
  patience: number,
): Promise<TabLocks | null> | null {
  if (globalThis.isSecureContext !== false || !storage) return null
  const late = new Promise<null>((resolve) => setTimeout(resolve, patience, null)) // R11
  const loaded = import('./storage-locks.ts')
    .then(({ createStorageLocks }) => createStorageLocks(storage, patience))
    .catch(() => null)
  return Promise.race([loaded, late])
}

/**
 * Asks with `ifAvailable` first: whoever finds the lock taken knows it, and gives the holder's
 * message time to arrive (R1). The platform promises no order between the two.
 */
export async function lockTabs<T>(
  scope: TabScope,
  task: (contended: boolean) => Promise<T>,
  round = 1,
): Promise<T> {
  const { locks, channel, name, patience } = scope
  let running: Promise<T> | undefined
  const run = (contended: boolean) => {
    channel?.postMessage(HOLDING)
    return (running = task(contended))
  }

  await locks
    .request(name, { ifAvailable: true }, (lock) => (lock ? run(round > 1) : undefined))
    // Taken by force, or denied: the task goes on, and a tab that gets no lock is on its own.
    .catch(() => running ?? run(false))
  if (running) return running

  const waiting = new AbortController()
  // Rounds differ, so that no two tabs take the lock by force at the same time (R1).
  const silence = patience + ROUND_DELAY * (round - 1)
  const stop = onSilence(scope, silence, () => waiting.abort())
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

  // The holder is frozen. One of those who waited takes the lock by force, the others queue again,
  // and the next time that they lose patience it may be with the one who took it.
  await locks
    .request(`${name}.rescue.${round}`, { ifAvailable: true }, (rescue) =>
      rescue ? locks.request(name, { steal: true }, () => run(true)) : undefined,
    )
    .catch((error) => {
      if (!running) throw error
    })
  return running ?? lockTabs(scope, task, round + 1)
}

/**
 * Calls `listener` when no tab has given a sign of life for `silence` milliseconds, such as that of
 * the next one in the queue. A tab that was out of view may have been frozen itself, and have missed
 * one: it waits once more. Returns the function that stops it.
 */
function onSilence({ channel, page }: TabScope, silence: number, listener: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>
  let slept = page?.visibilityState === 'hidden'
  const sleep = () => (slept = true)
  const wait = () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      if (!slept) return listener()
      slept = false
      timer = setTimeout(listener, silence)
    }, silence)
  }
  channel?.addEventListener('message', wait)
  page?.addEventListener('visibilitychange', sleep)
  wait()
  return () => {
    clearTimeout(timer)
    channel?.removeEventListener('message', wait)
    page?.removeEventListener('visibilitychange', sleep)
  }
}
