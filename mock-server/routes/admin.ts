/**
 * What only the role `admin` may see.
 */
import type { H3 } from 'h3'
import type { Access } from '../access.ts'
import type { Users } from '../users.ts'

export function registerAdmin(app: H3, { access, users }: { access: Access; users: Users }): void {
  app.get('/api/admin/users', async (event) => {
    await access.requireRole(event, 'admin')
    return users.list()
  })
}
