/** What only the role `admin` may ask for; anybody else gets a 403. */
import { json } from '@/api/client.ts'
import type { User } from '@/api/user.ts'

export function listUsers(options: { signal?: AbortSignal } = {}): Promise<User[]> {
  return json<User[]>('/admin/users', options)
}
