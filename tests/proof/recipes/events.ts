import { api } from '@/api/client.ts'

/** `EventSource` sends no token. A stream does, and ends with the session. */
export async function* serverEvents(path: string, signal: AbortSignal): AsyncGenerator<string> {
  const headers = { accept: 'text/event-stream' }
  const stream = await api(path, { responseType: 'stream', headers, signal, retry: 0 })
  const reader = stream!.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const events = (rest + decoder.decode(value, { stream: true })).split('\n\n')
    rest = events.pop()!
    for (const event of events) yield event.replace(/^data: ?/gm, '')
  }
}
