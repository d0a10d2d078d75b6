/** One call after the other, beside the same through bare ofetch: in Node and in a browser. */
const WARM_UP = 5

export type Client = (path: string, options?: { signal: AbortSignal }) => Promise<unknown>

/** A signal a call is what ends it with its session. */
export async function oneCall(over: string, bare: Client, api: Client, count = 500, rounds = 100) {
  const inTurn = (call: () => Promise<unknown>) => async () => {
    for (let n = 0; n < count; n += 1) await call()
  }
  const session = new AbortController()
  const calls = {
    'bare ofetch': () => bare('/x'),
    'bare ofetch with a signal': () => bare('/x', { signal: AbortSignal.any([session.signal]) }),
    client: () => api('/x'),
  }
  const all = await medians(Object.values(calls).map(inTurn), rounds)
  return Object.keys(calls).map((what, index) => ({
    'one call': `${what}, ${over}`,
    µs: round((all[index]! / count) * 1000),
    ratio: round(all[index]! / all[0]!),
  }))
}

/** In milliseconds, of each, in rounds in which all take turns. */
export async function medians(work: (() => Promise<unknown>)[], rounds = 20): Promise<number[]> {
  const measured = work.map((): number[] => [])
  for (let round = -WARM_UP; round < rounds; round += 1) {
    for (const [index, run] of shuffled([...work.entries()])) {
      const start = performance.now()
      await run()
      if (round >= 0) measured[index]!.push(performance.now() - start)
    }
  }
  return measured.map((all) => all.sort((a, b) => a - b)[rounds / 2]!)
}

function shuffled<T>(items: T[]): T[] {
  const drawn = items.map((item) => ({ item, lot: Math.random() }))
  return drawn.sort((a, b) => a.lot - b.lot).map(({ item }) => item)
}

export function round(number: number): number {
  return Number(number.toPrecision(3))
}
