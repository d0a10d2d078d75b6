/**
 * What only the role `admin` may see.
 */
import type { H3 } from 'h3'
import type { MockServer } from '../app.ts'

export function registerAdmin(app: H3, { access, users }: MockServer): void {
  app.get('/api/admin/users', async (event) => {
    await access.requireRole(event, 'admin')
    return users.list()
  })
}
