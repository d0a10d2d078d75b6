/**
 * A run that was recorded (`npm run screenshots`): ten calls that all find the token dead, with this
 * client and with the interceptor that most of us have written once.
 */
import recorded from '@/components/comparison.json'
import { newRun } from './record.ts'
import type { Plan } from './plan.ts'
import type { Lane, RefreshBar, Segment, Trace } from './trace.ts'

interface Bar {
  kind: string
  /** Milliseconds from the start of the run. */
  from: number
  to: number
}

interface Recorded {
  headline: string
  refreshes: Bar[]
  lanes: Bar[][]
  signedOutAt: number | null
}

export const recordedRuns: Record<'silent' | 'classic', Recorded> = recorded

/** The plan of the recorded run. */
const PLAN: Plan = {
  requests: 10,
  apiMs: 60,
  refreshMs: 200,
  scenario: 'refused',
  rivals: ['classic'],
}

/** Of what a client did in the recorded run. */
export function exampleOf(client: 'silent' | 'classic'): Trace {
  const { lanes, refreshes, signedOutAt } = recordedRuns[client]
  const bars = [...lanes.flat(), ...refreshes]
  return {
    run: newRun('example', client, PLAN, 'example'),
    tabs: [{ tab: 'example', lanes: lanes.map(laneOf) }],
    refreshes: refreshes.map(refreshOf),
    signedOutAt,
    end: Math.max(...bars.map(({ to }) => to)),
  }
}

/** Without its end, nothing is counted beside it. */
function laneOf(bars: Bar[], index: number): Lane {
  const segments = bars as Segment[]
  return { lane: index + 1, at: 0, end: null, segments, told: [], trips: 0, ok: true, answer: '' }
}

function refreshOf({ kind, from, to }: Bar): RefreshBar {
  const granted = kind === 'granted'
  return { from, to, granted, answer: granted ? '200' : '401' }
}

/** Whether the next run would be like the recorded one: only then is that an example of it. */
export function isLikeExample({ requests, apiMs, refreshMs, scenario }: Plan): boolean {
  return (
    requests === PLAN.requests &&
    apiMs === PLAN.apiMs &&
    refreshMs === PLAN.refreshMs &&
    scenario === PLAN.scenario
  )
}
