/**
 * What authentication costs the mock server: the same answer with and without an access token, and
 * asked for from another process over loopback.
 *
 *     npm run bench:server
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { H3, serve } from 'h3'
import { createMockServer } from '../../mock-server/app.ts'

const CONNECTIONS = 32
/** Milliseconds. */
const [WARM_UP, ROUND] = [500, 1_000]
const ROUNDS = 7

if (process.send) await startServer()
else await measure()

async function startServer(): Promise<void> {
  const app = createMockServer()
  const open = new H3().get('/api/open', () => user).all('/**', ({ req }) => app.fetch(req))
  const credentials = { username: 'demo', password: 'password' }
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify(credentials)
  const answer = await app.request('/api/auth/login', { method: 'POST', headers, body })
  const { accessToken, user } = await answer.json()
  const server = serve(open, { port: 0, hostname: '127.0.0.1', silent: true })
  await server.ready()
  process.send!({ origin: server.url, accessToken })
}

async function measure(): Promise<void> {
  const server = fork(fileURLToPath(import.meta.url), { execArgv: ['--import', 'jiti/register'] })
  const [{ origin, accessToken }] = await once(server, 'message')
  const routes = [
    { path: '/api/open', rates: [] as number[] },
    { path: '/api/auth/me', rates: [] as number[] },
  ]
  for (const { path } of routes) await requestsPerSecond(origin, path, accessToken, WARM_UP)
  // Turn and turn about, so that noise meets both.
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { path, rates } of routes) {
      rates.push(await requestsPerSecond(origin, path, accessToken, ROUND))
    }
  }
  server.kill()

  const [open, authenticated] = routes.map(({ rates }) => median(rates)) as [number, number]
  console.log(`without authentication: ${Math.round(open)} requests per second
with an access token:   ${Math.round(authenticated)} (${Math.round((authenticated / open) * 100)} %)`)
}

/** As a browser asks: over connections that stay open, each with one request at a time. */
async function requestsPerSecond(origin: string, path: string, accessToken: string, time: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const headers = { authorization: `Bearer ${accessToken}` }
  const url = new URL(path, origin)
  const start = performance.now()
  let count = 0
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() - start < time) {
        await request(url, { agent, headers })
        count += 1
      }
    }),
  )
  agent.destroy()
  return (count * 1000) / (performance.now() - start)
}

function request(url: URL, options: object): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, options, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url} answered ${response.statusCode}`))
      response.resume().on('end', resolve)
    }).on('error', reject)
  })
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!
}
