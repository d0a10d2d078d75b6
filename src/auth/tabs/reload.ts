/**
 * A refresh whose page was closed or reloaded (R16). The request outlives the page, and its answer
 * brings a new cookie. Until then, the old refresh token must not be sent again: it would look stolen.
 */
import type { StoredValue } from '../storage.ts'

/** Milliseconds after which the answer has arrived, or never will. */
export const TIME_TO_LAND = 4_000

/** `stored`: the mark of the refresh that has not settled. It begins with the time when it was sent. */
export function createRefreshMark(stored: StoredValue, now: () => number) {
  /** The mark of this page's own refresh. */
  let own: string | null = null
  /** The mark of the refresh of this page or another that has settled last. */
  let settled: string | null = null

  return {
    /** Milliseconds to wait for the refresh of a page that is gone. */
    remaining(): number {
      const mark = stored.get()
      // The message with the result may overtake the removal of the mark from localStorage.
      if (!mark || mark === settled) return 0
      const age = now() - parseInt(mark)
      return age >= 0 ? Math.max(0, TIME_TO_LAND - age) : 0 // Else the clock was set back.
    },
    /** Sends a refresh, which `signal` ends. The mark stays if the page goes before it settles. */
    async during<T>(refresh: () => Promise<T>, signal?: AbortSignal): Promise<T> {
      own = `${now()} ${Math.random()}`
      stored.set(own)
      try {
        return await refresh()
      } catch (error) {
        // The browser rejects the requests of a page that goes, and the API still answers them. Such a
        // page runs no timer any more, so the mark stays and no tab is told of a failure.
        const isAnswered = Object(error).status !== undefined
        if (!isAnswered && !signal?.aborted) await new Promise((resolve) => setTimeout(resolve))
        throw error
      } finally {
        settled = own
        own = null
        stored.set(null)
      }
    },
    /** The mark of the refresh that has settled last. Its result names it. */
    settled: () => settled,
    settledElsewhere(mark: string): void {
      settled = mark
    },
    /** Puts the mark back if another script has cleared the storage. */
    keep(): void {
      if (own && !stored.get()) stored.set(own)
    },
  }
}
