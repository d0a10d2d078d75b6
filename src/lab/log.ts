/**
 * The mock server's own log: how a run is counted and drawn. What happened is what the server saw,
 * not what the client believes, and it is the same in every browser.
 */

export const RESOURCE = '/api/protected-resource'
export const REFRESH = '/api/auth/refresh'

/** One request as the mock server logged it. It keeps the latest 5,000. */
export interface LogEntry {
  method: string
  path: string
  label?: string
  /** 0 where there was no answer, or is none yet. */
  status: number
  /** Milliseconds since the epoch, by the server's clock. */
  at: number
  /** When it was answered, or the connection broke. */
  endedAt?: number
  /** Of the access token that came with it; for a refresh, of the refresh token. */
  tokenId?: string
  /** Of the access token that a refresh was answered with. */
  grantedId?: string
  userId?: string
}

/** A moment in the log: the latest time in it, and how many entries bear that time. */
export interface LogMark {
  at: number
  count: number
}

/** What the server saw of a run. */
export interface RunCounts {
  /** Requests for the protected resource. */
  sent: number
  /** Of these, answered with a 401. */
  rejected: number
  /** Requests for a new access token. */
  asked: number
  /** Of these, granted. */
  refreshes: number
  /** Requests beyond those that were asked for: sent again after a 401. */
  replayed: number
}

/** What the log calls a request of a run. */
export function labelOf(run: string, tab: string, lane: number): string {
  return `${run}.${tab}.${lane}`
}

export function markOf(log: readonly LogEntry[]): LogMark {
  const at = log.reduce((latest, entry) => Math.max(latest, entry.at), -Infinity)
  return { at, count: log.filter((entry) => entry.at === at).length }
}

/**
 * The requests of a run, and all refreshes after the mark. Positions would not do: the log drops its
 * oldest entries, so that they move. Nor would the time alone: within a millisecond there is room
 * for many.
 */
export function entriesOf(run: string, mark: LogMark, log: readonly LogEntry[]): LogEntry[] {
  let known = mark.count
  const since = log.filter(({ at }) => at > mark.at || (at === mark.at && known-- <= 0))
  return since.filter(
    ({ path, label }) => path === REFRESH || (path === RESOURCE && label?.startsWith(`${run}.`)),
  )
}

/** Counts a run of `requested` requests. */
export function countRun(requested: number, entries: readonly LogEntry[]): RunCounts {
  const resource = entries.filter(({ path }) => path === RESOURCE)
  const refreshes = entries.filter(({ path }) => path === REFRESH)
  return {
    sent: resource.length,
    rejected: resource.filter(({ status }) => status === 401).length,
    asked: refreshes.length,
    refreshes: refreshes.filter(({ status }) => status === 200).length,
    replayed: Math.max(0, resource.length - requested),
  }
}
