import { pause, whileSignedIn } from './whileSignedIn.ts'

/**
 * Calls `poll` time and again, with so many milliseconds between, but not in a hidden tab.
 *
 * @example
 * const projects = useQuery(() => projectList({}))
 * usePolling(projects.refresh, 30_000)
 */
export function usePolling(poll: () => Promise<unknown>, milliseconds: number): void {
  whileSignedIn(async (signal) => {
    for (;;) {
      await pause(milliseconds, signal)
      if (document.hidden) {
        const options = { once: true, signal }
        await new Promise((seen) => document.addEventListener('visibilitychange', seen, options))
      }
      if (signal.aborted) return
      await poll().catch(() => {}) // A query shows its error by itself.
    }
  })
}
