/** What a session reports to logs, metrics and error trackers. Contains no token, password or body. */
import type { EndReason } from './errors.ts'

/** Why a refresh started. `requested`: by a call of `refresh()`. */
export type RefreshCause = 'restore' | 'expiry' | 'background' | 'unauthorized' | 'requested'

export interface Outcome {
  /** `ended`: the session ended, or was replaced, before the answer came. */
  outcome: 'granted' | 'failed' | 'refused' | 'ended'
  /** The HTTP status of a failure, if the API answered. */
  status?: number
  milliseconds: number
  /** What is wrong with the answer, for the developers of the API. */
  problem?: string
}

export type AuthEvent =
  | ({ type: 'sign-in' } & Outcome)
  /** `waiting`: how many calls waited for it. */
  | ({ type: 'refresh'; cause: RefreshCause; waiting: number } & Outcome)
  /** A request was sent again after a 401, and got `status`. */
  | { type: 'replay'; path: string; status: number }
  /** `cause`: the refusal of the refresh, whose `data` is what the API said. */
  | { type: 'end'; reason: EndReason; cause?: unknown }
  /** What another tab did: a new token, a failed refresh, the end of the session. */
  | { type: 'other-tab'; brought: 'grant' | 'failure' | 'end' }

/**
 * A hint for the developers of an API that answers a refresh with an unusual status: whether it ended the
 * session.
 */
export function statusProblem({ outcome, status = 0 }: Outcome): string | undefined {
  if (outcome === 'refused' && ![400, 401, 403].includes(status)) {
    return `The refresh was refused with ${status}, and the session ended. APIs use 401, 400 or 403.`
  }
  if (outcome === 'failed' && [400, 401, 403, 404].includes(status)) {
    return `The refresh got ${status} with an HTML page, not from the API. The session stays.`
  }
  return undefined
}

/** Calls `onEvent`. An error that it throws is only logged. */
export function createReport(onEvent: (event: AuthEvent) => void = () => {}) {
  return (event: AuthEvent): void => {
    try {
      onEvent(event)
    } catch (error) {
      console.error(error)
    }
  }
}
