/**
 * A fleet of clients through an outage of the API: how many refreshes per second reach the server
 * before, during and after it. The clients run the real `createAuth`, on a clock of their own.
 *
 *     npm run bench:fleet
 */
import { createAuth, createTabs } from '../../../src/auth/index.ts'
import type { AuthBackend } from '../../../src/auth/index.ts'

const CLIENTS = 10_000
const MINUTE = 60_000
const LIFETIME = 15 * MINUTE
const TICK = 100
const WARM_UP = 45 * MINUTE
const OUTAGE = { from: 60 * MINUTE, to: 70 * MINUTE }
const END = 100 * MINUTE

interface Strategy {
  name: string
  random: () => number
  /** `false`: tries again with every request, as a client without back-off does. */
  backOff: boolean
  /** Seconds that the server asks for in `Retry-After` while it is down. */
  retryAfter?: number
}

/** Per second: refreshes alone, and all that reaches the API. */
interface Figures {
  steady: number
  outage: number
  peakAfter: number
  steadyLoad: number
  peakLoadAfter: number
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

/** `pause`: milliseconds between two requests of a client, on average. */
async function simulate(strategy: Strategy, pause: number): Promise<Figures> {
  const random = createRandom(1)
  const refreshes = Array.from({ length: END / 1000 }, () => 0)
  const requests = Array.from({ length: END / 1000 }, () => 0)
  let clock = 0
  const isDown = () => clock >= OUTAGE.from && clock < OUTAGE.to
  const user = { id: '1', username: 'demo', name: 'Demo', roles: [] }

  const grant = (expiresIn: number) => ({ accessToken: String(random()), expiresIn, user })
  const backend: AuthBackend = {
    // The first tokens have any age, so that the fleet does not march in step.
    login: async () => grant(1 + (random() * LIFETIME) / 1000),
    async refresh() {
      refreshes[Math.floor(clock / 1000)]! += 1
      if (isDown()) throw unavailable(strategy.retryAfter)
      return grant(LIFETIME / 1000)
    },
    logout: async () => {},
  }

  const due: (() => void)[][] = Array.from({ length: END / TICK + 1 }, () => [])
  /** Requests come at random, as those of people do: the time between two is exponential. */
  const schedule = (work: () => void) => {
    const at = clock + -Math.log(1 - random()) * pause
    if (at < END) due[Math.ceil(at / TICK)]!.push(work)
  }

  for (let n = 0; n < CLIENTS; n += 1) {
    const tabs = createTabs({ locks: null, channel: null, storage: null, page: null })
    const auth = createAuth({ backend, tabs, now: () => clock, random: strategy.random })
    await auth.login({ username: 'demo', password: 'password' })
    const request = () => {
      const session = auth.sessions.current()!
      if (!strategy.backOff) session.endPause()
      Promise.resolve(session.tokenToSend()).then(
        () => (requests[Math.floor(clock / 1000)]! += 1),
        () => {}, // It would reject with the failure of the refresh.
      )
      schedule(request)
    }
    schedule(request)
  }

  for (const [tick, works] of due.entries()) {
    clock = tick * TICK
    for (const work of works) work()
    if (works.length > 0) await new Promise(setImmediate)
  }

  const load = refreshes.map((count, second) => count + requests[second]!)
  const between = (rates: number[], from: number, to: number) => rates.slice(from / 1000, to / 1000)
  return {
    steady: mean(between(refreshes, WARM_UP, OUTAGE.from)),
    outage: mean(between(refreshes, OUTAGE.from, OUTAGE.to)),
    peakAfter: highest(between(refreshes, OUTAGE.to, END)),
    steadyLoad: mean(between(load, WARM_UP, OUTAGE.from)),
    peakLoadAfter: highest(between(load, OUTAGE.to, END)),
  }
}

function unavailable(retryAfter?: number): Error {
  const headers: HeadersInit = retryAfter ? { 'retry-after': String(retryAfter) } : {}
  const response = new Response(null, { status: 503, headers })
  return Object.assign(new Error('Service Unavailable'), { status: 503, response })
}

function mean(numbers: number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}

/** The mean of the busiest ten seconds: in one second alone chance has too large a part. */
function highest(rates: number[]): number {
  return Math.max(...rates.slice(9).map((_, index) => mean(rates.slice(index, index + 10))))
}

const strategies: Strategy[] = [
  { name: 'no back-off', random: () => 0, backOff: false },
  { name: 'back-off without jitter', random: () => 0, backOff: true },
  { name: 'back-off with jitter', random: createRandom(2), backOff: true },
  { name: 'the same, Retry-After: 300', random: createRandom(2), backOff: true, retryAfter: 300 },
  { name: 'the same, Retry-After: 600', random: createRandom(2), backOff: true, retryAfter: 600 },
]

const rows = []
for (const pause of [5_000, 20_000, 5 * MINUTE]) {
  for (const strategy of strategies) {
    const figures = await simulate(strategy, pause)
    rows.push({
      'a request every': `${pause / 1000} s`,
      strategy: strategy.name,
      'refreshes /s before': figures.steady.toFixed(1),
      'in the outage': figures.outage.toFixed(1),
      'peak after': figures.peakAfter.toFixed(1),
      'times refreshes before': (figures.peakAfter / figures.steady).toFixed(1),
      'all requests /s before': figures.steadyLoad.toFixed(0),
      'peak of all after': figures.peakLoadAfter.toFixed(0),
      'times before': (figures.peakLoadAfter / figures.steadyLoad).toFixed(2),
    })
  }
}
console.table(rows)
