import { useAuthStore } from '@/stores/auth.ts'

/**
 * Opens a socket with a token that may be sent now. The token is the first message, because an address
 * ends up in logs.
 */
export async function openSocket(url: string): Promise<WebSocket> {
  const token = await useAuthStore().getAccessToken()
  const socket = new WebSocket(url)
  socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'auth', token })))
  return socket
}
