/** What the signed-in person should know of. */
import { json } from '@/api/client.ts'

export interface Notification {
  id: string
  text: string
  /** ISO 8601. */
  createdAt: string
}

export function listNotifications(options: { signal?: AbortSignal } = {}): Promise<Notification[]> {
  return json<Notification[]>('/notifications', options)
}
