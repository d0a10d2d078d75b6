import { useAuthStore } from '@/stores/auth.ts'
import { pause, whileSignedIn } from './whileSignedIn.ts'

/** With this code your server closes a socket whose token it no longer accepts. */
const TOKEN_REJECTED = 4401

/**
 * A socket of the signed-in person, opened again with a fresh token when it breaks off. Returns a
 * function that sends a message, and tells whether there was a socket to send it on.
 */
export function useSocket(url: string, onMessage: (data: unknown) => void) {
  const auth = useAuthStore()
  let current: WebSocket | null = null

  whileSignedIn(async (signal) => {
    let failures = 0

    /** Resolves with the code of its close. */
    function open(token: string): Promise<number> {
      return new Promise((resolve) => {
        const socket = new WebSocket(url)
        const close = () => socket.close()
        socket.addEventListener('open', () => {
          if (signal.aborted) return
          socket.send(JSON.stringify({ type: 'auth', token })) // Not in the address, which is logged.
          current = socket
        })
        socket.addEventListener('message', ({ data }) => {
          failures = 0
          if (!signal.aborted) onMessage(data)
        })
        socket.addEventListener('close', ({ code }) => {
          signal.removeEventListener('abort', close)
          resolve(code)
        })
        signal.addEventListener('abort', close)
      })
    }

    while (!signal.aborted) {
      try {
        const token = await auth.getAccessToken()
        if (signal.aborted) return
        const code = await open(token)
        if (code === TOKEN_REJECTED && !signal.aborted) await auth.refresh()
      } catch {
        // There is no token at the moment.
      }
      failures += 1
      await pause(Math.min(30_000, 500 * 2 ** failures) * (1 - Math.random() / 2), signal)
    }
  })

  return (message: string): boolean => {
    if (current?.readyState !== WebSocket.OPEN) return false
    current.send(message)
    return true
  }
}
