/**
 * A refresh whose page was closed or reloaded (R16). The request outlives the page, and its answer
 * brings a new cookie. Until then, the old refresh token must not be sent again: it would look stolen.
 */
import type { StoredValue } from '../storage.ts'

/** Milliseconds after which the answer has arrived, or never will. */
export const TIME_TO_LAND = 4_000

/** Milliseconds after which a page that is about to go is gone, or stays. */
const TIME_TO_LEAVE = 1_000

/** `sentAt`: when the refresh was sent that has not settled, in milliseconds since the epoch. */
export function createRefreshMark(sentAt: StoredValue, now: () => number) {
  /** The mark of this page's own refresh. */
  let own: string | null = null

  return {
    /** Milliseconds to wait for the refresh of a page that is gone. */
    remaining(): number {
      const at = Number(sentAt.get())
      const age = now() - at
      return at && age >= 0 ? Math.max(0, TIME_TO_LAND - age) : 0
    },
    /** Sends a refresh. The mark stays if the page goes before it settles. */
    async during<T>(refresh: () => Promise<T>): Promise<T> {
      own = String(now())
      sentAt.set(own)
      let isLeaving = false
      const leave = () => (isLeaving = true)
      globalThis.addEventListener?.('beforeunload', leave)
      try {
        return await refresh()
      } catch (error) {
        // The browser rejects the requests of a page just before that goes, and the API still answers
        // them. So this is no failure to tell anybody, and the mark must stay.
        if (isLeaving) await new Promise((resolve) => setTimeout(resolve, TIME_TO_LEAVE))
        throw error
      } finally {
        globalThis.removeEventListener?.('beforeunload', leave)
        own = null
        sentAt.set(null)
      }
    },
    /** Puts the mark back if another script has cleared the storage. */
    keep(): void {
      if (own && !sentAt.get()) sentAt.set(own)
    },
  }
}
