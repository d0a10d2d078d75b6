/** What came of a run, in words. Everything in it was counted or measured. */
import type { ClientName, RunRecord } from './record.ts'
import { inThousands } from './scale.ts'
import type { Lane, Trace } from './trace.ts'

export const CLIENTS = {
  silent: 'Silent refresh',
  classic: 'One refresh per 401',
  shared: 'One shared refresh',
  library: 'axios-auth-refresh',
} as const satisfies Record<ClientName, string>

/** What matters most, in a line; and whether that is well. */
export function headlineOf(trace: Trace): { text: string; isGood: boolean | null } {
  const { run } = trace
  if (!run.counts) {
    return {
      text: run.endedAt === null ? 'Under way …' : 'Given up, and not counted',
      isGood: null,
    }
  }
  const lanes = trace.tabs.flatMap((tab) => tab.lanes)
  const answered = lanes.filter(({ ok }) => ok).length
  const text = `${inThousands(answered)} of ${inThousands(lanes.length)} answered · ${refreshWords(run.counts.asked)}`
  return { text, isGood: answered === lanes.length }
}

/** The rest, as short sentences without a full stop. */
export function detailsOf(trace: Trace): string[] {
  const { counts } = trace.run
  if (!counts) return []
  const answered = trace.tabs.flatMap((tab) => tab.lanes).filter(({ ok }) => ok)
  const said: string[] = []
  if (counts.asked !== counts.refreshes) {
    said.push(counts.refreshes === 0 ? 'none granted' : `${inThousands(counts.refreshes)} granted`)
  }
  if (answered.length > 0) said.push(`the last after ${inThousands(slowest(answered))} ms`)
  return [...said, endWords(trace)]
}

/** All of it, the most telling first. */
export function verdictOf(trace: Trace): string[] {
  return [headlineOf(trace).text, ...detailsOf(trace)]
}

function refreshWords(asked: number): string {
  if (asked === 0) return 'no refresh'
  return asked === 1 ? '1 refresh' : `${inThousands(asked)} refreshes`
}

function endWords({ run }: Trace): string {
  if (run.signedOutAt === null) return 'still signed in'
  return run.revoked ? 'session revoked, signed out' : 'signed out'
}

function slowest(lanes: readonly Lane[]): number {
  return lanes.reduce((most, { at, end }) => Math.max(most, (end ?? at) - at), 0)
}

/** Lanes that are not drawn, in a sentence. */
export function restInWords(lanes: readonly Lane[]): string {
  const answered = lanes.filter(({ ok }) => ok)
  const words = `and ${inThousands(lanes.length)} more, ${inThousands(answered.length)} of them answered`
  return answered.length > 0
    ? `${words}, the last after ${inThousands(slowest(answered))} ms`
    : words
}

/** How many lanes are drawn for a tab; the rest is told in words. */
export const MAX_LANES = 200

/** What is said aloud when a run is over. */
export function reportOf(runs: readonly RunRecord[]): string {
  return runs.map(sumUp).filter(Boolean).join(' ')
}

function sumUp({ client, signedOutAt, tabs }: RunRecord): string {
  const calls = tabs.flatMap((tab) => tab.calls)
  const succeeded = calls.filter(({ ok }) => ok)
  const answered = `${inThousands(succeeded.length)} of ${inThousands(calls.length)}`
  const end = signedOutAt === null ? '' : ', and the user was signed out'
  if (client !== 'silent') return `${CLIENTS[client]}: ${answered}${end}.`
  const inTabs = tabs.length > 1 ? ` in ${tabs.length} tabs` : ''
  return `${answered} requests succeeded${inTabs}${end}.`
}
