/**
 * What left the browser, when, and how it ended, by the browser's own account: Resource Timing. It
 * asks nothing of the client that is watched, so a team can use the same few lines for telemetry.
 *
 * @see https://www.w3.org/TR/resource-timing/
 */

/** One request on the wire. Times are milliseconds since the epoch, so that tabs can compare them. */
export interface Timing {
  what: 'resource' | 'refresh'
  /** Which request of the run, from 1; 0 for a refresh. */
  lane: number
  /** Handed to the browser. */
  start: number
  /** Put on the wire: a browser keeps six connections to a server, and the others queue. */
  sent: number
  end: number
  /** 0 where there was no answer; null where the browser does not tell. */
  status: number | null
}

/** Milliseconds. */
const LOOK_AGAIN = 20

export interface TimingWatch {
  all(): Timing[]
  /** Resolves when `enough` holds, or when `patience` (milliseconds) is over. */
  until(enough: () => boolean, patience: number): Promise<void>
  stop(): void
}

/** Watches the requests that carry `run` in their query, and every refresh, from now on. */
export function watchTimings(run: string, onChange: () => void): TimingWatch {
  const timings: Timing[] = []
  const take = (entries: PerformanceEntryList) => {
    const read = entries.map((entry) => readEntry(entry as PerformanceResourceTiming, run))
    const ours = read.filter((timing) => timing !== null)
    timings.push(...ours)
    if (ours.length > 0) onChange()
  }
  const isSupported = globalThis.PerformanceObserver?.supportedEntryTypes?.includes('resource')
  const observer = isSupported
    ? new PerformanceObserver((list) => take(list.getEntries()))
    : undefined
  // An observer hears of all, but the page's own list ends at 250: what is not for us is let go.
  performance.clearResourceTimings?.()
  observer?.observe({ type: 'resource' })

  return {
    all: () => timings,
    async until(enough, patience) {
      const end = performance.now() + patience
      // Entries come some time after the answer that they are about.
      for (;;) {
        take(observer?.takeRecords() ?? [])
        if (!observer || enough() || performance.now() > end) return
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN))
      }
    },
    stop: () => observer?.disconnect(),
  }
}

/** One of ours, or null. */
export function readEntry(entry: PerformanceResourceTiming, run: string): Timing | null {
  const { pathname, searchParams } = new URL(entry.name, 'http://localhost')
  const isRefresh = pathname.endsWith('/auth/refresh')
  if (!isRefresh && searchParams.get('run') !== run) return null
  const at = (time: number) => performance.timeOrigin + time
  return {
    what: isRefresh ? 'refresh' : 'resource',
    lane: isRefresh ? 0 : Number(searchParams.get('lane')),
    start: at(entry.startTime),
    // 0 for a request that failed, or went to an origin that does not tell.
    sent: at(entry.requestStart || entry.startTime),
    end: at(entry.responseEnd),
    status: statusOf(entry),
  }
}

function statusOf({ responseStatus, responseStart }: PerformanceResourceTiming): number | null {
  // An answer that came, and was let go before it was read, has none in Chromium.
  if (responseStatus === 0 && responseStart > 0) return null
  return responseStatus ?? null
}
