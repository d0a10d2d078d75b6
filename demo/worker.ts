/** The mock API as a service worker, for a host that serves files and nothing else. */
import { createMockServer } from '../mock-server/app.ts'
import { DEMO_ACCOUNTS, hashPassword } from '../mock-server/users.ts'
import { openStorage } from './storage.ts'

declare const self: ServiceWorkerGlobalScope

type Server = Awaited<ReturnType<typeof startServer>>

let server: Promise<Server> | undefined

self.addEventListener('install', () => void self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
// Each page sends one now and then. One without a controller, as after a forced reload, gets it back.
self.addEventListener('message', (event) => event.waitUntil(self.clients.claim()))
self.addEventListener('fetch', (event) => {
  const { origin, pathname } = new URL(event.request.url)
  // GitHub Pages would answer a deep link with the same page and the status 404.
  if (event.request.mode === 'navigate') return event.respondWith(fetch(self.registration.scope))
  if (origin !== self.location.origin || !/^\/api(\/|$)/.test(pathname)) return
  // Not before the first request: until then, the worker of the last version may change the state.
  server ??= startServer()
  event.respondWith(answer(event.request, server))
})

async function startServer() {
  const { storage, jar, projects, keepProjects, written } = await openStorage(
    self.registration.scope,
  )
  // The same people, with hashes by what takes the place of scrypt here.
  const passwordHash = await hashPassword('password')
  const users = DEMO_ACCOUNTS.map((account) => ({ ...account, passwordHash }))
  const app = createMockServer({ storage, projects, users })
  // A browser removes `Set-Cookie` from a Response that a script makes: it is read before that.
  app.use(async (event, next) => {
    try {
      return await next()
    } finally {
      if (event.req.method !== 'GET') keepProjects()
      if (event.req.credentials !== 'omit') jar.take(event.res.headers.getSetCookie())
    }
  })
  return { app, jar, written }
}

async function answer(request: Request, started: Promise<Server>): Promise<Response> {
  const { app, jar, written } = await started
  // Nor may a script set `Cookie` on a Request. Headers of our own have no such guard.
  const headers = new Headers(request.headers)
  const cookie = request.credentials === 'omit' ? '' : jar.cookiesFor(request.url)
  if (cookie) headers.set('cookie', cookie)
  Object.defineProperty(request, 'headers', { value: headers })
  // Firefox has no Request.body.
  const isRead = /^(GET|HEAD)$/.test(request.method)
  const bytes = isRead || request.body ? null : await request.blob()
  if (bytes?.size) Object.defineProperty(request, 'body', { value: bytes.stream() })

  const response = await app.fetch(request)
  await written() // A browser may stop the worker at any time: it must know its own answers after that.
  return response
}
