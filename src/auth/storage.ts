/** A value in localStorage that all tabs share. What it means is decided by whoever stores it. */

export type TabStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

export interface StoredValue {
  get(): string | null
  set(value: string | null): void
  /** False if storage is denied or has failed: the value is then known to this tab alone. */
  readonly isShared: boolean
}

/** A value that outlives the page. If storage is denied or fails, it becomes a variable. */
export function createStoredValue(key: string, storage: TabStorage | null): StoredValue {
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
    set(value) {
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
          // Storage is not full, but broken.
        }
      }
    },
  }
}

/** localStorage, or null if the browser denies it. */
export function browserStorage(): Storage | null {
  try {
    return typeof window === 'undefined' ? null : window.localStorage
  } catch {
    return null
  }
}
