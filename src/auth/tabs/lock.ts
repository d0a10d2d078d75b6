/** One task at a time across tabs, by a Web Lock. A tab that froze while it held the lock loses it. */

export type TabLocks = Pick<LockManager, 'request'>

export interface LockScope {
  locks: TabLocks
  name: string
  /** Milliseconds after which a holder counts as frozen. */
  patience: number
  /** Milliseconds for which it does not yet, because others held the lock before it. */
  remaining: () => number
}

/**
 * Runs `task` when this tab has the lock. `contended`: another tab held it before, and may have done
 * the same work.
 *
 * @throws what `task` throws
 */
export async function withLock<T>(
  scope: LockScope,
  task: (contended: boolean) => Promise<T>,
  isSecondWait = false,
): Promise<T> {
  const { locks, name, patience, remaining } = scope
  let running: Promise<T> | undefined
  const run = (contended: boolean) => (running = task(contended))

  // With `ifAvailable` first, this tab learns whether the lock was free. The platform promises no
  // order between the lock and the messages of the tab that held it (R1).
  await locks
    .request(name, { ifAvailable: true }, (lock) => (lock ? run(isSecondWait) : undefined))
    // Stolen: the task goes on. Denied by the browser: this tab is on its own.
    .catch(() => running ?? run(false))
  if (running) return running

  const frozen = new AbortController()
  const giveUp = () => frozen.abort()
  let timer = setTimeout(() => {
    const more = remaining()
    // Once, so that the wait is twice the patience at most (R11).
    if (more > 0) timer = setTimeout(giveUp, more)
    else giveUp()
  }, patience)
  await locks
    .request(name, { signal: frozen.signal }, () => {
      clearTimeout(timer)
      return run(true)
    })
    .catch((error) => {
      if (!running && !frozen.signal.aborted) throw error
    })
    .finally(() => clearTimeout(timer))
  if (running) return running

  // The tab that stole the lock is frozen too. The server's leeway covers two refreshes at once.
  if (isSecondWait) return run(true)
  // The holder is frozen. One of the waiting tabs steals the lock, the others queue again.
  await locks
    .request(`${name}.steal`, { ifAvailable: true }, (mine) =>
      mine ? locks.request(name, { steal: true }, () => run(true)) : undefined,
    )
    .catch((error) => {
      if (!running) throw error
    })
  return running ?? withLock(scope, task, true)
}
