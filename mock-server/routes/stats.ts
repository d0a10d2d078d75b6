/**
 * Numbers for the dashboard.
 */
import type { H3 } from 'h3'
import type { MockServer } from '../app.ts'

interface Stats {
  /** How many the user has. */
  projects: number
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
      notifications: notifications.length,
      uptimeSeconds: Math.floor((now() - startedAt) / 1000),
    }
  })
}
