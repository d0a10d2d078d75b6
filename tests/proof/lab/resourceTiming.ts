/** Resource Timing as a browser has it, for tests: entries arrive when the test says so. */
import { vi } from 'vitest'

export interface Entry {
  name: string
  startTime: number
  requestStart?: number
  responseStart?: number
  responseEnd: number
  responseStatus?: number
}

/** One observer at a time is enough for the lab. */
export function stubResourceTiming({ supported = true } = {}) {
  let waiting: Entry[] = []
  type Callback = (list: { getEntries(): Entry[] }) => void
  let callback: Callback | null = null

  class PerformanceObserver {
    static readonly supportedEntryTypes = supported ? ['mark', 'resource'] : ['mark']
    readonly #callback: Callback

    constructor(heard: Callback) {
      this.#callback = heard
    }
    observe() {
      callback = this.#callback
    }
    takeRecords() {
      return waiting.splice(0)
    }
    disconnect() {
      callback = null
    }
  }
  vi.stubGlobal('PerformanceObserver', PerformanceObserver)

  return {
    isObserved: () => callback !== null,
    /** There, but not delivered yet. */
    queue: (entry: Entry) => void waiting.push({ requestStart: 0, responseStart: 0, ...entry }),
    deliver() {
      const entries = waiting
      waiting = []
      callback?.({ getEntries: () => entries })
    },
  }
}

/** Every request through the global fetch leaves an entry. */
export function timeFetch(timing: ReturnType<typeof stubResourceTiming>): void {
  const { fetch } = globalThis
  vi.stubGlobal('fetch', async (input: RequestInfo | URL, init?: RequestInit) => {
    const startTime = performance.now()
    let responseStatus = 0
    try {
      const response = await fetch(input, init)
      responseStatus = response.status
      return response
    } finally {
      const name = new URL(String(input), 'http://localhost').href
      timing.queue({ name, startTime, responseEnd: performance.now(), responseStatus })
      timing.deliver()
    }
  })
}
