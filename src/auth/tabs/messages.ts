/** What tabs tell each other. It never leaves the browser. Anything else on the channel is ignored. */
import * as v from 'valibot'
import { MAX_RETRY_AFTER } from '../backoff.ts'
import type { SessionChange } from '../changes.ts'
import { MAX_LIFETIME_SECONDS, TokenSchema } from '../contract.ts'
import type { User, UserSchemaOf } from '../contract.ts'

const Text = v.pipe(v.string(), v.maxLength(1000))
const Id = v.pipe(v.string(), v.nonEmpty(), v.maxLength(100))
/** Milliseconds since the epoch. */
const Time = v.pipe(v.number(), v.finite())

const grantSchema = (user: UserSchemaOf<User>) =>
  v.pipe(
    v.object({
      user,
      accessToken: TokenSchema,
      receivedAt: Time,
      renewAt: Time,
      expiresAt: Time,
    }),
    v.check((grant) => grant.expiresAt - grant.receivedAt <= MAX_LIFETIME_SECONDS * 1000),
  )

const ErrorSchema = v.object({
  name: Text,
  message: Text,
  status: v.optional(v.number()),
  /** What the API said, if it is short. */
  data: v.optional(v.unknown()),
})

const FailureSchema = v.pipe(
  v.object({ error: ErrorSchema, count: v.number(), at: Time, until: Time }),
  v.check((failure) => failure.until - failure.at <= MAX_RETRY_AFTER),
)

const changeSchema = (user: UserSchemaOf<User>) =>
  v.variant('type', [
    v.object({ type: v.literal('granted'), id: Id, grant: grantSchema(user) }),
    v.object({ type: v.literal('failed'), id: Id, failure: FailureSchema }),
    v.object({
      type: v.literal('ended'),
      id: Id,
      reason: v.picklist(['signed-out', 'expired']),
      cause: v.optional(ErrorSchema),
    }),
  ])

const messageSchema = (user: UserSchemaOf<User>) =>
  v.object({
    change: changeSchema(user),
    /** The shared session id has been stored for all tabs. */
    isStored: v.boolean(),
    /** The refresh that the sender sent last has settled (R16). */
    settled: v.optional(v.nullable(Text)),
  })

export type TabMessage = v.InferOutput<ReturnType<typeof messageSchema>>

/** Reads a message, or returns null for one of another sender or version. */
export function createMessageReader(userSchema: UserSchemaOf<User>) {
  const schema = messageSchema(userSchema)
  return (data: unknown): TabMessage | null => {
    const result = v.safeParse(schema, data)
    return result.success ? result.output : null
  }
}

/** A change as another tab can get it. */
export function portable(change: SessionChange): unknown {
  if (change.type === 'failed') {
    const { error, ...failure } = change.failure
    return { ...change, failure: { ...failure, error: portableError(error) } }
  }
  if (change.type !== 'ended') return change
  return { ...change, cause: change.cause ? portableError(change.cause) : undefined }
}

/** The change that a message tells of. An error is one again. */
export function readChange({ change }: TabMessage): SessionChange {
  if (change.type === 'failed') {
    const error = Object.assign(new Error(), change.failure.error)
    return { ...change, failure: { ...change.failure, error } }
  }
  if (change.type !== 'ended') return change
  return { ...change, cause: change.cause && Object.assign(new Error(), change.cause) }
}

/** An error as another tab can get it. Not everything that is thrown can be cloned. */
function portableError(error: unknown): v.InferOutput<typeof ErrorSchema> {
  const { name = 'Error', message = '', status, data } = Object(error)
  const text = (value: unknown) => `${value}`.slice(0, 1000)
  return {
    name: text(name),
    message: text(message),
    status: Number(status) || undefined,
    data: portableData(data),
  }
}

function portableData(data: unknown): unknown {
  try {
    const json = JSON.stringify(data)
    return json && json.length <= 10_000 ? JSON.parse(json) : undefined
  } catch {
    return undefined // Not JSON, and so not the answer of an API.
  }
}

/** Lets a tab wait for what others have to tell. */
export function createMessageWait() {
  const checks = new Set<() => void>()
  return {
    /** Resolves when something that arrives has made `isDone` true, or after `patience` milliseconds. */
    until(isDone: () => boolean, patience: number): Promise<void> {
      return new Promise((resolve) => {
        const check = () => isDone() && done()
        const done = () => {
          clearTimeout(timer)
          checks.delete(check)
          resolve()
        }
        const timer = setTimeout(done, patience)
        checks.add(check)
      })
    },
    /** Something has arrived. */
    check(): void {
      for (const check of checks) check()
    },
  }
}
