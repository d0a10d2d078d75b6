/**
 * A view that goes aborts its query, and one that takes its place at that moment, with the same key, is
 * to send its own. Pinia Colada 1.4 hands it the aborted one, and it would load forever.
 */
import type { PiniaColadaPlugin } from '@pinia/colada'

/** A plugin of Pinia Colada. */
export const dropAborted: PiniaColadaPlugin = ({ queryCache }) => {
  queryCache.$onAction(({ name, args, after }) => {
    if (name !== 'untrack') return
    const [entry] = args
    after(() => {
      if (entry.pending?.abortController.signal.aborted) queryCache.cancel(entry)
    })
  })
}
