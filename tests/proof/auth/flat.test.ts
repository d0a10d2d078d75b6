import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeEach, expect, it, vi } from 'vitest'
import { createApiClient, createAuth } from '@/auth/index.ts'
import { unauthorized } from '../../support/api.ts'
import { grantFor } from '../../support/backend.ts'
import { FakeBrowser } from '../../support/browser.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

let answer: (token: string | null, init: RequestInit) => Response | Promise<Response>
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
    fetch: async (_, init) => answer(new Headers(init?.headers).get('authorization'), init!),
  })
})

// Node 20 keeps a dead WeakRef in a signal for each AbortSignal.any of it: about 130 bytes a call.
it('R15: 2,000 calls, with and without a signal, leave nothing behind', async () => {
  const { signal } = new AbortController() // It outlives the calls, as that of a page does.
  const given: WeakRef<object>[] = []
  const options = (call: number) => (call % 2 ? { signal } : {})
  answer = (_, init) => {
    const response = Response.json(1)
    given.push(new WeakRef(response), new WeakRef(init), new WeakRef(init.signal!))
    return response
  }
  for (let n = 0; n < 20; n += 1) {
    await Promise.all(Array.from({ length: 100 }, (_, call) => api('/x', options(call))))
  }
  expect(given).toHaveLength(6_000)
  expect(getEventListeners(signal, 'abort')).toEqual([])
  expect(getEventListeners(auth.sessions.current()!.signal, 'abort')).toEqual([])

  // What a WeakRef was made of stays until the end of the task.
  await new Promise((resolve) => setTimeout(resolve))
  collectGarbage()
  expect(given.filter((it) => it.deref()).length).toBeLessThan(30)
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
