/** What the signed-in person should know of. */
import { api } from '@/api/client.ts'

export interface Notification {
  id: string
  text: string
  /** ISO 8601. */
  createdAt: string
}

export function listNotifications(options: { signal?: AbortSignal } = {}): Promise<Notification[]> {
  return api<Notification[]>('/notifications', options)
}
