/**
 * Levers for trying and testing. They are in the mock alone: no real API has them (S8).
 */
import { noContent } from 'h3'
import type { H3, H3Event } from 'h3'
import * as v from 'valibot'
import { invalidBody, readJson } from '../body.ts'
import { FaultRequestSchema } from '../faults.ts'
import type { Faults } from '../faults.ts'
import type { Log } from '../log.ts'
import type { AssertOwnOrigin } from '../origin.ts'
import type { Sessions } from '../sessions.ts'
import type { Tokens } from '../tokens.ts'
import type { Users } from '../users.ts'
import type { Projects } from './projects.ts'

/** What `POST /api/__mock/conditions` takes. */
const ConditionsSchema = v.object({
  /** Seconds that a replaced refresh token is still answered. Default: as at start. */
  leeway: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(3600))),
})

/** What `POST /api/__mock/expire-access` takes. */
const ExpireSchema = v.object({
  /** One of the session whose tokens are to be refused. Default: those of all sessions. */
  accessToken: v.optional(v.string()),
})

interface Services {
  assertOwnOrigin: AssertOwnOrigin
  counters: { sequence: number }
  faults: Faults
  log: Log
  projects: Projects
  sessions: Sessions
  tokens: Tokens
  users: Users
}

export function registerControls(app: H3, server: Services): void {
  const { assertOwnOrigin, counters, faults, log, sessions, tokens, users } = server

  // A page elsewhere must not pull them in the browser of somebody who runs the mock.
  app.use('/api/__mock/**', (event) => assertOwnOrigin(event))

  onPost('expire-access', async (event) => {
    const { accessToken } = await readJson(event, ExpireSchema)
    sessions.expireAccess(accessToken && (await sessionOf(accessToken)))
  })
  onPost('revoke-sessions', () => sessions.refuseRefresh())
  onPost('faults', async (event) => faults.add(await readJson(event, FaultRequestSchema)))
  // No fault is left, and sessions as they were.
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

  /** @throws HTTPError 400 `invalid_body` */
  async function sessionOf(accessToken: string): Promise<string> {
    const claims = await tokens.verifyAccess(accessToken).catch(() => null)
    if (!claims) throw invalidBody('accessToken: Send one that is valid.')
    return claims.sid
  }

  function onPost(name: string, pull: (event: H3Event) => void | Promise<void>): void {
    app.post(`/api/__mock/${name}`, async (event) => {
      await pull(event)
      return noContent()
    })
  }
}
