/** Work that is given up: when a signal aborts, when its time is over, when nobody needs it. */
import type { CallOptions } from './backend.ts'

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

/**
 * A call to the back end that is given up when its time is over, in milliseconds (R11), or when
 * `onEnd` calls its listener because nobody needs the answer any more (R12).
 *
 * @throws what `call` throws, the error that `onEnd` gives, or a DOMException named TimeoutError
 */
export function limited<T>(
  call: (options: CallOptions) => Promise<T>,
  timeout: number,
  onEnd?: (listener: (error: Error) => void) => () => void,
): Promise<T> {
  const controller = new AbortController()
  return new Promise<T>((resolve, reject) => {
    const giveUp = (error: Error) => {
      reject(error)
      controller.abort(error)
    }
    const late = () => giveUp(new DOMException('The API took too long.', 'TimeoutError'))
    const timer = setTimeout(late, timeout)
    const stop = onEnd?.(giveUp)
    Promise.resolve(controller)
      .then(({ signal }) => (signal.throwIfAborted(), call({ signal })))
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer)
        stop?.()
      })
  })
}
