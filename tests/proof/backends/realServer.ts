/** A real server for the journeys of a file. Before each request its clock gets the journey's time. */
import { afterAll, beforeAll } from 'vitest'
import type { JourneyApi, OpenApi } from './journeys.ts'
import { createServerProcess } from './server.ts'
import type { ServerName, ServerProcess } from './server.ts'

const network = globalThis.fetch

type RealApi = Pick<JourneyApi, 'createBackend' | 'isRefresh' | 'clientFetch'> & { path?: string }

export function useRealServer(name: ServerName, { path = '', ...api }: RealApi, env = {}) {
  let server: ServerProcess
  beforeAll(async () => {
    server = await createServerProcess(name, env)
    server.setClock(Date.UTC(2030, 0, 1))
    await server.start()
  })
  afterAll(async () => {
    console.log(`${name}: ${server.refreshes()} refreshes in the server's log`)
    await server.remove()
  })

  return (more: Partial<JourneyApi> = {}): OpenApi =>
    (now) => ({
      ...api,
      baseURL: server.origin + path,
      fetch: (input, init) => {
        server.setClock(now())
        return network(input, init)
      },
      ...more,
    })
}
