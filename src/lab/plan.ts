/** What a person can choose in the lab, and what it asks of the mock server. */
import { REFRESH, RESOURCE } from './log.ts'
import type { Fault } from './mock.ts'

export const SCENARIOS = [
  {
    id: 'fine',
    label: 'Nothing: the token as it is',
    hint: 'Your own session, as it is, or as you have broken it with the buttons below.',
  },
  {
    id: 'dead',
    label: 'Token dead by the clock',
    hint: 'The client sees that it has run out, and refreshes before anything is sent.',
    spare: true,
  },
  {
    id: 'refused',
    label: 'Token refused by the server',
    hint: 'Every request comes back with a 401. One refresh, then each is sent once more.',
  },
  {
    id: 'late',
    label: 'Three 401s come late',
    hint: 'They arrive when the refresh is over. Their requests are sent once more, without another one.',
  },
  {
    id: 'slow',
    label: 'Refresh slow',
    hint: 'It takes 2 s at least. Half of the requests are made meanwhile: they wait, unsent.',
    late: true,
  },
  {
    id: 'unavailable',
    label: 'Refresh answered 503, twice',
    hint: 'Callers hear of it and try again; the client leaves the server time. Nobody is signed out.',
    patient: true,
  },
  {
    id: 'denied',
    label: 'Refresh refused',
    hint: 'The server has ended the session. One refresh, and everyone is told.',
    spare: true,
  },
  {
    id: 'offline',
    label: 'Offline at the refresh',
    hint: 'The connection breaks, then is back. A browser may send what broke a few times by itself.',
    patient: true,
  },
] as const satisfies Scenario[]

export interface Scenario {
  id: string
  label: string
  hint: string
  /** In a session of the lab's own: nobody can set the clock of the app's, or wants to lose it. */
  spare?: boolean
  /** Half of the requests are made when the refresh is under way. */
  late?: boolean
  /** Callers try again, as a page that polls does. */
  patient?: boolean
}

export type ScenarioId = (typeof SCENARIOS)[number]['id']

/** What can be compared with the app's client: clients of the lab's own. */
export const RIVALS = ['classic', 'shared', 'library'] as const

export type RivalName = (typeof RIVALS)[number]

export interface Plan {
  requests: number
  /** Milliseconds that the API takes, and that a refresh takes, beside their work. */
  apiMs: number
  refreshMs: number
  scenario: ScenarioId
  /** The same once more with each of these. */
  rivals: readonly RivalName[]
}

export const LIMITS = {
  requests: { label: 'Requests', min: 1, max: 1000 },
  apiMs: { label: 'API (ms)', min: 0, max: 5000 },
  // A refresh is given up after 10 s.
  refreshMs: { label: 'Refresh (ms)', min: 0, max: 8000 },
} as const

const SLOW = 2000
const LATE = 3
/** Milliseconds. */
const MARGIN = 250
const ALWAYS = 1_000_000

export function scenarioOf({ scenario }: Plan): Scenario {
  return SCENARIOS.find(({ id }) => id === scenario)!
}

/** Requests that the mock's log has room for: it keeps the latest 5,000, refreshes among them. */
const LOGGED = 4900

/**
 * `tabs`: how many are open in this lab. All make these requests, and each may be sent twice.
 *
 * @throws RangeError that says which field to correct
 */
export function assertPlan(plan: Plan, tabs = 1): void {
  const sharing = scenarioOf(plan).spare ? 1 : tabs // useLab runs such a scenario alone.
  for (const name of ['requests', 'apiMs', 'refreshMs'] as const) {
    const { label, min, max } = LIMITS[name]
    const most = name === 'requests' ? Math.min(max, Math.floor(LOGGED / 2 / sharing)) : max
    if (Number.isInteger(plan[name]) && plan[name] >= min && plan[name] <= most) continue
    throw new RangeError(`${label}: enter a whole number from ${min} to ${most}.`)
  }
}

export function refreshTime({ scenario, refreshMs }: Plan): number {
  return scenario === 'slow' ? Math.max(SLOW, refreshMs) : refreshMs
}

/** What the server is to do to the requests of a run, the first of its kind first. */
export function faultsOf(plan: Plan): Fault[] {
  const { scenario, apiMs } = plan
  const delayMs = refreshTime(plan)
  const faults: Fault[] = []
  if (scenario === 'unavailable') faults.push({ path: REFRESH, times: 2, status: 503, delayMs })
  if (scenario === 'late') faults.push(...lateFaults(plan))
  if (scenario === 'offline') faults.push({ path: REFRESH, times: ALWAYS, kind: 'drop' })
  return [...faults, ...delaysOf(apiMs, delayMs)]
}

/** The last three 401s come one by one, each when the refresh that the last one led to is over. */
function lateFaults({ requests, apiMs, refreshMs }: Plan): Fault[] {
  const late = Math.min(LATE, requests - 1)
  const apart = apiMs + refreshMs + MARGIN
  const delays = Array.from({ length: late }, (_, index) => apiMs + (index + 1) * apart)
  return [
    { path: RESOURCE, times: requests - late, delayMs: apiMs },
    ...delays.map((delayMs) => ({ path: RESOURCE, times: 1, delayMs })),
  ]
}

/** What is left when the connection is back. */
export function delaysOf(apiMs: number, refreshMs: number): Fault[] {
  const delays = [
    { path: RESOURCE, times: ALWAYS, delayMs: apiMs },
    { path: REFRESH, times: ALWAYS, delayMs: refreshMs },
  ]
  return delays.filter(({ delayMs }) => delayMs > 0)
}
