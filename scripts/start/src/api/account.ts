/** The account of the signed-in person. */
import * as v from 'valibot'
import { json } from '@/api/client.ts'
import { UserSchema } from '@/api/user.ts'
import type { User } from '@/api/user.ts'

/** @throws ValiError if the answer is no user, so that the section says so and the page stays */
export async function getAccount(options: { signal?: AbortSignal } = {}): Promise<User> {
  return v.parse(UserSchema, await json<object>('/auth/me', options))
}
