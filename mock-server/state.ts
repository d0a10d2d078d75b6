/**
 * What must survive a restart (S9): the secrets, and the sessions that tokens signed with them
 * belong to. Where it is kept is left to storage.ts.
 */
import { base64url } from 'jose'
import * as v from 'valibot'

const SecretSchema = v.pipe(v.string(), v.regex(/^[\w-]{43,}$/))

const FamilySchema = v.object({
  id: v.string(),
  userId: v.string(),
  /** The `jti` of the refresh token that is good now. */
  current: v.string(),
  /** The `jti` of the one it replaced. */
  previous: v.nullable(v.string()),
  /** When `current` was issued: milliseconds since the epoch. */
  rotatedAt: v.number(),
  /** Refreshed no more, by hand: see `refuseRefresh`. */
  refused: v.boolean(),
  /** Its access tokens up to this one were expired by hand. */
  expiredUpTo: v.optional(v.number(), 0),
})

/** All refresh tokens that descend from one sign-in. */
export type Family = v.InferOutput<typeof FamilySchema>

const StateSchema = v.object({
  secrets: v.object({ access: SecretSchema, refresh: SecretSchema }),
  /** How many access tokens were issued; the `jti` of the latest one. */
  issued: v.number(),
  /** Access tokens up to this one were expired by hand. */
  expiredUpTo: v.number(),
  families: v.array(FamilySchema),
})

export type State = v.InferOutput<typeof StateSchema>

/** Keeps the state somewhere. Neither function may throw. */
export interface MockStorage {
  /** What was saved last, or null. */
  load(): unknown
  save(state: State): void
}

/** What storage holds, or a new state if that is nothing, or nothing we understand. */
export function loadState(storage?: MockStorage): State {
  const stored = v.safeParse(StateSchema, storage?.load())
  if (stored.success) return stored.output

  const secrets = { access: newSecret(), refresh: newSecret() }
  return { secrets, issued: 0, expiredUpTo: 0, families: [] }
}

/** 256 bits, as HS256 asks for. RFC 7518 §3.2 */
function newSecret(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(32)))
}
