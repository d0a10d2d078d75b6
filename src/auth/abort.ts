/** Requests that are given up when their signal aborts. What that ends is left to client.ts. */
import type { FetchResponse } from 'ofetch'

const sharedSignals = new WeakMap<AbortSignal, { calls: Set<() => void>; abort: () => void }>()

/**
 * Calls `listener` when `signal` aborts. Returns the function that stops it. However many calls
 * share a signal, it gets one listener: Node warns of more than ten, and more cost time (R15).
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  let shared = sharedSignals.get(signal)
  if (!shared) {
    const calls = new Set<() => void>()
    shared = { calls, abort: () => calls.forEach((call) => call()) }
    sharedSignals.set(signal, shared)
    signal.addEventListener('abort', shared.abort)
  }
  const { calls, abort } = shared
  calls.add(listener)
  return () => {
    calls.delete(listener)
    if (calls.size > 0) return
    sharedSignals.delete(signal)
    signal.removeEventListener('abort', abort)
  }
}

/** Whether this is a stream that nobody has begun to read. */
export function isStream(data: unknown): data is ReadableStream {
  return data instanceof ReadableStream && !data.locked
}

/** For the body of an error, which few read: a short one comes to its end without a reader (R15). */
export const READ_AHEAD: QueuingStrategy = {
  highWaterMark: 65_536,
  size: (chunk?: { byteLength?: number }) => chunk?.byteLength ?? 65_536,
}

/** The response, with a stream that breaks off when `signal` aborts. `over`: no more of it can come. */
export function breakOff(
  response: FetchResponse<ReadableStream>,
  signal: AbortSignal,
  readAhead?: QueuingStrategy,
) {
  const { readable, writable } = new TransformStream(
    // Not left to the pipe, which would first write what it has read.
    { start: (it) => signal.addEventListener('abort', () => it.error(signal.reason)) },
    undefined,
    readAhead,
  )
  const over = response._data!.pipeTo(writable, { signal }).catch(() => {})
  if (response._data !== response.body) {
    // A hook has made it: only the data can be replaced.
    return { result: Object.assign(response, { _data: readable }), over }
  }
  const result = new Response(readable, { headers: response.headers })
  for (const key of ['ok', 'redirected', 'status', 'statusText', 'type', 'url'] as const) {
    Object.defineProperty(result, key, { value: response[key] })
  }
  const added = Object.fromEntries(Object.entries(response))
  return { result: Object.assign(result, added, { _data: readable }), over }
}
