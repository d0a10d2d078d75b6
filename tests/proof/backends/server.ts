/**
 * A real server, in a process of its own, on a port of loopback. Its clock is libfaketime's: a test
 * moves it, and no code of the server knows. Installed and named by .ci/backends.
 */
import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'

export type ServerName = keyof typeof SERVERS

const nodeServer = (file: string) => [process.execPath, file]
const pythonServer = (file: string) => ['/usr/bin/python3', file]

/** How each is started, and what its log says of a refresh. A sign-in that asks for its token is none. */
const SERVERS = {
  express: { command: nodeServer('express.mjs'), refresh: /POST \/refresh-token/g },
  fastapi: { command: pythonServer('fastapi_app.py'), refresh: /POST \/refresh/g },
  simplejwt: { command: pythonServer('simplejwt.py'), refresh: /^POST \/api\/token\/refresh\//gm },
  nest: { command: nodeServer('nest.mjs'), refresh: /POST \/auth\/refresh/g },
  'better-auth': {
    command: nodeServer('better-auth.mjs'),
    refresh: /(?<!^signed in\n)^GET \/api\/auth\/token/gm,
  },
  'better-auth-session': {
    command: nodeServer('better-auth.mjs'),
    refresh: /(?<!^signed in\n)^GET \/api\/auth\/get-session/gm,
  },
  session: {
    command: pythonServer('session.py'),
    refresh: /(?<!^signed in\n)^GET \/api\/user/gm,
  },
  oidc: { command: nodeServer('oidc.mjs'), refresh: /POST \/token refresh_token/g },
} satisfies Record<string, { command: string[]; refresh: RegExp }>

/** Where the build of the browser's journeys is, and where it is when the API is on another origin. */
export const APP = 'http://localhost:8092'
export const APP_ELSEWHERE = 'http://localhost:8095'

/** Where .ci/backends has installed the servers. */
function installed(): string {
  const folder = process.env.BACKENDS_DIR
  if (!folder) throw new Error('The servers are not installed: run .ci/backends')
  return folder
}

export async function createServerProcess(
  name: ServerName,
  env: Record<string, string> = {},
  port?: string,
) {
  const folder = installed()
  const data = mkdtempSync(join(folder, `${name}-`))
  const address = port ?? String(await freePort())
  const [command, ...args] = SERVERS[name].command as [string, ...string[]]
  const options = {
    cwd: folder,
    env: {
      ...process.env,
      DATA: data,
      PORT: address,
      ORIGINS: `${APP} ${APP_ELSEWHERE}`,
      TZ: 'UTC',
      PYTHONUNBUFFERED: '1',
      LD_PRELOAD: process.env.LIBFAKETIME,
      FAKETIME_TIMESTAMP_FILE: join(data, 'clock'),
      FAKETIME_NO_CACHE: '1',
      DONT_FAKE_MONOTONIC: '1',
      FAKETIME_FORCE_MONOTONIC_FIX: '0', // It makes the threads of Python wait in a loop.
      NO_FAKE_STAT: '1',
      ...env,
    },
  }
  const origin = `http://127.0.0.1:${address}`
  let running: ChildProcess | undefined
  let seconds = Number.NaN

  /** The time on the server's clock, in milliseconds. It stands still until it is set again. */
  function setClock(milliseconds: number): void {
    const next = Math.floor(milliseconds / 1000)
    if (next === seconds) return
    seconds = next
    const text = new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')
    writeFileSync(join(data, 'next-clock'), text)
    renameSync(join(data, 'next-clock'), join(data, 'clock'))
  }

  async function start(): Promise<void> {
    const log = openSync(join(data, 'log'), 'a')
    const child = spawn(command, args, { ...options, stdio: ['ignore', log, log] })
    closeSync(log)
    running = child
    while (!(await fetch(origin).catch(() => null))) {
      if (child.exitCode !== null) throw new Error(`${name} did not start:\n${readLog()}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async function stop(): Promise<void> {
    if (!running || running.exitCode !== null) return
    const ended = once(running, 'exit')
    running.kill('SIGTERM')
    running.kill('SIGCONT') // It may be paused, by a test that failed.
    await ended
  }

  /** It accepts requests, and answers none of them until `resume`. */
  const pause = () => void running!.kill('SIGSTOP')
  const resume = () => void running!.kill('SIGCONT')

  const readLog = () => readFileSync(join(data, 'log'), 'utf8')

  return {
    name,
    origin,
    data,
    start,
    stop,
    pause,
    resume,
    setClock,
    readLog,
    /** How many refreshes have reached the server, by its own log. */
    refreshes: () => readLog().match(SERVERS[name].refresh)?.length ?? 0,
    /** The account `demo` is disabled from now on. */
    disable(): void {
      if (name === 'simplejwt') execFileSync(command, [...args, 'disable'], options)
      else writeFileSync(join(data, 'disabled-demo'), '')
    },
    async remove(): Promise<void> {
      await stop()
      rmSync(data, { recursive: true })
    },
  }
}

export type ServerProcess = Awaited<ReturnType<typeof createServerProcess>>

/** Adds a row to those that .ci/backends prints as a table (table.ts). */
export function addResult(row: {
  where: 'in process' | 'Chromium'
  server: ServerName
  journey: string
  refreshes: number
  passed: boolean
  seconds: number
}): void {
  appendFileSync(join(installed(), 'results'), `${JSON.stringify(row)}\n`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
