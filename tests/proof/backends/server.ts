/**
 * A real server, in a process of its own, on a port of loopback. Its clock is libfaketime's: a test
 * moves it, and no code of the server knows. Installed and named by .ci/backends.
 */
import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
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

export type ServerName =
  'express' | 'django' | 'oidc' | 'fastapi' | 'nest' | 'better-auth' | 'session'

/** What a server's log says of a refresh that reached it. */
const REFRESH: Record<ServerName, RegExp> = {
  express: /POST \/refresh-token/g,
  django: /POST \/api\/token\/refresh\//g,
  oidc: /POST \/token refresh_token/g,
  fastapi: /POST \/refresh/g,
  nest: /POST \/auth\/refresh/g,
  'better-auth': /GET \/auth\/(?:token|get-session)/g,
  session: /GET \/api\/user/g,
}

const COMMAND: Record<ServerName, string[]> = {
  express: [process.execPath, 'express.mjs'],
  django: ['/usr/bin/python3', 'simplejwt.py'],
  oidc: [process.execPath, 'oidc.mjs'],
  fastapi: ['/usr/bin/python3', 'fastapi_app.py'],
  nest: [process.execPath, 'nest.mjs'],
  'better-auth': [process.execPath, 'better-auth.mjs'],
  session: ['/usr/bin/python3', 'session.py'],
}

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
  const [command, ...args] = COMMAND[name] as [string, ...string[]]
  const options = {
    cwd: folder,
    env: {
      ...process.env,
      DATA: data,
      PORT: address,
      TZ: 'UTC',
      PYTHONUNBUFFERED: '1',
      LD_PRELOAD: process.env.LIBFAKETIME,
      FAKETIME_TIMESTAMP_FILE: join(data, 'clock'),
      FAKETIME_NO_CACHE: '1',
      DONT_FAKE_MONOTONIC: '1',
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
    await ended
  }

  const readLog = () => readFileSync(join(data, 'log'), 'utf8')

  return {
    name,
    origin,
    data,
    start,
    stop,
    setClock,
    readLog,
    /** How many refreshes have reached the server, by its own log. */
    refreshes: () => readLog().match(REFRESH[name])?.length ?? 0,
    /** The account `demo` is disabled from now on. */
    disable(): void {
      if (name === 'django') execFileSync(command, [...args, 'disable'], options)
      else writeFileSync(join(data, 'disabled-demo'), '')
    },
    async remove(): Promise<void> {
      await stop()
      rmSync(data, { recursive: true })
    },
  }
}

export type ServerProcess = Awaited<ReturnType<typeof createServerProcess>>

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
