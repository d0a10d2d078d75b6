/** A back end whose every answer the test gives, when it wants to. */
import type { User } from '@/api/user.ts'
import type { AuthBackend, TokenGrant } from '@/auth/index.ts'

export const ada: User = { id: '1', username: 'ada', name: 'Ada', roles: ['user', 'admin'] }
export const bob: User = { id: '2', username: 'bob', name: 'Bob', roles: ['user'] }

/** A grant for `user`, of 900 seconds. No two have the same access token. */
export function grantFor(user: User = ada, expiresIn = 900): TokenGrant & { user: User } {
  serial += 1
  return { accessToken: `access-${serial}`, tokenType: 'Bearer', expiresIn, user }
}
let serial = 0

/** An error as ofetch throws it. */
export function httpError(status: number, headers: Record<string, string> = {}): Error {
  const response = new Response(null, { status, headers })
  return Object.assign(new Error(`[POST] "/api/auth/refresh": ${status}`), { status, response })
}

export interface PendingCall {
  kind: 'login' | 'refresh' | 'logout'
  signal: AbortSignal | undefined
  /** Answers; with anything, for a back end may answer anything. */
  grant: (grant?: unknown) => void
  fail: (error: unknown) => void
  done: () => void
}

export interface ManualBackend extends AuthBackend {
  /** All calls so far, oldest first. */
  calls: PendingCall[]
  /** The latest call of a kind. */
  latest(kind: PendingCall['kind']): PendingCall
  count(kind: PendingCall['kind']): number
}

export function createManualBackend(): ManualBackend {
  const calls: PendingCall[] = []
  const ofKind = (kind: PendingCall['kind']) => calls.filter((call) => call.kind === kind)

  function pending<T>(kind: PendingCall['kind'], signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = resolve as (value?: unknown) => void
      const grant = (value: unknown = grantFor()) => settle(value)
      calls.push({ kind, signal, grant, fail: reject, done: () => settle() })
    })
  }

  return {
    calls,
    count: (kind) => ofKind(kind).length,
    latest(kind) {
      const call = ofKind(kind).at(-1)
      if (!call) throw new Error(`There was no call to ${kind} yet.`)
      return call
    },
    login: (_credentials, { signal } = {}) => pending('login', signal),
    refresh: ({ signal } = {}) => pending('refresh', signal),
    logout: ({ signal }) => pending('logout', signal),
  }
}
