/**
 * What the client itself costs. One call beside the same through bare ofetch, over HTTP on loopback
 * and over a stub that answers at once. Over the stub also: calls at once with a dead token beside
 * those with a live one, and what each call takes that waits for a refresh. Medians of rounds in
 * which all that is compared takes turns.
 *
 * `npm run bench` gives V8 room for 10,000 calls among its young objects, and so a garbage
 * collector that is not the most of what is measured.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ofetch } from 'ofetch'
import { createApiClient, createAuth, createTabs } from '../../../src/auth/index.ts'
import { medians, oneCall, round } from './one-call.ts'

const baseURL = 'https://api.example'
/** As src/api/client.ts has it. */
const readTimeout = 30_000
const user = { id: '1', username: 'demo', name: 'Demo', roles: [] }
let clock = 0
let refused = ''
let body: object | null = { ok: true }
let granted = Promise.resolve()
let requests = 0
let grants = 0

const grant = async () => {
  requests += 1
  await granted
  return { accessToken: `token ${(grants += 1)}`, expiresIn: 900, user }
}
const auth = createAuth({
  backend: { login: grant, refresh: grant, logout: async () => {} },
  tabs: createTabs({ locks: null, channel: null, storage: null }),
  now: () => clock,
})
const fetch: typeof globalThis.fetch = async (_, init) => {
  requests += 1
  const isRefused = refused && new Headers(init?.headers).get('authorization') === refused
  if (isRefused) return new Response(null, { status: 401 })
  return body ? Response.json(body) : new Response(null, { status: 204 })
}
const bare = ofetch.create({ baseURL }, { fetch })
const api = createApiClient({ baseURL, auth, fetch, readTimeout })

await auth.login({ username: 'demo', password: 'password' })
console.table([...(await overHttp()), ...(await oneCall('stub', bare, api))])
for (const size of [100, 1_000, 5_000]) console.table(await burst(size))
body = null // It would take more than the waiting.
console.table(await waiting([100, 1_000, 10_000]))

/** To a server of its own. */
async function overHttp() {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json').end('{"ok":true}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const bare = ofetch.create({ baseURL, headers: { authorization: 'Bearer token' } })
  const rows = await oneCall('HTTP', bare, createApiClient({ baseURL, auth, readTimeout }), 50)
  server.closeAllConnections()
  server.close()
  return rows
}

/** Calls at once: how long until the last has its answer, and what goes over the wire. */
async function burst(size: number) {
  const send = () => times(size, () => api('/x'))
  const kinds = {
    'live, and one refresh': () => send().then(() => auth.refresh()),
    'dead by the clock': () => (expire(), send()),
    'refused with 401': () => (refuse(), send()),
  }
  const all = await medians(Object.values(kinds))
  const rows = []
  for (const [token, work] of Object.entries(kinds)) {
    const before = { requests, grants }
    await work()
    const wire = { requests: requests - before.requests, refreshes: grants - before.grants }
    const ms: number = all[rows.length]!
    rows.push({ calls: size, token, ms: round(ms), ratio: round(ms / all[0]!), ...wire })
  }
  return rows
}

/** What a call takes that waits for a refresh, beside the same through bare ofetch at once. */
async function waiting(sizes: number[]) {
  const rows = []
  for (const calls of sizes) {
    expire()
    let open = () => {}
    granted = new Promise((resolve) => (open = resolve))
    const before = await heapUsed()
    const answers = times(calls, () => api('/x'))
    const bytes = Math.round(((await heapUsed()) - before) / calls)
    open()
    await answers
    rows.push({ calls, 'bytes a call': bytes })
  }

  const plain = sizes.map((size) => () => times(size, () => bare('/x')))
  const ours = sizes.map((size) => () => (expire(), times(size, () => api('/x'))))
  const all = await medians([...plain, ...ours])
  const each = all.map((ms, index) => round((ms / sizes[index % sizes.length]!) * 1000))
  return rows.map((row, index) => ({
    ...row,
    'µs a call': each[sizes.length + index],
    'bare ofetch, µs': each[index],
  }))
}

function expire(): void {
  clock += 16 * 60_000
}

function refuse(): void {
  refused = `Bearer ${auth.accessToken.value}`
}

function times(count: number, call: () => Promise<unknown>): Promise<unknown> {
  return Promise.all(Array.from({ length: count }, call))
}

/** Bytes, when all is done that can be done now: what is finalized is free one collection later. */
async function heapUsed(): Promise<number> {
  for (let n = 0; n < 2; n += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    globalThis.gc!()
  }
  return process.memoryUsage().heapUsed
}
