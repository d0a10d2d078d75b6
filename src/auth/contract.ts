/**
 * What crosses the wire: the schemas that client and mock server both check, and the types
 * inferred from them. How the messages travel is left to backend.ts.
 */
import * as v from 'valibot'

/** A year: no access token lives longer, so a larger number is a mistake (milliseconds, perhaps). */
const MAX_LIFETIME_SECONDS = 31_536_000

// `custom` in place of `pipe`, in all that a grant is made of: every visitor loads what it uses.
const Lifetime = v.custom<number>(
  (value) => typeof value === 'number' && value > 0 && value <= MAX_LIFETIME_SECONDS,
)
/** Printable ASCII: `Headers` refuses anything else, with an error that shows the token. */
const Token = v.custom<string>((value) => typeof value === 'string' && /^[\x20-\x7e]+$/.test(value))
const Name = v.pipe(v.string(), v.nonEmpty(), v.maxLength(200))

/** `mode` says how the refresh token travels: in an HttpOnly cookie (default) or in JSON bodies. */
export const LoginRequestSchema = v.object({
  username: Name,
  password: Name,
  mode: v.optional(v.picklist(['cookie', 'json']), 'cookie'),
})

/** What a person types to sign in. */
export type Credentials = Omit<v.InferOutput<typeof LoginRequestSchema>, 'mode'>

/** Refresh and sign-out carry the refresh token in the body only where no cookie does. */
export const RefreshRequestSchema = v.object({
  refreshToken: v.optional(v.pipe(v.string(), v.nonEmpty())),
})

export const UserSchema = v.object({
  id: v.string(),
  username: v.string(),
  name: v.string(),
  roles: v.array(v.string()),
})

/** The signed-in person, as the API tells it. */
export type User = v.InferOutput<typeof UserSchema>

export const TokenGrantSchema = v.object({
  accessToken: Token,
  tokenType: v.optional(v.string()),
  expiresIn: Lifetime,
  user: UserSchema,
  refreshToken: v.optional(Token),
  refreshExpiresIn: v.optional(Lifetime),
})

/**
 * The answer to a sign-in or a refresh. `expiresIn` and `refreshExpiresIn` are in seconds from
 * receipt. The refresh token is here only when it travels in JSON.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
 */
export type TokenGrant = v.InferOutput<typeof TokenGrantSchema>

/** @throws Error that names the fields which are not as they should be, and shows no values */
export function readGrant(answer: unknown): TokenGrant {
  const result = v.safeParse(TokenGrantSchema, answer)
  if (result.success) return result.output
  const fields = result.issues.map((issue) => issue.path?.map(({ key }) => key).join('.') ?? 'body')
  throw new Error(`The API answered with something that is not a token grant: ${fields.join(', ')}`)
}
