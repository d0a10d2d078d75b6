/**
 * `npm run mock`: the mock API alone on a port, for an app or another client on another origin.
 */
import process from 'node:process'
import { serve } from 'h3'
import { createMockServer } from './app.ts'
import { ACCOUNTS_HINT, lifetimesFrom, portFrom } from './env.ts'
import { cacheFile, createFileStorage } from './storage.ts'

/** Where Vite's dev and preview servers are. */
const APP_ORIGINS = [5173, 4173].flatMap((port) => [
  `http://localhost:${port}`,
  `http://127.0.0.1:${port}`,
])

async function main(): Promise<void> {
  const port = portFrom(process.env)
  // S8: nobody but this machine, unless told otherwise.
  const hostname = process.env.MOCK_HOST || '127.0.0.1'
  const app = createMockServer({
    ...lifetimesFrom(process.env),
    storage: createFileStorage(cacheFile(process.cwd(), 'standalone')),
    allowedOrigins: APP_ORIGINS,
    hosts: [hostname.toLowerCase()],
  })
  const server = serve(app, { port, hostname, silent: true, gracefulShutdown: false })
  await server.ready()
  const url = new URL('/api', server.url)
  // The name that the app's own address has: one site, so that the cookie is sent.
  if (url.hostname === '127.0.0.1') url.hostname = 'localhost'
  console.log(`Mock API: ${url}\nSign in: ${ACCOUNTS_HINT}`)
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
})
