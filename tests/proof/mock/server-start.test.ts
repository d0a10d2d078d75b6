/**
 * The mock server where it is started: in Vite, on a port of its own, and over real sockets (S8,
 * S9).
 */
import { spawn } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, get } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createServer as createVite, preview as startPreview } from 'vite'
import { cacheFile, createFileStorage } from '../../../mock-server/storage.ts'
import { loadState } from '../../../mock-server/state.ts'
import type { State } from '../../../mock-server/state.ts'
import { mockServer } from '../../../mock-server/vite.ts'
import { createHarness, granted, outcome } from '../../support/mock-server.ts'

const MAIN = fileURLToPath(new URL('../../../mock-server/main.ts', import.meta.url))
const CONFIG = fileURLToPath(new URL('../../../vite.config.ts', import.meta.url))
const JITI = fileURLToPath(new URL('../../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url))

const CACHE = mkdtempSync(join(tmpdir(), 'mock-server-cache-'))

const VARIABLES = [
  'API_PROXY_TARGET',
  'MOCK_ACCESS_TTL',
  'MOCK_REFRESH_TTL',
  'MOCK_REUSE_LEEWAY',
  'MOCK_PORT',
  'MOCK_HOST',
]

// What the developer has set is not what is tested.
beforeEach(() => {
  for (const name of VARIABLES) vi.stubEnv(name, '')
  vi.stubEnv('XDG_CACHE_HOME', CACHE)
})

afterAll(() => rmSync(CACHE, { recursive: true, force: true }))

afterEach(() => {
  vi.unstubAllEnvs()
})

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mock-server-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

const json = (body: object) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

const DEMO = { username: 'demo', password: 'password', mode: 'json' }

const CODINGS = ['declared', 'chunked'] as const
const FLOODS = Array.from({ length: 10 })

/**
 * What comes back over one connection for a sign-in with a mebibyte of spaces, and a request after
 * it: the statuses, or the error of the socket.
 */
function flood(port: number, coding: (typeof CODINGS)[number]): Promise<string> {
  const size = 1024 * 1024
  const head = `POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\n`
  const next = 'GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
  const body = ' '.repeat(size)
  const request =
    coding === 'declared'
      ? `${head}Content-Length: ${size}\r\n\r\n${body}`
      : `${head}Transfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n${body}\r\n0\r\n\r\n`

  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(request + next))
    socket.on('data', (chunk) => (answer += chunk))
    socket.on('error', ({ message }) => resolve(message))
    socket.on('close', () => {
      resolve([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status).join(' '))
    })
  })
}

/** Of a control, or of another path, asked for by a page of `host`. */
function statusFor(
  host: string,
  port: number,
  path = '/api/__mock/log',
): Promise<number | undefined> {
  const headers = { host, origin: `http://${host}` }
  return new Promise((resolve, reject) => {
    const sent = get({ host: '127.0.0.1', port, path, headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    sent.on('error', reject)
  })
}

/** The status of a request, written as it is. */
function statusLine(port: number, request: string, host: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`${request} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    })
    socket.on('data', (chunk) => (answer += chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]))
  })
}

const NO_HOSTS = ['localhost:99999', 'local host', 'localhost/x', 'me@localhost', '[::1']

describe('the file of sessions', () => {
  it('S9: keeps them, for its owner only', async () => {
    const file = join(temporaryFolder(), 'deep/down/sessions.json')
    const storage = createFileStorage(file)
    const { refreshToken } = await createHarness({ storage }).signIn()

    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(await outcome(createHarness({ storage }).refresh(refreshToken))).toBe('200')
    expect(readFileSync(file, 'utf8')).not.toContain(refreshToken)
  })

  it.each(['', '{', 'null', '{"secrets":{}}', '\0\xff'])(
    'S9: that holds %j is ignored, and written again',
    async (content) => {
      const file = join(temporaryFolder(), 'sessions.json')
      writeFileSync(file, content)
      const storage = createFileStorage(file)
      const { refreshToken } = await createHarness({ storage }).signIn()
      expect(await outcome(createHarness({ storage }).refresh(refreshToken))).toBe('200')
    },
  )

  it('S9: is replaced, so that nobody reads one half written', async () => {
    const folder = temporaryFolder()
    const file = join(folder, 'sessions.json')
    const { signIn } = createHarness({ storage: createFileStorage(file) })
    await signIn()
    const before = readFileSync(file, 'utf8')
    linkSync(file, join(folder, 'open in a reader'))
    await signIn()

    expect(readFileSync(file, 'utf8')).not.toBe(before)
    expect(readFileSync(join(folder, 'open in a reader'), 'utf8')).toBe(before)
  })

  // Windows has neither modes nor, for everybody, links.
  describe.skipIf(process.platform === 'win32')('for its owner only', () => {
    it('S9: whatever mode a file had that was there before', () => {
      const file = join(temporaryFolder(), 'sessions.json')
      for (const path of [file, `${file}.tmp`]) {
        writeFileSync(path, '{}')
        chmodSync(path, 0o666)
      }
      createFileStorage(file).save(loadState())
      expect(statSync(file).mode & 0o777).toBe(0o600)
    })

    it('S9: nothing is written to the target of a link', async () => {
      const folder = temporaryFolder()
      const file = join(folder, 'sessions.json')
      const target = join(folder, 'target')
      writeFileSync(target, 'untouched')
      for (const path of [file, `${file}.tmp`]) symlinkSync(target, path)
      await createHarness({ storage: createFileStorage(file) }).signIn()

      expect(readFileSync(target, 'utf8')).toBe('untouched')
      expect(lstatSync(file).isFile()).toBe(true)
    })

    it('S9: nothing is read from the target of a link', async () => {
      const folder = temporaryFolder()
      const target = join(folder, 'target')
      await createHarness({ storage: createFileStorage(target) }).signIn()
      const file = join(folder, 'sessions.json')
      symlinkSync(target, file)
      expect(createFileStorage(target).load()).not.toBeNull()
      expect(createFileStorage(file).load()).toBeNull()
    })
  })

  it('S9: leaves no draft where it cannot be replaced', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'sessions.json'))
    await createHarness({ storage: createFileStorage(join(folder, 'sessions.json')) }).signIn()
    expect(readdirSync(folder)).toEqual(['sessions.json'])
  })

  it('S9: that cannot be read or written is no reason to stop', async () => {
    const folder = join(temporaryFolder(), 'sessions.json')
    mkdirSync(folder)
    const storage = createFileStorage(folder)
    const { refresh, signIn } = createHarness({ storage })
    const { refreshToken } = await signIn()
    expect(await outcome(refresh(refreshToken))).toBe('200')
  })
})

async function startVite(root = temporaryFolder()) {
  const vite = await createVite({
    configFile: false,
    root,
    logLevel: 'silent',
    plugins: [mockServer({ MOCK_ACCESS_TTL: '2m' })],
    server: { middlewareMode: true, ws: false, watch: null },
    appType: 'custom',
  })
  const server = createServer(vite.middlewares)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await vite.close()
  })
  const { port } = server.address() as AddressInfo
  const call = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init)
  return { vite, port, call }
}

describe('in Vite', () => {
  it('S9: answers /api, and an edit or a restart signs nobody out', async () => {
    const root = temporaryFolder()
    const { call, vite } = await startVite(root)
    const { expiresIn, refreshToken } = await granted(await call('/api/auth/login', json(DEMO)))
    expect(expiresIn).toBe(120)
    expect(await (await call('/api/__mock/log')).json()).toHaveLength(1)
    expect((await call('/apix')).status).toBe(404)

    // What an edit does. The new server has a log of its own, and the old one's sessions.
    vite.environments.ssr.moduleGraph.invalidateAll()
    expect(await (await call('/api/__mock/log')).json()).toEqual([])
    const refresh = json({ refreshToken })
    expect(await outcome(call('/api/auth/refresh', refresh))).toBe('200')

    const restarted = await startVite(root)
    expect(await outcome(restarted.call('/api/auth/refresh', refresh))).toBe('200')
  })

  it('S9: no request gets the file with the secrets', async () => {
    const root = temporaryFolder()
    const { call } = await startVite(root)
    await call('/api/auth/login', json(DEMO))
    const file = cacheFile(root, 'dev')
    const { secrets } = createFileStorage(file).load() as State
    const encoded = readFileSync(file).toString('base64').slice(0, 40)

    const paths = [`/@fs${file}`, `/@fs/${file}`, `/${relative(root, file)}`]
    // Where it was before, and where a bundler's cache is.
    paths.push('/node_modules/.cache/mock-server/dev.json')
    for (const path of paths) {
      for (const query of ['', '?raw', '?import&raw', '?url', '?inline', '?import&url&inline']) {
        const answer = await (await call(path + query)).text()
        expect(answer).not.toContain(secrets.access)
        expect(answer).not.toContain(encoded)
      }
    }
  })

  it.each(['/api', '/api?a=b', '/api/'])('%s is the mock’s to answer', async (path) => {
    const { call } = await startVite()
    expect(await outcome(call(path))).toBe('404 not_found')
  })

  it('over a socket a fault breaks the connection, and the server goes on', async () => {
    const { call } = await startVite()
    const order = (kind: string) => call('/api/__mock/faults', json({ path: '/api/health', kind }))

    await order('drop')
    await expect(call('/api/health')).rejects.toThrow('fetch failed')
    await order('hang')
    const controller = new AbortController()
    const hanging = call('/api/health', { signal: controller.signal })
    while ((await (await call('/api/__mock/log')).json()).length < 2);
    controller.abort()
    await expect(hanging).rejects.toThrow(/abort/)
    expect(await outcome(call('/api/health'))).toBe('200')
    expect(await (await call('/api/__mock/log')).json()).toMatchObject([
      { status: 0 },
      { status: 0 },
      { status: 200 },
    ])
  })

  it.each(NO_HOSTS)('S8: the Host %s, which is none, is refused', async (host) => {
    const { port } = await startVite()
    expect(await statusLine(port, 'GET /api/__mock/log', host)).toMatch(/^40[03]$/)
  })

  it('S8: no API answers a target in absolute form', async () => {
    const { port } = await startVite()
    const status = await statusLine(port, 'GET http://evil.example/api/health', 'localhost')
    expect(status).toMatch(/^4/)
  })

  it.each(CODINGS)(
    'S5: a %s body that is too long gets its 413, and the connection goes on',
    async (coding) => {
      const { port } = await startVite()
      for (const _ of FLOODS) expect(await flood(port, coding)).toBe('413 200')
    },
  )
})

describe('in Vite’s preview', () => {
  it('answers /api, by one server for all requests', async () => {
    const root = temporaryFolder()
    mkdirSync(join(root, 'dist'))
    const vite = await startPreview({
      configFile: false,
      root,
      logLevel: 'silent',
      plugins: [mockServer({ MOCK_ACCESS_TTL: '2m' })],
      preview: { port: 0, host: '127.0.0.1' },
    })
    onTestFinished(() => vite.close())
    const { port } = vite.httpServer.address() as AddressInfo
    const call = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)

    expect(await outcome(call('/api/health'))).toBe('200')
    expect(await (await call('/api/__mock/log')).json()).toHaveLength(1)
  })
})

describe('with the project’s own configuration', () => {
  const common = { logLevel: 'silent', configFile: CONFIG } as const

  async function dev(): Promise<number> {
    const server = { port: 0, host: '127.0.0.1', ws: false, watch: null } as const
    const vite = await createVite({ ...common, cacheDir: temporaryFolder(), server })
    onTestFinished(() => vite.close())
    await vite.listen()
    return (vite.httpServer!.address() as AddressInfo).port
  }

  async function preview(): Promise<number> {
    const vite = await startPreview({
      ...common,
      build: { outDir: temporaryFolder() },
      preview: { port: 0, host: '127.0.0.1' },
    })
    onTestFinished(() => vite.close())
    return (vite.httpServer.address() as AddressInfo).port
  }

  it.each([
    ['dev server', dev],
    ['preview', preview],
  ])('S4: the %s lets no other origin read an answer', async (_, open) => {
    const port = await open()
    const headers = { origin: 'http://localhost:9999', 'access-control-request-method': 'POST' }
    for (const method of ['GET', 'OPTIONS']) {
      const response = await fetch(`http://127.0.0.1:${port}/api/health`, { method, headers })
      expect([...response.headers.keys()].join()).not.toContain('access-control')
    }
    expect((await fetch(`http://127.0.0.1:${port}/api/health`)).status).toBe(200)
  })
})

describe('npm run mock', () => {
  function start(env: Record<string, string>, cwd = temporaryFolder()) {
    const child = spawn(process.execPath, [JITI, MAIN], {
      cwd,
      env: { ...process.env, ...env },
    })
    let output = ''
    const exited = new Promise<number | null>((resolve) => child.on('close', resolve))
    const printed = (text: string) =>
      new Promise<string>((resolve) => {
        const read = (chunk: Buffer) => {
          output += chunk
          if (output.includes(text)) resolve(output)
        }
        child.stdout.on('data', read)
        child.stderr.on('data', read)
        void exited.then(() => resolve(output))
      })
    onTestFinished(async () => {
      child.kill()
      await exited
    })
    const ready = async () => {
      const output = await printed('Sign in')
      const [, port] = /http:\/\/.+:(\d+)\/api/.exec(output) ?? []
      return { output, port: Number(port) }
    }
    return { exited, printed, ready }
  }

  it('S8: listens on the loopback interface, and says where and for whom', async () => {
    const { output, port } = await start({ MOCK_PORT: '0' }).ready()

    expect(output).toContain('admin / password')
    for (const origin of ['http://localhost:5173', 'http://127.0.0.1:4173']) {
      const response = await fetch(`http://127.0.0.1:${port}/api/health`, { headers: { origin } })
      expect(response.status).toBe(200)
      expect(response.headers.get('access-control-allow-origin')).toBe(origin)
    }
    await expect(fetch(`http://127.0.0.2:${port}/api/health`)).rejects.toThrow('fetch failed')
  })

  it.each(CODINGS)(
    'S5: a %s body that is too long gets its 413, and the connection goes on',
    async (coding) => {
      const { port } = await start({ MOCK_PORT: '0' }).ready()
      for (const _ of FLOODS) expect(await flood(port, coding)).toBe('413 200')
    },
  )

  it('S9: keeps its sessions over a restart, apart from those of Vite’s server', async () => {
    const cwd = temporaryFolder()
    const before = await start({ MOCK_PORT: '0' }, cwd).ready()
    const login = await fetch(`http://127.0.0.1:${before.port}/api/auth/login`, json(DEMO))
    const { refreshToken } = await granted(login)
    const refresh = json({ refreshToken })

    const after = await start({ MOCK_PORT: '0' }, cwd).ready()
    const url = `http://127.0.0.1:${after.port}/api/auth/refresh`
    expect(await outcome(fetch(url, refresh))).toBe('200')
    const vite = await startVite(cwd)
    expect(await outcome(vite.call('/api/auth/refresh', refresh))).toBe('401 refresh_token_invalid')
  })

  it('S8: answers to no name but those of this machine, unless told where to listen', async () => {
    const { port } = await start({ MOCK_PORT: '0' }).ready()
    for (const host of ['localhost', '127.0.0.1:1']) {
      expect(await statusFor(host, port)).toBe(200)
    }
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:1']) {
      expect(await statusFor(host, port)).toBe(421)
    }
  })

  it.each(['127.0.0.1', 'localhost', '0.0.0.0'])(
    'S8: with MOCK_HOST=%s it still answers to no foreign name',
    async (MOCK_HOST) => {
      const { port } = await start({ MOCK_PORT: '0', MOCK_HOST }).ready()
      expect(await statusFor('localhost', port)).toBe(200)
      expect(await statusFor('192.168.0.1', port)).toBe(200)
      expect(await statusFor('evil.example', port)).toBe(421)
    },
  )

  it('S8: answers to the name that it was told', async () => {
    const health = (host: string) =>
      outcome(createHarness({ hosts: ['mock'], base: `http://${host}` }).call('/api/health'))
    expect(await health('mock:3001')).toBe('200')
    expect(await health('[::1]:3001')).toBe('200')
    expect(await health('mock.example')).toBe('421 foreign_host')
  })

  it('S8: checks the host of a target in absolute form', async () => {
    const { port } = await start({ MOCK_PORT: '0' }).ready()
    const ask = (target: string, host: string) => statusLine(port, `GET ${target}`, host)
    expect(await ask('http://localhost/api/health', 'localhost')).toBe('200')
    expect(await ask('http://evil.example/api/health', 'localhost')).toBe('421')
    expect(await ask('http://localhost/api/health', 'evil.example')).toBe('421')
    expect(await ask('http://localhost:99999/api/health', 'localhost')).toMatch(/^4/)
  })

  it('S8: a Host that is none is a 400', async () => {
    const { port } = await start({ MOCK_PORT: '0' }).ready()
    for (const host of NO_HOSTS) {
      for (const path of ['/api/health', '/api/../api/__mock/log']) {
        expect(await statusLine(port, `GET ${path}`, host)).toBe('400')
      }
    }
  })

  it('S8: a foreign name takes nobody’s fault, and leaves nothing in the log', async () => {
    const { port } = await start({ MOCK_PORT: '0' }).ready()
    const call = (path: string, init?: RequestInit) =>
      fetch(`http://127.0.0.1:${port}${path}`, init)
    await call('/api/__mock/faults', json({ path: '/api/health', status: 503 }))
    expect(await statusFor('evil.example', port, '/api/health')).toBe(421)

    expect((await call('/api/health')).status).toBe(503)
    expect(await (await call('/api/__mock/log')).json()).toHaveLength(1)
  })

  it.each([
    ['MOCK_PORT', 'x'],
    ['MOCK_REUSE_LEEWAY', 'soon'],
  ])('a %s of %s is one line, and exit 1', async (name, value) => {
    const { exited, printed } = start({ [name]: value })
    expect(await printed('\n')).toMatch(new RegExp(`^${name}: "${value}" is no .*\n$`))
    expect(await exited).toBe(1)
  })
})
