/**
 * The mock API: an h3 app that issues JWTs and guards a few resources with them. It has no
 * port and no globals: vite.ts mounts it, main.ts gives it a port, tests call its `fetch`.
 */
import { H3 } from 'h3'
import { createAccess } from './access.ts'
import { answerError } from './errors.ts'
import { breakConnections, createFaults } from './faults.ts'
import { checkHosts } from './host.ts'
import { createLog } from './log.ts'
import { createOriginCheck, registerCors } from './origin.ts'
import { registerAdmin } from './routes/admin.ts'
import { registerAuth } from './routes/auth.ts'
import { registerControls } from './routes/controls.ts'
import { createNotifications, registerNotifications } from './routes/notifications.ts' // demo
import { createProjects, registerProjects } from './routes/projects.ts'
import type { Project } from './routes/projects.ts'
import { registerProtectedResource } from './routes/protected-resource.ts'
import { registerStats } from './routes/stats.ts' // demo
import { createSessions } from './sessions.ts'
import { loadState } from './state.ts'
import type { MockStorage } from './state.ts'
import { toLifetime, toSeconds } from './timespan.ts'
import type { TimeSpan } from './timespan.ts'
import { createTokens } from './tokens.ts'
import { createUsers } from './users.ts'
import type { Account } from './users.ts'

export interface MockServerOptions {
  /** How long an access token lives. Default `15m`. */
  accessTtl?: TimeSpan
  /** How long a refresh token lives. Default `7d`. */
  refreshTtl?: TimeSpan
  /** How long a refresh token that was just replaced is still answered. Default `30s`. */
  reuseLeeway?: TimeSpan
  /** The clock: milliseconds since the epoch. */
  now?: () => number
  /** Who can sign in. Default: `admin` and `demo`, both with the password `password`. */
  users?: Account[]
  /** Where sessions outlive the process. Default: nowhere. */
  storage?: MockStorage
  /** What each user has, by their id, to begin with. It is changed. Default: nothing. */
  projects?: Map<string, Project[]>
  /** Other origins whose pages may call, by CORS. Default: none. */
  allowedOrigins?: string[]
  /** Host names to answer to, besides `localhost` and IP addresses. Default: all. */
  hosts?: string[]
}

/** @throws RangeError if a time span cannot be read */
export function createMockServer(options: MockServerOptions = {}): H3 {
  const { allowedOrigins = [] } = options
  const server = createServices(options)
  const app = new H3({ onError: answerError, onResponse: server.log.finish })

  server.log.register(app)
  registerCors(app, allowedOrigins)
  app.use('/api/auth/**', (event) => event.res.headers.set('Cache-Control', 'no-store'), {
    method: 'POST',
  })
  server.faults.register(app)

  registerAuth(app, server)
  registerProjects(app, server)
  registerNotifications(app, server) // demo
  registerStats(app, server) // demo
  registerAdmin(app, server)
  registerProtectedResource(app, server)
  registerControls(app, server)
  app.get('/api/health', () => ({ status: 'ok' }))

  breakConnections(app)
  checkHosts(app, options.hosts)
  return app
}

/** What the routes work with. */
function createServices(options: MockServerOptions) {
  const { allowedOrigins = [], now = Date.now, storage } = options
  const accessTtl = toLifetime(options.accessTtl ?? '15m')
  const refreshTtl = toLifetime(options.refreshTtl ?? '7d')
  const leeway = toSeconds(options.reuseLeeway ?? '30s')

  const state = loadState(storage)
  const save = storage?.save.bind(storage)
  const startedAt = now() // demo
  const tokens = createTokens({ secrets: state.secrets, accessTtl, refreshTtl, now })
  // Within the leeway an access token is issued so much later than the refresh token beside it.
  const longestTtl = Math.max(accessTtl + leeway, refreshTtl)
  const sessions = createSessions({ state, longestTtl, leeway, now, save })
  const users = createUsers({ accounts: options.users, now })

  return {
    accessTtl,
    refreshTtl,
    now,
    startedAt, // demo
    tokens,
    sessions,
    users,
    access: createAccess(tokens, sessions, users),
    assertOwnOrigin: createOriginCheck(allowedOrigins),
    log: createLog(tokens, now),
    faults: createFaults(),
    projects: createProjects(now, options.projects),
    notifications: createNotifications(startedAt), // demo
    counters: { sequence: 0 },
  }
}
