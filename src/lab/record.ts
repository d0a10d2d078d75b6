/** A run as it is written down: what was called, and what the server saw. No drawing in it. */
import type { LogEntry, RunCounts } from './log.ts'
import type { Plan, RivalName } from './plan.ts'

/** One call of the run, from its caller's side. Milliseconds since the epoch. */
export interface Call {
  /** From 1. */
  lane: number
  at: number
  /** When its caller got an answer for good, or null. */
  end: number | null
  /** A status, or the failure in two words. */
  answer: string
  ok: boolean
  /** When its caller was told of a failure and tried again, where that took a while. */
  told: number[]
  pauses: Pause[]
}

/** Its caller waited before it tried again. `to` is null until it does. */
export interface Pause {
  from: number
  to: number | null
}

/** What one tab did in a run. */
export interface TabRecord {
  tab: string
  calls: Call[]
  done: boolean
}

export type ClientName = 'silent' | RivalName

export interface RunRecord {
  id: string
  client: ClientName
  plan: Plan
  startedAt: number
  /** Null while it is under way. */
  endedAt: number | null
  /** This tab first. */
  tabs: TabRecord[]
  /** The requests of all tabs, as the server has logged them so far. */
  log: LogEntry[]
  /** Counted in the log, at the end. */
  counts: RunCounts | null
  /** When the person was signed out by it, or null. */
  signedOutAt: number | null
  /** The server has ended the session: its tokens are good for nothing any more. */
  revoked: boolean
}

/** Milliseconds since the epoch, as the server's log has them. */
export function clock(): number {
  return Date.now()
}

export function newRun(id: string, client: ClientName, plan: Plan, tab: string): RunRecord {
  const tabs = [{ tab, calls: [], done: false }]
  const open = { endedAt: null, log: [], counts: null, signedOutAt: null, revoked: false }
  return { id, client, plan: { ...plan }, startedAt: clock(), tabs, ...open }
}
