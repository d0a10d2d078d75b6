/** After a change: makes cached answers stale. */
import { useQueryCache } from '@pinia/colada'
import type { EntryKey } from '@pinia/colada'

/**
 * Returns a function that makes all answers stale whose keys begin with this one. Those that are in view
 * are loaded again; a failure is shown there, and is none of the change.
 */
export function useInvalidate(): (key: EntryKey) => void {
  const cache = useQueryCache()
  return (key) => void cache.invalidateQueries({ key }).catch(() => {})
}
