/** How Pinia Colada is used in this app. */
import type { PiniaColadaOptions } from '@pinia/colada'
import { dropAborted } from './dropAborted.ts'
import { sessionQueries } from './sessionQueries.ts'

export const coladaOptions: PiniaColadaOptions = {
  plugins: [sessionQueries, dropAborted],
  // Milliseconds for which a page that is opened again does not ask. What is cached is shown meanwhile.
  queryOptions: { staleTime: 0 },
}
