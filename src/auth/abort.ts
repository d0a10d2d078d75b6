/** Requests that are given up when their signal aborts. What that ends is left to client.ts. */

const sharedSignals = new WeakMap<AbortSignal, { calls: Set<() => void>; abort: () => void }>()

/**
 * Calls `listener` when `signal` aborts. Returns the function that stops it. However many calls
 * share a signal, it gets one listener: Node warns of more than ten, and more cost time (R15).
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const calls = sharedSignals.get(signal)?.calls ?? new Set()
  const abort = sharedSignals.get(signal)?.abort ?? (() => calls.forEach((call) => call()))
  if (calls.size === 0) {
    sharedSignals.set(signal, { calls, abort })
    signal.addEventListener('abort', abort)
  }
  calls.add(listener)
  return () => {
    calls.delete(listener)
    if (calls.size > 0) return
    sharedSignals.delete(signal)
    signal.removeEventListener('abort', abort)
  }
}

/** As `work` settles, or rejects at once with the reason of a signal that is this call's alone. */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
    work.then(resolve, reject)
  })
}
