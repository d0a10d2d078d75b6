/** The mock server's controls. They are asked without a token, so that they cost no refresh. */
import { api, json } from '@/api/client.ts'
import type { LogEntry } from './log.ts'

/** What the next `times` requests for `path` meet. */
export interface Fault {
  path: string
  times: number
  status?: number
  delayMs?: number
  kind?: 'drop'
}

export function readLog(options: { signal?: AbortSignal } = {}): Promise<LogEntry[]> {
  return json<LogEntry[]>('/__mock/log', { ...options, auth: false })
}

/** Every access token issued so far is refused from now on; with one, those of its session alone. */
export function expireAccessToken(accessToken?: string): Promise<void> {
  return control('expire-access', { accessToken })
}

/**
 * Every token issued so far is refused from now on, refresh tokens first, so that no refresh can
 * slip in between: the next request finds its access token refused, and the refresh too.
 */
export async function revokeSession(): Promise<void> {
  await control('revoke-sessions')
  await expireAccessToken()
}

export async function orderFaults(faults: readonly Fault[]): Promise<void> {
  // One after the other: the server takes the oldest first.
  for (const fault of faults) await control('faults', { ...fault })
}

/**
 * Ends all faults, and sets for how many seconds a replaced refresh token is still answered. Without
 * a number: as the server was started. `keepalive` lets it outlive the page.
 */
export function setConditions(leeway?: number, keepalive = false): Promise<void> {
  return control('conditions', { leeway }, keepalive)
}

async function control(name: string, body?: object, keepalive = false): Promise<void> {
  await api(`/__mock/${name}`, { method: 'POST', body, auth: false, keepalive })
}
