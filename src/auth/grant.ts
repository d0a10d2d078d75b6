/** One request for a grant, by a sign-in or a refresh: with a time limit, checked, and with a user. */
import type { AuthBackend, CallOptions } from './backend.ts'
import type { Clock } from './backoff.ts'
import { lifetimeProblem, readGrant, readUser } from './contract.ts'
import type { TokenGrant, User, UserSchemaOf } from './contract.ts'
import { InvalidGrantError, isRefusal } from './errors.ts'
import type { Outcome } from './events.ts'
import { withTimeLimit } from './signals.ts'

/** A grant as a session holds it. Times are in milliseconds since the epoch, by this browser's clock. */
export interface HeldGrant {
  user: User
  accessToken: string
  receivedAt: number
  /** From then on a call refreshes in the background, and still sends the token. */
  renewAt: number
  expiresAt: number
}

export interface GrantOptions extends Clock {
  backend: Pick<AuthBackend, 'getUser'>
  userSchema: UserSchemaOf<User>
  /** Milliseconds (R11). */
  timeout: number
}

export function createGrantRequest(options: GrantOptions) {
  const { backend, userSchema, now, random, timeout } = options

  /** `known`: the user if the grant names none. `done` gets the outcome, for `onEvent`. */
  return async function ask(
    call: (options: CallOptions) => Promise<TokenGrant>,
    ended: AbortSignal,
    known: User | null,
    done: (outcome: Outcome) => void,
  ): Promise<HeldGrant> {
    const startedAt = now()
    const finish = (outcome: Omit<Outcome, 'milliseconds'>) =>
      done({ ...outcome, milliseconds: now() - startedAt })
    try {
      const grant = await withTimeLimit((options) => granted(call, options, known), timeout, ended)
      finish({ outcome: 'granted', problem: lifetimeProblem(grant) })
      return toHeldGrant(grant)
    } catch (error) {
      const problem = error instanceof InvalidGrantError ? error.message : undefined
      const outcome = ended.aborted ? 'ended' : isRefusal(error) ? 'refused' : 'failed'
      finish({ outcome, status: Object(error).status, problem })
      throw error
    }
  }

  async function granted(
    call: (options: CallOptions) => Promise<TokenGrant>,
    options: CallOptions,
    known: User | null,
  ) {
    const grant = readGrant(await call(options))
    const receivedAt = now() // Lifetimes count from here, because the server's clock may differ.
    const user = await userOf(grant, known, options)
    return { ...grant, user, receivedAt }
  }

  async function userOf(grant: TokenGrant, known: User | null, options: CallOptions) {
    if (grant.user) return readUser(userSchema, grant.user)
    if (known) return known
    if (!backend.getUser) throw new InvalidGrantError('The grant has no user: add it, or getUser')
    return readUser(userSchema, await backend.getUser(grant.accessToken, options))
  }

  function toHeldGrant({
    user,
    accessToken,
    receivedAt,
    expiresIn,
  }: Awaited<ReturnType<typeof granted>>): HeldGrant {
    const lifetime = expiresIn * 1000
    const expiresAt = receivedAt + lifetime
    return { user, accessToken, receivedAt, expiresAt, renewAt: expiresAt - lastStretch(lifetime) }
  }

  /**
   * Milliseconds at the end of a token's life in which it is still sent while the next one is fetched.
   * At random, so that clients that signed in together do not refresh together (R7).
   */
  function lastStretch(lifetime: number): number {
    return Math.min(180_000, lifetime / 5) * ((1 + 2 * random()) / 3)
  }
}
