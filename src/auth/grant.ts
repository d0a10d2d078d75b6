/** One request for a grant, by a sign-in or a refresh: with a time limit, checked, and with a user. */
import type { AuthBackend, CallOptions } from './backend.ts'
import { lifetimeProblem, readGrant, readUser } from './contract.ts'
import type { TokenGrant, User } from './contract.ts'
import { InvalidGrantError, isRefusal } from './errors.ts'
import type { Outcome } from './events.ts'
import { withTimeLimit } from './signals.ts'

/** A grant as a session holds it. Times are in milliseconds since the epoch, by this browser's clock. */
export interface HeldGrant {
  user: User
  accessToken: string
  receivedAt: number
  expiresAt: number
}

export interface GrantOptions {
  backend: Pick<AuthBackend, 'getUser'>
  now: () => number
  /** Milliseconds (R11). */
  timeout: number
}

export function createGrantRequest({ backend, now, timeout }: GrantOptions) {
  /** `known`: the user if the grant names none. `done` gets the outcome, for `onEvent`. */
  return async function requestGrant(
    call: (options: CallOptions) => Promise<TokenGrant>,
    ended: AbortSignal,
    known: User | null,
    done: (outcome: Outcome) => void,
  ): Promise<HeldGrant> {
    const startedAt = now()
    try {
      const grant = await withTimeLimit((options) => granted(call, options, known), timeout, ended)
      const { user, accessToken, receivedAt } = grant
      const problem = lifetimeProblem(grant)
      done({ outcome: 'granted', milliseconds: now() - startedAt, problem })
      return { user, accessToken, receivedAt, expiresAt: receivedAt + grant.expiresIn * 1000 }
    } catch (error) {
      const outcome = isRefusal(error) ? 'refused' : 'failed'
      const problem = error instanceof InvalidGrantError ? error.message : undefined
      const { status } = Object(error)
      done({ outcome, milliseconds: now() - startedAt, status, problem })
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
    const user = grant.user ?? known ?? (await askForUser(grant.accessToken, options))
    return { ...grant, user, receivedAt }
  }

  async function askForUser(accessToken: string, options: CallOptions): Promise<User> {
    if (!backend.getUser) throw new InvalidGrantError('The grant has no user: add it, or getUser')
    return readUser(await backend.getUser(accessToken, options))
  }
}
