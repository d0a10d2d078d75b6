/**
 * What the tabs of a browser share by localStorage: a note. What it says is left to
 * shared-session.ts.
 */

export type TabStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

/** A value that all tabs see and that outlives the page; where storage is denied, a variable. */
export function createNote(key: string, storage: TabStorage | null) {
  let own: string | null = null
  let shared = storage
  return {
    get isShared() {
      return shared !== null
    },
    get: () => (shared ? shared.getItem(key) : own),
    set(value: string | null) {
      own = value
      try {
        if (value === null) shared?.removeItem(key)
        else shared?.setItem(key, value)
      } catch {
        // A full storage costs the restore after a reload, not the session.
        shared?.removeItem(key)
        shared = null
      }
    },
  }
}

export function browserStorage(): Storage | null {
  try {
    return typeof window === 'undefined' ? null : window.localStorage
  } catch {
    return null
  }
}
