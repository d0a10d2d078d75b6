/**
 * What the dashboard shows beside the projects: the same few notifications for everybody.
 */
import type { H3 } from 'h3'
import type { Access } from '../access.ts'

export interface Notification {
  id: string
  text: string
  /** ISO 8601. */
  createdAt: string
}

const TEXTS = [
  'Welcome! Your session renews itself: try the lab.',
  'The quarterly report is ready.',
  'Two people commented on the website relaunch.',
]

/** How many hours before the start of the server. */
const HOURS = [0.2, 5, 27]

/** The newest first. */
export function createNotifications(startedAt: number): Notification[] {
  return TEXTS.map((text, index) => ({
    id: `notification-${index + 1}`,
    text,
    createdAt: new Date(startedAt - HOURS[index]! * 3_600_000).toISOString(),
  }))
}

interface Services {
  access: Access
  notifications: Notification[]
}

export function registerNotifications(app: H3, { access, notifications }: Services): void {
  app.get('/api/notifications', async (event) => {
    await access.requireUser(event)
    return notifications
  })
}
