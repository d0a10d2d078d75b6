/** The page of browser.ts: one call through the client, over HTTP and over a stub. */
import { ofetch } from 'ofetch'
import { createApiClient, createAuth } from '@/auth/index.ts'
import { oneCall } from './one-call.ts'

/** As src/api/client.ts has it. */
const readTimeout = 30_000
const user = { id: '1', username: 'demo', name: 'Demo', roles: [] }
const grant = async () => ({ accessToken: 'token', expiresIn: 900, user })
const backend = { login: grant, refresh: grant, logout: async () => {} }
const auth = createAuth({ backend, tabs: null })
await auth.login({ username: 'demo', password: 'password' })

const stub: typeof fetch = async () => Response.json({ ok: true })
const headers = { authorization: 'Bearer token' }
const baseURL = location.origin

Object.assign(globalThis, {
  rows: [
    ...(await oneCall(
      'HTTP',
      ofetch.create({ baseURL, headers }),
      createApiClient({ baseURL, auth, readTimeout }),
      20,
      200,
    )),
    ...(await oneCall(
      'stub',
      ofetch.create({ baseURL, headers }, { fetch: stub }),
      createApiClient({ baseURL, auth, fetch: stub, readTimeout }),
      500,
      100,
    )),
  ],
})
