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
import { connect } from 'node:net'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { H3, serve } from 'h3'
import { createMockServer } from '../../../mock-server/app.ts'

const CONNECTIONS = 32
/** Milliseconds. */
const [WARM_UP, ROUND] = [1_000, 1_000]
const ROUNDS = 7

interface Route {
  name: string
  url: string
  token?: string
}

if (process.send) await startServers()
else await measure()

async function startServers(): Promise<void> {
  const app = createMockServer()
  const credentials = { username: 'demo', password: 'password' }
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify(credentials)
  const answer = await app.request('/api/auth/login', { method: 'POST', headers, body })
  const { accessToken, user } = await answer.json()
  app.get('/api/open', () => user)
  const h3 = new H3().get('/api/open', () => user)
  const [mock, bare] = [app, h3].map((app) =>
    serve(app, { port: 0, hostname: '127.0.0.1', silent: true }),
  )
  await Promise.all([mock!.ready(), bare!.ready()])
  process.send!([
    { name: 'without authentication', url: `${mock!.url}api/open` },
    { name: 'with an access token', url: `${mock!.url}api/auth/me`, token: accessToken },
    { name: 'h3 alone, without log and faults', url: `${bare!.url}api/open` },
  ] satisfies Route[])
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

/**
 * As a browser asks: over connections that stay open, each with one request at a time. By sockets:
 * an HTTP client does more than the server, and its own rate is what would be measured.
 */
async function requestsPerSecond(route: Route, time: number): Promise<number> {
  const start = performance.now()
  const counts = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => ask(route, start + time)),
  )
  const count = counts.reduce((sum, each) => sum + each)
  return (count * 1000) / (performance.now() - start)
}

/** How many answers came over one connection until `end`. */
function ask({ url, token }: Route, end: number): Promise<number> {
  const { hostname, port, pathname, host } = new URL(url)
  const authorization = token ? `Authorization: Bearer ${token}\r\n` : ''
  const request = `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\n${authorization}\r\n`
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(request))
    let [count, size, received] = [0, 0, 0]
    socket.on('error', reject).on('data', (data) => {
      // All answers of a route are as long as the first one.
      size ||= sizeOfAnswer(data.toString('latin1'))
      received += data.length
      if (received < size) return
      received -= size
      count += 1
      if (performance.now() < end) return socket.write(request)
      socket.destroy()
      resolve(count)
    })
  })
}

function sizeOfAnswer(answer: string): number {
  const head = /^HTTP\/1\.1 200 .*?\r\ncontent-length: (\d+)\r\n.*?\r\n\r\n/is.exec(answer)
  if (!head) throw new Error(`The server answered ${answer.split('\r\n')[0]}`)
  return head[0].length + Number(head[1])
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!
}
