/**
 * Numbers for the dashboard.
 */
import type { H3 } from 'h3'
import type { MockServer } from '../app.ts'

interface Stats {
  /** How many the user has. */
  projects: number
  active: number
  done: number
  notifications: number
  /** Of the server. */
  uptimeSeconds: number
}

export function registerStats(app: H3, server: MockServer): void {
  const { access, notifications, now, projects, startedAt } = server
  app.get('/api/stats', async (event): Promise<Stats> => {
    const user = await access.requireUser(event)
    return {
      projects: projects.count(user.id),
      active: projects.count(user.id, 'active'),
      done: projects.count(user.id, 'done'),
      notifications: notifications.length,
      uptimeSeconds: Math.floor((now() - startedAt) / 1000),
    }
  })
}
