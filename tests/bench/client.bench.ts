/**
 * What the client itself costs: calls through it beside the same calls through bare ofetch, over a
 * transport that answers at once.
 */
import { ofetch } from 'ofetch'
import { bench, describe } from 'vitest'
import { createApiClient, createAuth, createTabs } from '../../src/auth/index.ts'

const baseURL = 'https://api.example'
const user = { id: '1', username: 'demo', name: 'Demo', roles: [] }
let clock = 0
let grants = 0
const grant = async () => ({ accessToken: `token ${(grants += 1)}`, expiresIn: 900, user })

const auth = createAuth({
  backend: { login: grant, refresh: grant, logout: async () => {} },
  tabs: createTabs({ locks: null, channel: null, storage: null }),
  now: () => clock,
})
await auth.login({ username: 'demo', password: 'password' })

let refused = ''
const fetch: typeof globalThis.fetch = async (_, init) => {
  const isRefused = refused && new Headers(init?.headers).get('authorization') === refused
  return new Response('{"ok":true}', {
    status: isRefused ? 401 : 200,
    headers: { 'content-type': 'application/json' },
  })
}
const api = createApiClient({ baseURL, session: auth, fetch })
const bare = ofetch.create({ baseURL }, { fetch })
const times = (count: number, call: () => Promise<unknown>) =>
  Promise.all(Array.from({ length: count }, call))

describe('one call with a live token', () => {
  bench('bare ofetch', async () => void (await bare('/x')), { time: 2_000 })
  bench('the client', async () => void (await api('/x')), { time: 2_000 })
})

for (const size of [100, 1_000, 5_000]) {
  describe(`${size} calls at once`, () => {
    bench('live token, and one refresh', async () => {
      await times(size, () => api('/x'))
      await auth.refresh()
    })
    bench('token past its lifetime', async () => {
      clock += 16 * 60_000
      await times(size, () => api('/x'))
    })
    bench('token refused with 401', async () => {
      refused = `Bearer ${auth.accessToken.value}`
      await times(size, () => api('/x'))
    })
  })
}
