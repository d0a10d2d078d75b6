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

/** Short sentences without a full stop, the most telling first. */
export function verdictOf(trace: Trace): string[] {
  const { run } = trace
  if (!run.counts) return [run.endedAt === null ? 'Under way …' : 'Given up, and not counted']
  const lanes = trace.tabs.flatMap((tab) => tab.lanes)
  const answered = lanes.filter(({ ok }) => ok)
  const said = [
    refreshWords(run.counts.asked, run.counts.refreshes),
    `${inThousands(answered.length)} of ${inThousands(lanes.length)} answered`,
  ]
  if (answered.length > 0) said.push(`the last after ${inThousands(slowest(answered))} ms`)
  return [...said, endWords(trace)]
}

function refreshWords(asked: number, granted: number): string {
  if (asked === 0) return 'No refresh'
  const words = asked === 1 ? '1 refresh' : `${inThousands(asked)} refreshes`
  if (asked === granted) return words
  return granted === 0 ? `${words}, none granted` : `${words}, ${inThousands(granted)} granted`
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
