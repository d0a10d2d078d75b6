/** Work that ends early: when a signal aborts, or when its time is over. */

/** As `work` settles, or rejects as soon as `signal` aborts, with its reason. */
export function unlessAborted<T>(signal: AbortSignal, work: T | Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort)) // R15
  })
}

/**
 * A signal of its own that aborts with the first of `signals`. Undefined if there is none. Node 20
 * keeps some 130 bytes for each one; browsers keep nothing (R15).
 */
export function anySignal(...signals: (AbortSignal | null | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => !!signal)
  return given.length > 0 ? AbortSignal.any(given) : undefined
}

/** Aborts after `timeout` milliseconds, with a DOMException named TimeoutError, unless cleared before. */
export function startTimeLimit(timeout: number): { signal: AbortSignal; clear: () => void } {
  const late = new AbortController()
  const end = () => late.abort(new DOMException('The API took too long.', 'TimeoutError'))
  const timer = setTimeout(end, timeout)
  return { signal: late.signal, clear: () => clearTimeout(timer) }
}

/**
 * Calls the API with a time limit in milliseconds (R11). `ended` ends the call early (R12).
 *
 * @throws what `call` throws, the reason of `ended`, or a DOMException named TimeoutError
 */
export async function withTimeLimit<T>(
  call: (options: { signal: AbortSignal }) => Promise<T>,
  timeout: number,
  ended?: AbortSignal,
): Promise<T> {
  ended?.throwIfAborted()
  const limit = startTimeLimit(timeout)
  const signal = anySignal(limit.signal, ended)!
  try {
    return await unlessAborted(signal, call({ signal })) // A back end may ignore the signal.
  } finally {
    limit.clear()
  }
}
