/**
 * `npm run mock`: the mock API alone on a port, for an app or another client on another origin.
 */
import process from 'node:process'
import { serve } from 'h3'
import type { H3 } from 'h3'
import { createMockServer } from './app.ts'
import { ACCOUNTS_HINT, lifetimesFrom, portFrom } from './env.ts'
import { apiError } from './errors.ts'
import { cacheFile, createFileStorage } from './storage.ts'

/** Where Vite's dev and preview servers are. */
const APP_ORIGINS = [5173, 4173].flatMap((port) => [
  `http://localhost:${port}`,
  `http://127.0.0.1:${port}`,
])

/** The names of this machine, with any port. */
const LOCAL_HOST = /^(localhost|127\.0\.0\.1)(:\d+)?$/

async function main(): Promise<void> {
  const port = portFrom(process.env)
  // S8: nobody but this machine, unless told otherwise.
  const hostname = process.env.MOCK_HOST || '127.0.0.1'
  const app = createMockServer({
    ...lifetimesFrom(process.env),
    storage: createFileStorage(cacheFile(process.cwd(), 'standalone')),
    allowedOrigins: APP_ORIGINS,
  })

  // A foreign name that leads here (DNS rebinding) would make a foreign page one of this origin.
  if (!process.env.MOCK_HOST) refuseForeignHosts(app)
  const server = serve(app, { port, hostname, silent: true, gracefulShutdown: false })
  await server.ready()
  const url = new URL('/api', server.url)
  // The name that the app's own address has: one site, so that the cookie is sent.
  if (url.hostname === '127.0.0.1') url.hostname = 'localhost'
  console.log(`Mock API: ${url}\nSign in: ${ACCOUNTS_HINT}`)
}

/** Before all else: they take no fault that was meant for another, and leave nothing in the log. */
function refuseForeignHosts(app: H3): void {
  const answer = app.fetch
  app.fetch = (request) => {
    if (LOCAL_HOST.test(request.headers.get('host') ?? '')) return answer(request)
    const error = apiError(421, 'foreign_host', 'Call this as localhost, or set MOCK_HOST.')
    const { status, message, data } = error
    return Response.json({ status, message, data }, { status })
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
})
