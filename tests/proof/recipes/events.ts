import { createParser } from 'eventsource-parser'
import type { EventSourceMessage } from 'eventsource-parser'
import { shallowRef } from 'vue'
import { api } from '@/api/client.ts'
import { statusOf } from '@/api/errors.ts'
import { pause, whileSignedIn } from './whileSignedIn.ts'

/**
 * Calls back with each event of a stream, and connects again when it breaks off. `EventSource` itself
 * sends no token. Returns the error with which the API refused the stream for good.
 */
export function useServerEvents(path: string, onEvent: (event: EventSourceMessage) => void) {
  const refusal = shallowRef<unknown>(null)

  whileSignedIn(async (signal) => {
    refusal.value = null
    let lastId = ''
    let delay = 3000 // Milliseconds, until the server sends another `retry:`.
    const parser = createParser({
      onEvent(event) {
        lastId = event.id ?? lastId
        // What `onEvent` throws is not the stream's fault.
        queueMicrotask(() => signal.aborted || onEvent(event))
      },
      onRetry: (milliseconds) => (delay = milliseconds),
    })
    while (!signal.aborted) {
      const headers = { accept: 'text/event-stream', ...(lastId && { 'last-event-id': lastId }) }
      try {
        const options = { responseType: 'stream', headers, signal, retry: 0 } as const
        const { status, body } = await api.raw(path, options)
        if (status === 204) return // "Do not connect again."
        const reader = body!.pipeThrough(new TextDecoderStream()).getReader()
        for (let read = await reader.read(); !read.done; read = await reader.read()) {
          parser.feed(read.value)
        }
      } catch (error) {
        const status = statusOf(error) ?? 0
        if (status >= 400 && status < 500 && status !== 429) {
          refusal.value = error
          return
        }
      }
      parser.reset()
      await pause(delay, signal)
    }
  })
  return refusal
}
