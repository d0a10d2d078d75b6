/** What is stored for all tabs: the random id of their session, or how the last one ended. */
import type { EndOfAll } from '../errors.ts'
import type { StoredValue } from '../storage.ts'

/** Stored until the API knows of a sign-out. */
const OWED = 'sign-out-owed'

export function createStoredSession(value: StoredValue) {
  /** Null: there is a session, or nothing is stored. */
  function end(): EndOfAll | null {
    const stored = value.get()
    if (stored === OWED) return 'signed-out'
    return stored === 'signed-out' || stored === 'expired' ? stored : null
  }

  /** Null if no session is known in this browser. */
  function id(): string | null {
    return end() ? null : value.get()
  }

  /** Whether `other` may be replaced: nobody has signed in meanwhile. */
  const isFree = (other: string | null) => !id() || id() === other

  return {
    id,
    end,
    isFree,
    setId: (next: string) => value.set(next),
    /** Does nothing if another session is stored. `isGuess`: nobody knew whether it existed. */
    setEnd(of: string, reason: EndOfAll, isGuess = false): void {
      const stored = value.get()
      // Another script may have cleared the storage.
      if (stored === of || (!stored && !isGuess)) value.set(reason)
    },
    isSignOutOwed: () => value.get() === OWED,
    oweSignOut(of: string | null): void {
      if (isFree(of)) value.set(OWED)
    },
    signOutTold(reason: EndOfAll): void {
      // If this tab froze meanwhile, another may have signed somebody in.
      if (value.get() === OWED) value.set(reason)
    },
    /** False if storage is denied or has failed: what is stored is then known to this tab alone. */
    get isShared() {
      return value.isShared
    },
  }
}
