/** A few numbers for the dashboard. */
import { json } from '@/api/client.ts'

export interface Stats {
  projects: number
  /** How many of them are under way, and done. */
  active: number
  done: number
  /** How many were added in each of the latest months, such as `2026-12`; the current one last. */
  months: { month: string; added: number }[]
  notifications: number
  uptimeSeconds: number
}

export function getStats(options: { signal?: AbortSignal } = {}): Promise<Stats> {
  return json<Stats>('/stats', options)
}
