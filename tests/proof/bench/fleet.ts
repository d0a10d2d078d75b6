/**
 * How many refreshes per second a fleet of clients sends: through an outage of the API, after all have
 * signed in together, and after all tokens were invalidated at once. The clients run the real
 * `createAuth`, on a clock of their own.
 *
 *     npm run bench:fleet
 */
import { createAuth, createTabs } from '../../../src/auth/index.ts'
import type { AuthBackend } from '../../../src/auth/index.ts'

const CLIENTS = 4_000
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const LIFETIME = 15 * MINUTE
const TICK = 100

interface Scenario {
  /** Milliseconds between two requests of a client, on average. */
  pause: number
  end: number
  /** `false`: `random` is 0, so that every last stretch is 60 s, and no pause has jitter. */
  isDrawn: boolean
  /** All sign in within the first second. Else the first tokens have any age. */
  isTogether?: boolean
  /** From then on the API refuses the tokens issued before, as after a change of its key. */
  invalidatedAt?: number
  outage?: Outage
}

interface Outage {
  from: number
  to: number
  /** `false`: tries again with every request, as a client without back-off does. */
  backOff: boolean
  /** Seconds that the server asks for in `Retry-After` while it is down. */
  retryAfter?: number
}

/** By seconds: refreshes alone, and the other requests. */
interface Counts {
  refreshes: number[]
  requests: number[]
}

/** The same numbers in every run (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

async function simulate(scenario: Scenario): Promise<Counts> {
  const { pause, end, outage, isTogether, invalidatedAt = Infinity } = scenario
  const random = createRandom(1)
  const drawn = scenario.isDrawn ? createRandom(2) : () => 0
  const refreshes = Array.from({ length: end / 1000 }, () => 0)
  const requests = Array.from({ length: end / 1000 }, () => 0)
  let clock = 0
  const isDown = () => outage && clock >= outage.from && clock < outage.to
  const user = { id: '1', username: 'demo', name: 'Demo', roles: [] }

  const key = () => (clock < invalidatedAt ? 'old' : 'new')
  const grant = (expiresIn: number) => ({ accessToken: `${key()} ${random()}`, expiresIn, user })
  const backend: AuthBackend = {
    login: async () => grant(isTogether ? LIFETIME / 1000 : 1 + (random() * LIFETIME) / 1000),
    async refresh() {
      refreshes[Math.floor(clock / 1000)]! += 1
      if (isDown()) throw unavailable(outage!.retryAfter)
      return grant(LIFETIME / 1000)
    },
    logout: async () => {},
  }

  const due: (() => void)[][] = Array.from({ length: end / TICK + 1 }, () => [])
  /** Requests come at random, as those of people do: the time between two is exponential. */
  const schedule = (work: () => void) => {
    const at = clock + -Math.log(1 - random()) * pause
    if (at < end) due[Math.ceil(at / TICK)]!.push(work)
  }

  for (let n = 0; n < CLIENTS; n += 1) {
    const tabs = createTabs({ locks: null, channel: null, storage: null, page: null })
    const auth = createAuth({ backend, tabs, now: () => clock, random: drawn })
    clock = isTogether ? random() * 1000 : 0
    await auth.login({ username: 'demo', password: 'password' })
    const send = async () => {
      const session = auth.sessions.current()!
      if (outage && !outage.backOff) session.endPause()
      const token = await session.tokenToSend()
      requests[Math.floor(clock / 1000)]! += 1
      if (!token.startsWith(key())) await session.tokenAfter401(token, 'GET /')
    }
    const request = () => {
      send().catch(() => {}) // It would reject with the failure of the refresh.
      schedule(request)
    }
    schedule(request)
  }

  for (const [tick, works] of due.entries()) {
    clock = tick * TICK
    for (const work of works) work()
    if (works.length > 0) await new Promise(setImmediate)
    due[tick] = []
  }
  return { refreshes, requests }
}

function unavailable(retryAfter?: number): Error {
  const headers: HeadersInit = retryAfter ? { 'retry-after': String(retryAfter) } : {}
  const response = new Response(null, { status: 503, headers })
  return Object.assign(new Error('Service Unavailable'), { status: 503, response })
}

function between(rates: number[], from: number, to: number): number[] {
  return rates.slice(from / 1000, to / 1000)
}

function mean(numbers: number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}

/** The mean of the busiest ten seconds: in one second alone chance has too large a part. */
function highest(rates: number[]): number {
  return Math.max(...rates.slice(9).map((_, index) => mean(rates.slice(index, index + 10))))
}

/** Peaks of refreshes where all clients have new tokens at the same time, `from` milliseconds on. */
async function inStep(scenario: Scenario, from: number) {
  const { refreshes } = await simulate(scenario)
  const peak = (start: number, stop: number) =>
    highest(between(refreshes, from + start, from + stop)).toFixed(1)
  return {
    'last stretch': scenario.isDrawn ? 'drawn, 60 to 180 s' : '60 s',
    'peak at once': peak(0, 5 * MINUTE),
    'peak of the first renewal': peak(5 * MINUTE, 25 * MINUTE),
    'peak in the third hour': peak(2 * HOUR, 3 * HOUR),
    'mean of the third hour': mean(between(refreshes, from + 2 * HOUR, from + 3 * HOUR)).toFixed(1),
  }
}

const stepRows = []
for (const pause of [20_000, 5 * MINUTE]) {
  for (const isDrawn of [false, true]) {
    const base = { pause, isDrawn }
    const every = { 'a request every': `${pause / 1000} s` }
    const together = await inStep({ ...base, isTogether: true, end: 3 * HOUR }, 0)
    stepRows.push({ scenario: 'signed in together', ...every, ...together })
    const invalidated = await inStep({ ...base, invalidatedAt: HOUR, end: 4 * HOUR }, HOUR)
    stepRows.push({ scenario: 'all tokens invalidated', ...every, ...invalidated })
  }
}
console.table(stepRows)

const [WARM_UP, FROM, TO, END] = [45 * MINUTE, 60 * MINUTE, 70 * MINUTE, 100 * MINUTE]
const strategies = [
  { name: 'no back-off', isDrawn: false, backOff: false },
  { name: 'back-off without jitter', isDrawn: false, backOff: true },
  { name: 'back-off with jitter', isDrawn: true, backOff: true },
  { name: 'the same, Retry-After: 300', isDrawn: true, backOff: true, retryAfter: 300 },
  { name: 'the same, Retry-After: 600', isDrawn: true, backOff: true, retryAfter: 600 },
]

const rows = []
for (const pause of [20_000, 5 * MINUTE]) {
  for (const { name, isDrawn, ...how } of strategies) {
    const outage = { from: FROM, to: TO, ...how }
    const { refreshes, requests } = await simulate({ pause, end: END, isDrawn, outage })
    const load = refreshes.map((count, second) => count + requests[second]!)
    const steady = mean(between(refreshes, WARM_UP, FROM))
    const peakAfter = highest(between(refreshes, TO, END))
    const steadyLoad = mean(between(load, WARM_UP, FROM))
    const peakLoadAfter = highest(between(load, TO, END))
    rows.push({
      'a request every': `${pause / 1000} s`,
      strategy: name,
      'refreshes /s before': steady.toFixed(1),
      'in the outage': mean(between(refreshes, FROM, TO)).toFixed(1),
      'peak after': peakAfter.toFixed(1),
      'times refreshes before': (peakAfter / steady).toFixed(1),
      'all requests /s before': steadyLoad.toFixed(0),
      'peak of all after': peakLoadAfter.toFixed(0),
      'times before': (peakLoadAfter / steadyLoad).toFixed(2),
    })
  }
}
console.table(rows)
