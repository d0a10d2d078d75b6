/** What tabs tell each other. It never leaves the browser. Anything else on the channel is ignored. */
import * as v from 'valibot'
import { UserSchema } from '../contract.ts'

const GrantSchema = v.object({
  user: UserSchema,
  accessToken: v.string(),
  receivedAt: v.number(),
  expiresAt: v.number(),
})

const FailureSchema = v.object({
  error: v.object({ name: v.string(), message: v.string(), status: v.optional(v.number()) }),
  count: v.number(),
  at: v.number(),
  until: v.number(),
})

const MessageSchema = v.variant('type', [
  /** `isStored`: the shared session id has been stored for all tabs. */
  v.object({
    type: v.literal('granted'),
    id: v.string(),
    grant: GrantSchema,
    isStored: v.boolean(),
  }),
  v.object({ type: v.literal('failed'), id: v.string(), failure: FailureSchema }),
  /** `receivedAt`: of the grant whose token was refused. */
  v.object({
    type: v.literal('refused'),
    id: v.string(),
    route: v.string(),
    receivedAt: v.number(),
  }),
  v.object({
    type: v.literal('ended'),
    id: v.string(),
    reason: v.picklist(['signed-out', 'expired', 'replaced']),
  }),
])

export type TabMessage = v.InferOutput<typeof MessageSchema>

/** Null for a message of another sender or version. */
export function readMessage(data: unknown): TabMessage | null {
  const result = v.safeParse(MessageSchema, data)
  return result.success ? result.output : null
}

/** An error as another tab can get it. Not everything that is thrown can be cloned. */
export function portableError(error: unknown): { name: string; message: string; status?: number } {
  const { name = 'Error', message = '', status } = Object(error)
  return { name: `${name}`, message: `${message}`, status: Number(status) || undefined }
}

/** Lets a tab wait for what others have to tell. */
export function createMessageWait() {
  const waiters = new Set<() => void>()
  return {
    /** Resolves when a message has made `isDone` true, or after `patience` milliseconds. */
    until(isDone: () => boolean, patience: number): Promise<void> {
      return new Promise((resolve) => {
        const check = () => isDone() && done()
        const done = () => {
          clearTimeout(timer)
          waiters.delete(check)
          resolve()
        }
        const timer = setTimeout(done, patience)
        waiters.add(check)
      })
    },
    arrived(): void {
      for (const check of waiters) check()
    },
  }
}
