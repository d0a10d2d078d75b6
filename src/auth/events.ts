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
  /** What is wrong with the grant, for the developers of the API. */
  problem?: string
}

export type AuthEvent =
  | ({ type: 'sign-in' } & Outcome)
  /** `waiting`: how many calls waited for it. */
  | ({ type: 'refresh'; cause: RefreshCause; waiting: number } & Outcome)
  /** A request was sent again after a 401, and got `status`. */
  | { type: 'replay'; path: string; status: number }
  | { type: 'end'; reason: EndReason }
  /** What another tab did: a new token, a failed refresh, the end of the session. */
  | { type: 'other-tab'; brought: 'grant' | 'failure' | 'end' }

/** Tells `onEvent`. What it throws is only logged. */
export function createReport(onEvent: (event: AuthEvent) => void = () => {}) {
  return (event: AuthEvent): void => {
    try {
      onEvent(event)
    } catch (error) {
      console.error(error)
    }
  }
}
