/**
 * The note: one value that all tabs share by localStorage. What it says is left to shared-session.ts.
 */

export type TabStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

/**
 * A value that all tabs see and that outlives the page; where storage is denied, or once it has
 * failed, a variable.
 */
export function createNote(key: string, storage: TabStorage | null) {
  let own: string | null = null
  let shared = storage
  return {
    get isShared() {
      return shared !== null
    },
    get() {
      try {
        if (shared) own = shared.getItem(key)
      } catch {
        shared = null
      }
      return own
    },
    set(value: string | null) {
      own = value
      try {
        if (value === null) shared?.removeItem(key)
        else shared?.setItem(key, value)
      } catch {
        // A full storage costs the restore after a reload, not the session.
        const failed = shared
        shared = null
        try {
          failed?.removeItem(key)
        } catch {
          // It is not full, but broken.
        }
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
