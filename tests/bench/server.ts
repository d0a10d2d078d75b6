/**
 * What authentication costs the mock server: the same answer with and without an access token, and
 * asked for from another process over loopback. Beside them, where its packages are installed, what
 * most tutorials build: an Express server that verifies each token with jsonwebtoken.
 *
 *     npm install --no-save express jsonwebtoken
 *     npm run bench:server
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { Agent, get } from 'node:http'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { H3, serve } from 'h3'
import { createMockServer } from '../../mock-server/app.ts'

const CONNECTIONS = 32
/** Milliseconds. */
const [WARM_UP, ROUND] = [500, 1_000]
const ROUNDS = 7

interface Route {
  name: string
  url: string
  token: string
}

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
  const route = (name: string, path: string) => ({
    name,
    url: server.url + path,
    token: accessToken,
  })
  process.send!([
    route('without authentication', 'api/open'),
    route('with an access token', 'api/auth/me'),
  ])
}

async function measure(): Promise<void> {
  const servers = [
    fork(fileURLToPath(import.meta.url), { execArgv: ['--import', 'jiti/register'] }),
    fork(fileURLToPath(new URL('express.mjs', import.meta.url)), { silent: true }),
  ]
  try {
    const routes = (await Promise.all(servers.map(routesOf))).flat()
    const rates = routes.map(() => [] as number[])
    for (const route of routes) await requestsPerSecond(route, WARM_UP)
    // Turn and turn about, so that noise meets all.
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [index, route] of routes.entries()) {
        rates[index]!.push(await requestsPerSecond(route, ROUND))
      }
    }
    for (const [index, { name }] of routes.entries()) {
      const share = Math.round((100 * median(rates[index]!)) / median(rates[0]!))
      console.log(`${name}: ${Math.round(median(rates[index]!))} requests per second (${share} %)`)
    }
  } finally {
    for (const server of servers) server.kill('SIGKILL')
  }
}

/** What a server serves, once it listens; nothing where its packages are not installed. */
function routesOf(server: ChildProcess): Promise<Route[]> {
  return new Promise((resolve) => {
    server.once('message', (routes) => resolve(routes as Route[]))
    server.once('exit', () => resolve([]))
  })
}

/** As a browser asks: over connections that stay open, each with one request at a time. */
async function requestsPerSecond({ url, token }: Route, time: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const headers = { authorization: `Bearer ${token}` }
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

function request(url: string, options: object): Promise<void> {
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
