/**
 * What the refresh lab asks of the mock server, and how it counts a run from the server's own log:
 * what happened is what the server saw, not what the client believes.
 */
import { api } from '@/api/client.ts'

export const MAX_REQUESTS = 1000

const RESOURCE = '/api/protected-resource'
const REFRESH = '/api/auth/refresh'

/** One request as the mock server logged it. It keeps the latest 5,000. */
export interface LogEntry {
  method: string
  path: string
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
  /** New access tokens that were granted. */
  refreshes: number
  /** Requests beyond those that were asked for: sent a second time with the new token. */
  replayed: number
}

export interface Run extends RunCounts {
  requested: number
  /** Requests whose caller got the answer. */
  succeeded: number
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
    refreshes: refreshes.filter(({ status }) => status === 200).length,
    replayed: Math.max(0, resource.length - requested),
  }
}

/**
 * Sends `requested` requests at once and counts what the server saw of them.
 *
 * @throws RangeError for a number that is not a whole one from 1 to 1,000
 * @throws what reading the log throws
 */
export async function sendRequests(
  requested: number,
  options: { signal?: AbortSignal } = {},
): Promise<Run> {
  if (!Number.isInteger(requested) || requested < 1 || requested > MAX_REQUESTS) {
    throw new RangeError(`Enter a whole number from 1 to ${MAX_REQUESTS}.`)
  }
  const mark = markOf(await readLog(options))
  const answers = await Promise.allSettled(
    Array.from({ length: requested }, () => api('/protected-resource', options)),
  )
  const log = await readLog(options)
  return {
    requested,
    succeeded: answers.filter(({ status }) => status === 'fulfilled').length,
    ...countRun(requested, entriesSince(mark, log)),
  }
}

/** Every access token issued so far is refused from now on. */
export async function expireAccessToken(): Promise<void> {
  await api('/__mock/expire-access', { method: 'POST', auth: false })
}

/**
 * Every token issued so far is refused from now on, refresh tokens first, so that no refresh can
 * slip in between: the next request finds its access token refused, and the refresh too.
 */
export async function revokeSession(): Promise<void> {
  await api('/__mock/revoke-sessions', { method: 'POST', auth: false })
  await expireAccessToken()
}

function readLog(options: { signal?: AbortSignal }): Promise<LogEntry[]> {
  return api<LogEntry[]>('/__mock/log', { ...options, auth: false })
}
