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

/** As `work` settles, or rejects as soon as `signal` is aborted, with its reason. */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort)) // R15
  })
}

/** A streamed response that breaks off when `signal` aborts. `over`: nothing more of it can come. */
export function breakable(response: Response, signal: AbortSignal) {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const over = response.body!.pipeTo(writable, { signal }).catch(() => {})
  const result = Object.assign(new Response(readable, response), { _data: readable as unknown })
  Object.defineProperty(result, 'url', { value: response.url })
  return { result, over }
}
