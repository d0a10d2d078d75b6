/** What is stored for all tabs: the random id of their session, or how the last one ended. */
import type { EndOfAll } from '../errors.ts'
import type { StoredValue } from '../storage.ts'

/** Stored until the API knows of a sign-out. */
const OWED = 'sign-out-owed'
/** Behind the id while it is not known whose the cookie is. */
const IN_DOUBT = ' in doubt'

export function createStoredSession(value: StoredValue) {
  /** Null: there is a session, or nothing is stored. */
  function end(): EndOfAll | null {
    const stored = value.get()
    if (stored === OWED) return 'signed-out'
    return stored === 'signed-out' || stored === 'expired' ? stored : null
  }

  /** Null if no session is known in this browser. */
  function id(): string | null {
    return end() ? null : idIn(value.get())
  }

  /** Whether `other` may be replaced: nobody has signed in meanwhile. */
  const isFree = (other: string | null) => !id() || id() === other

  return {
    id,
    end,
    isFree,
    /** The session that is known from now on, without a doubt. */
    setId: (next: string) => value.set(next),
    /**
     * A sign-in was sent in this session, and got no answer: the cookie may be another person's by now
     * (R6). Stored, because the next page has to know it too.
     */
    isInDoubt: () => !!id() && value.get()!.endsWith(IN_DOUBT),
    setInDoubt(isInDoubt: boolean): void {
      const known = id()
      if (known) value.set(isInDoubt ? known + IN_DOUBT : known)
    },
    /** Does nothing if another session is stored. `isGuess`: nobody knew whether it existed. */
    setEnd(of: string, reason: EndOfAll, isGuess = false): void {
      const stored = idIn(value.get())
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

function idIn(stored: string | null): string | null {
  return stored?.replace(IN_DOUBT, '') ?? null
}
