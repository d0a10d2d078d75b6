/**
 * Numbers for the dashboard.
 */
import type { H3 } from 'h3'
import type { Access } from '../access.ts'
import type { Notification } from './notifications.ts'
import type { Project, Projects } from './projects.ts'

interface Stats {
  /** How many the user has. */
  projects: number
  active: number
  done: number
  /** How many were added in each of the latest months, the current one last. */
  months: MonthCount[]
  notifications: number
  /** Of the server. */
  uptimeSeconds: number
}

interface MonthCount {
  /** Such as `2026-12`. */
  month: string
  added: number
}

const MONTHS = 8

interface Services {
  access: Access
  notifications: Notification[]
  projects: Projects
  now: () => number
  startedAt: number
}

export function registerStats(app: H3, server: Services): void {
  const { access, notifications, now, projects, startedAt } = server
  app.get('/api/stats', async (event): Promise<Stats> => {
    const all = projects.all((await access.requireUser(event)).id)
    return {
      projects: all.length,
      active: all.filter(({ status }) => status === 'active').length,
      done: all.filter(({ status }) => status === 'done').length,
      months: monthsUntil(now()).map((month) => ({ month, added: addedIn(month, all) })),
      notifications: notifications.length,
      uptimeSeconds: Math.floor((now() - startedAt) / 1000),
    }
  })
}

/** In UTC, as all times on the wire. */
function monthsUntil(time: number): string[] {
  const date = new Date(time)
  return Array.from({ length: MONTHS }, (_, index) => {
    const back = MONTHS - 1 - index
    const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - back, 1)
    return new Date(first).toISOString().slice(0, 7)
  })
}

function addedIn(month: string, projects: readonly Project[]): number {
  return projects.filter(({ createdAt }) => createdAt.startsWith(month)).length
}
