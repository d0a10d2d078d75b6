/** Who signs in to this app: what the API says of a person, and what `auth.user` is. */
import * as v from 'valibot'
import { UserSchema as AnyUserSchema } from '@/auth/index.ts'

/** `id` and `roles` are those that src/auth knows; the rest is this app's. */
export const UserSchema = v.object({
  ...AnyUserSchema.entries,
  username: v.string(),
  name: v.string(),
})

export type User = v.InferOutput<typeof UserSchema>
