/** The account of the signed-in person. */
import { api } from '@/api/client.ts'
import type { User } from '@/auth/index.ts'

export function getAccount(options: { signal?: AbortSignal } = {}): Promise<User> {
  return api<User>('/auth/me', options)
}
