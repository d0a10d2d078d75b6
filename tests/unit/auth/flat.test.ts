import { getEventListeners } from 'node:events'
import { beforeEach, expect, it, vi } from 'vitest'
import { createApiClient, createAuth } from '@/auth/index.ts'
import { unauthorized } from '../../support/api.ts'
import { grantFor } from '../../support/backend.ts'
import { FakeBrowser } from '../../support/browser.ts'

let answer: (token: string | null) => Response | Promise<Response>
let api: ReturnType<typeof createApiClient>
let auth: ReturnType<typeof createAuth>
let refreshes: number

beforeEach(async () => {
  refreshes = 0
  auth = createAuth({
    backend: {
      login: async () => grantFor(),
      async refresh() {
        refreshes += 1
        return grantFor()
      },
      logout: async () => {},
    },
    tabs: new FakeBrowser().openTab(),
  })
  await auth.login({ username: 'ada', password: 'secret' })
  answer = () => Response.json(1)
  api = createApiClient({
    baseURL: 'https://api.example',
    auth,
    fetch: async (_, init) => answer(new Headers(init?.headers).get('authorization')),
  })
})

// That memory stays flat is a promise to browsers, shown in tests/e2e. Node 20 keeps about a
// kilobyte for each AbortSignal.any.
it('R15: 1,000 calls leave no listener on the signal that they share', async () => {
  const { signal } = new AbortController() // It outlives the calls, as that of a page does.
  for (let n = 0; n < 10; n += 1) {
    await Promise.all(Array.from({ length: 100 }, () => api('/x', { signal })))
  }
  expect(getEventListeners(signal, 'abort')).toEqual([])
  expect(getEventListeners(auth.sessions.current()!.signal, 'abort')).toEqual([])
})

it('R15: 1,000 calls that wait for one refresh: no warning, no listener left', async () => {
  const warnings: Error[] = []
  const warn = (warning: Error) => void warnings.push(warning)
  process.on('warning', warn)
  const { signal } = new AbortController()
  let refused = ''
  answer = (token) => {
    refused ||= token!
    return token === refused ? unauthorized() : Response.json(1)
  }
  await Promise.all(Array.from({ length: 1_000 }, () => api('/x', { signal })))
  await new Promise((resolve) => setTimeout(resolve))
  process.off('warning', warn)

  expect(refreshes).toBe(1)
  expect(warnings).toEqual([])
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

it('R15: an event stream that is an error, and that nobody reads, leaves no listener', async () => {
  const { signal } = new AbortController()
  const headers = { 'content-type': 'text/event-stream' }
  answer = () => new Response('event: gone\n\n', { status: 404, headers })
  await expect(api('/events', { signal })).rejects.toMatchObject({ status: 404 })
  await vi.waitFor(() => expect(getEventListeners(signal, 'abort')).toEqual([]))
})

it('R15: a thousand refreshes leave no listener on the session', async () => {
  for (let n = 0; n < 1000; n += 1) await auth.refresh()
  await Promise.resolve()
  expect(getEventListeners(auth.sessions.current()!.signal, 'abort')).toEqual([])
})
