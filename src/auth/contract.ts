/**
 * What crosses the wire: the schemas that client and mock server both check, and the types inferred
 * from them. backend.ts sends the messages.
 */
import * as v from 'valibot'
import { InvalidGrantError } from './errors.ts'

/** A year. A larger number is a mistake, such as a point in time, and counts as a year. */
export const MAX_LIFETIME_SECONDS = 31_536_000

const Lifetime = v.pipe(v.number(), v.finite(), v.gtValue(0), v.toMaxValue(MAX_LIFETIME_SECONDS))
/** Printable ASCII: `Headers` throws on anything else, with an error that shows the token. */
export const TokenSchema = v.pipe(v.string(), v.regex(/^[\x20-\x7e]+$/))
const Name = v.pipe(v.string(), v.nonEmpty(), v.maxLength(200))

/** `mode` says how the refresh token travels: in an HttpOnly cookie (default) or in JSON bodies. */
export const LoginRequestSchema = v.object({
  username: Name,
  password: Name,
  mode: v.optional(v.picklist(['cookie', 'json']), 'cookie'),
})

/** What a person types to sign in. */
export type PasswordCredentials = Omit<v.InferOutput<typeof LoginRequestSchema>, 'mode'>

/** Refresh and sign-out carry the refresh token in the body only if no cookie does. */
export const RefreshRequestSchema = v.object({
  refreshToken: v.optional(v.pipe(v.string(), v.nonEmpty())),
})

/** What is known of every user. An app says what else its own has by a schema of its own (`AuthOptions`). */
export const UserSchema = v.looseObject({
  id: v.pipe(v.union([v.string(), v.number()]), v.transform(String)),
  roles: v.array(v.string()),
})

/** A schema of a user. It accepts what it returns, because tabs check each other's users by it. */
export type UserSchemaOf<U extends User> = v.GenericSchema<unknown, U>

/** The signed-in person. Two are the same if their `id` is. */
export interface User {
  id: string
  roles: string[]
}

export const TokenGrantSchema = v.object({
  accessToken: TokenSchema,
  tokenType: v.optional(v.string()),
  expiresIn: Lifetime,
  user: v.optional(v.unknown()),
  refreshToken: v.optional(TokenSchema),
  refreshExpiresIn: v.optional(Lifetime),
})

/**
 * The answer to a sign-in or a refresh. `expiresIn` and `refreshExpiresIn` are in seconds from
 * receipt. `refreshToken` is present only if it travels in JSON. `user` is checked by the app's schema. It
 * may be missing from a refresh: the user that is already known stays.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
 */
export type TokenGrant = v.InferOutput<typeof TokenGrantSchema>

/** @throws InvalidGrantError */
export function readGrant(answer: unknown): TokenGrant {
  return read(TokenGrantSchema, answer, 'a token grant')
}

/** @throws InvalidGrantError */
export function readUser<U extends User>(schema: UserSchemaOf<U>, answer: unknown): U {
  return read(schema, answer, 'a user')
}

function read<T>(schema: v.GenericSchema<unknown, T>, answer: unknown, what: string): T {
  const result = v.safeParse(schema, answer)
  if (result.success) return result.output
  const fields = result.issues.map((issue) => v.getDotPath(issue) ?? 'body')
  throw new InvalidGrantError(`The API's answer is not ${what}. Check: ${fields.join(', ')}`)
}

/** What is wrong with `expiresIn` if it cannot be seconds, by the claims of a JWT. */
export function lifetimeProblem({ accessToken, expiresIn }: TokenGrant): string | undefined {
  try {
    const payload = accessToken.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/')
    const { exp, iat } = JSON.parse(atob(payload))
    const ratio = expiresIn / (exp - iat)
    if (ratio > 10 || ratio < 0.1) {
      return `expiresIn is ${expiresIn}, but the token lives ${exp - iat} seconds (exp - iat)`
    }
  } catch {
    // The token is not a JWT.
  }
  return undefined
}
