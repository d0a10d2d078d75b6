/**
 * The mock server's own log: how a run is counted. What happened is what the server saw, not what
 * the client believes.
 */

export const RESOURCE = '/api/protected-resource'
export const REFRESH = '/api/auth/refresh'

/** One request as the mock server logged it. It keeps the latest 5,000. */
export interface LogEntry {
  method: string
  path: string
  /** 0 where there was no answer, or is none yet. */
  status: number
  /** Milliseconds since the epoch, by the server's clock. */
  at: number
  tokenId?: string
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
  /** Requests beyond those that were asked for: sent a second time with the new token. */
  replayed: number
}

export function markOf(log: readonly LogEntry[]): LogMark {
  const at = log.reduce((latest, entry) => Math.max(latest, entry.at), -Infinity)
  return { at, count: log.filter((entry) => entry.at === at).length }
}

/**
 * The entries after the mark. Positions would not do: the log drops its oldest entries, so that
 * they move. Nor would the time alone: within a millisecond there is room for many.
 */
export function entriesSince(mark: LogMark, log: readonly LogEntry[]): LogEntry[] {
  let known = mark.count
  return log.filter((entry) => entry.at > mark.at || (entry.at === mark.at && known-- <= 0))
}

/** Counts a run of `requested` requests from the entries that the log got during it. */
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
