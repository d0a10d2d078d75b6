/** After something is gone: takes cached answers away. */
import { useQueryCache } from '@pinia/colada'
import type { EntryKey } from '@pinia/colada'

/**
 * Returns a function that removes all answers whose keys begin with this one, so that nothing cached
 * leads back to what is gone. The next view that asks waits for the API.
 */
export function useRemoveCached(): (key: EntryKey) => void {
  const cache = useQueryCache()
  return (key) => {
    for (const entry of cache.getEntries({ key })) cache.remove(entry)
  }
}
