/**
 * Levers for trying and testing. They are in the mock alone: no real API has them (S8).
 */
import { noContent } from 'h3'
import type { H3, H3Event } from 'h3'
import * as v from 'valibot'
import type { MockServer } from '../app.ts'
import { readJson } from '../body.ts'
import { FaultRequestSchema } from '../faults.ts'

/** What `POST /api/__mock/conditions` takes. */
const ConditionsSchema = v.object({
  /** Seconds that a replaced refresh token is still answered. Default: as at start. */
  leeway: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(3600))),
})

export function registerControls(app: H3, server: MockServer): void {
  const { assertOwnOrigin, counters, faults, log, sessions, users } = server

  // A page elsewhere must not pull them in the browser of somebody who runs the mock.
  app.use('/api/__mock/**', (event) => assertOwnOrigin(event))

  onPost('expire-access', () => sessions.expireAccess())
  onPost('revoke-sessions', () => sessions.refuseRefresh())
  onPost('faults', async (event) => faults.add(await readJson(event, FaultRequestSchema)))
  // Fair weather: no fault is left, and sessions as they were.
  onPost('conditions', async (event) => {
    const { leeway } = await readJson(event, ConditionsSchema)
    faults.clear()
    sessions.setLeeway(leeway)
  })
  onPost('reset', () => {
    faults.clear()
    sessions.setLeeway()
    server.projects.clear()
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
