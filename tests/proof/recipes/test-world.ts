/** What the tests of the recipes start from: a browser before the mock, and routes that it lacks. */
import { vi } from 'vitest'
import { createMockBrowser } from '../../support/mock-client.ts'

const REFRESH = '/api/auth/refresh'

export interface Asked {
  path: string
  url: string
  headers: Headers
  init: RequestInit
}

export type Route = (asked: Asked) => Response | Promise<Response>

export function createRecipeWorld() {
  const mock = createMockBrowser()
  /** What the mock has no route for. Each asks for a live token, but those of `publicRoutes`. */
  const routes: Record<string, Route> = {}
  const publicRoutes: Record<string, Route> = {}
  const asked: Asked[] = []

  vi.stubGlobal('BroadcastChannel', undefined) // Each test is a browser of its own.
  vi.stubGlobal('fetch', async (input: RequestInfo | URL, init: RequestInit = {}) => {
    const isAddress = typeof input === 'string' || input instanceof URL
    const { href: url, pathname } = new URL(isAddress ? input : input.url, 'http://localhost')
    const headers = new Headers(init.headers ?? (isAddress ? undefined : input.headers))
    const request = { path: pathname, url, headers, init }
    asked.push(request)
    init.signal?.throwIfAborted()
    const open = publicRoutes[pathname]
    if (open) return open(request)
    const own = routes[pathname]
    if (!own) return mock.fetch(input, init)
    const authorization = headers.get('authorization') ?? ''
    const { status } = await mock.fetch('/api/protected-resource', { headers: { authorization } })
    return status === 200 ? own(request) : new Response(null, { status })
  })

  return {
    mock,
    routes,
    publicRoutes,
    asked,
    askedFor: (path: string) => asked.filter((request) => request.path === path),
    refreshes: async () => (await mock.log(REFRESH)).map(({ status }) => status),
  }
}

/** Waits for what needs no time, while the clock may be a fake one. The limit is that of the test. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate)
}

/** Lets everything happen that needs no time. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 50; round += 1) await new Promise(setImmediate)
}
