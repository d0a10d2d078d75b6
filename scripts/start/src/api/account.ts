/** The account of the signed-in person. */
import { json } from '@/api/client.ts'
import type { User } from '@/api/user.ts'

export function getAccount(options: { signal?: AbortSignal } = {}): Promise<User> {
  return json<User>('/auth/me', options)
}
