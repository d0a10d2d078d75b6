/**
 * Levers for tests and the lab. They are in the mock alone: no real API has them (S8).
 */
import { noContent } from 'h3'
import type { H3, H3Event } from 'h3'
import type { MockServer } from '../app.ts'
import { readJson } from '../body.ts'
import { FaultRequestSchema } from '../faults.ts'

export function registerControls(app: H3, server: MockServer): void {
  const { assertOwnOrigin, counters, faults, log, projects, sessions, users } = server

  // A page elsewhere must not pull them in the browser of somebody who runs the mock.
  app.use('/api/__mock/**', (event) => assertOwnOrigin(event))

  onPost('expire-access', () => sessions.expireAccess())
  onPost('revoke-sessions', () => sessions.refuseRefresh())
  onPost('faults', async (event) => faults.add(await readJson(event, FaultRequestSchema)))
  onPost('reset', () => {
    faults.clear()
    projects.clear()
    sessions.clear()
    users.forgetFailures()
    log.clear()
    counters.sequence = 0
  })
  app.get('/api/__mock/log', () => log.entries())

  function onPost(name: string, pull: (event: H3Event) => void | Promise<void>): void {
    app.post(`/api/__mock/${name}`, async (event) => {
      await pull(event)
      return noContent()
    })
  }
}
