/** A few numbers for the dashboard. */
import { json } from '@/api/client.ts'

export interface Stats {
  projects: number
  /** How many of them are under way, and done. */
  active: number
  done: number
  notifications: number
  uptimeSeconds: number
}

export function getStats(options: { signal?: AbortSignal } = {}): Promise<Stats> {
  return json<Stats>('/stats', options)
}
