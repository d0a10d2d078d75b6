/**
 * What crosses the wire: the schemas that client and mock server both check, and the types inferred
 * from them. How messages are sent is in backend.ts.
 */
import * as v from 'valibot'
import { InvalidGrantError } from './errors.ts'

/** A year. A larger number is a mistake, such as a point in time, and counts as a year. */
const MAX_LIFETIME_SECONDS = 31_536_000

const Lifetime = v.pipe(v.number(), v.gtValue(0), v.toMaxValue(MAX_LIFETIME_SECONDS))
/** Printable ASCII: `Headers` throws on anything else, with an error that shows the token. */
const Token = v.pipe(v.string(), v.regex(/^[\x20-\x7e]+$/))
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

export const UserSchema = v.object({
  id: v.string(),
  username: v.string(),
  name: v.string(),
  roles: v.array(v.string()),
})

/** The signed-in person. */
export type User = v.InferOutput<typeof UserSchema>

export const TokenGrantSchema = v.object({
  accessToken: Token,
  tokenType: v.optional(v.string()),
  expiresIn: Lifetime,
  user: v.optional(UserSchema),
  refreshToken: v.optional(Token),
  refreshExpiresIn: v.optional(Lifetime),
})

/**
 * The answer to a sign-in or a refresh. `expiresIn` and `refreshExpiresIn` are in seconds from
 * receipt. `refreshToken` is present only if it travels in JSON. `user` may be missing from a refresh:
 * the user that is already known stays.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
 */
export type TokenGrant = v.InferOutput<typeof TokenGrantSchema>

/** @throws InvalidGrantError */
export function readGrant(answer: unknown): TokenGrant {
  return read(TokenGrantSchema, answer, 'a token grant')
}

/** @throws InvalidGrantError */
export function readUser(answer: unknown): User {
  return read(UserSchema, answer, 'a user')
}

function read<T>(schema: v.GenericSchema<unknown, T>, answer: unknown, what: string): T {
  const result = v.safeParse(schema, answer)
  if (result.success) return result.output
  const fields = result.issues.map((issue) => v.getDotPath(issue) ?? 'body')
  throw new InvalidGrantError(`The API's answer is not ${what}. Check: ${fields.join(', ')}`)
}

/** Says so if `expiresIn` cannot be seconds, by the claims of a JWT. */
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
