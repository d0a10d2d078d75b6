/**
 * A mock server with a clock that stands still, users that cost no time to check, and the calls
 * that its tests make again and again.
 */
import { createMockServer } from '../../mock-server/app.ts'
import type { MockServerOptions } from '../../mock-server/app.ts'
import type { MockStorage, State } from '../../mock-server/state.ts'
import { hashPassword } from '../../mock-server/users.ts'
import type { Account } from '../../mock-server/users.ts'
import type { TokenGrant } from '../../src/auth/contract.ts'

/** The demo accounts, with the least that scrypt can cost. */
export const quickUsers: Account[] = [
  {
    id: 'user-1',
    username: 'admin',
    name: 'Admin',
    roles: ['admin', 'user'],
    passwordHash: await hashPassword('password', 2),
  },
  {
    id: 'user-2',
    username: 'demo',
    name: 'Demo',
    roles: ['user'],
    passwordHash: await hashPassword('password', 2),
  },
]

export const MINUTE = 60_000
export const DAY = 86_400_000

/** A clock that only moves when it is told to. Milliseconds. */
export function createClock(start = Date.UTC(2026, 0, 1)) {
  let time = start
  return {
    now: () => time,
    advance(milliseconds: number) {
      time += milliseconds
    },
  }
}

/** Keeps the state as JSON, as a file would. */
export function createMemoryStorage(json: string | null = null) {
  return {
    load: () => (json === null ? null : JSON.parse(json)),
    save(state) {
      json = JSON.stringify(state)
    },
    state(): State {
      return JSON.parse(json ?? 'null')
    },
  } satisfies MockStorage & { state(): State }
}

interface CallOptions {
  method?: string
  /** Sent as JSON. */
  json?: unknown
  body?: BodyInit
  token?: string
  /** The refresh token, as its cookie. */
  cookie?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

export type Harness = ReturnType<typeof createHarness>

export function createHarness(options: MockServerOptions & { base?: string } = {}) {
  const { base = 'http://localhost:5173', ...serverOptions } = options
  const cookieName = base.startsWith('https:') ? '__Host-refresh_token' : 'refresh_token_5173'
  const clock = createClock()
  const app = createMockServer({ now: clock.now, users: quickUsers, ...serverOptions })

  async function call(path: string, init: CallOptions = {}): Promise<Response> {
    const {
      json,
      token,
      cookie,
      body = json === undefined ? undefined : JSON.stringify(json),
    } = init
    const headers = new Headers(init.headers)
    if (json !== undefined) headers.set('content-type', 'application/json')
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
    if (cookie !== undefined) headers.set('cookie', `${cookieName}=${cookie}`)
    const method = init.method ?? (body === undefined ? 'GET' : 'POST')
    const duplex = body instanceof ReadableStream ? { duplex: 'half' } : {}
    const { signal } = init
    return app.fetch(new Request(base + path, { method, headers, body, signal, ...duplex }))
  }

  const post = (path: string, init: CallOptions = {}) => call(path, { method: 'POST', ...init })

  /** Signs in; the refresh token is the one from wherever it came. */
  async function signIn(username = 'demo', mode: 'cookie' | 'json' = 'json') {
    const response = await post('/api/auth/login', {
      json: { username, password: 'password', mode },
    })
    return granted(response)
  }

  const refresh = (refreshToken: string) => post('/api/auth/refresh', { json: { refreshToken } })

  return { app, clock, call, post, signIn, refresh }
}

/** What a 200 of login or refresh brought. Fails the test if it was none. */
export async function granted(response: Response): Promise<TokenGrant & { refreshToken: string }> {
  if (response.status !== 200) throw new Error(`No grant: ${await response.text()}`)
  const grant = (await response.json()) as TokenGrant
  return { ...grant, refreshToken: grant.refreshToken ?? cookieOf(response) ?? '' }
}

/** The value of the refresh cookie that a response sets. */
export function cookieOf(response: Response): string | undefined {
  const [cookie] = response.headers.getSetCookie()
  return cookie === undefined
    ? undefined
    : /^(?:refresh_token_\d+|__Host-refresh_token)=([^;]*)/.exec(cookie)?.[1]
}

/**
 * `401 access_token_missing`: the status and the code of an error.
 *
 * @throws Error if the error does not say what it is in a sentence
 */
export async function outcome(response: Response | Promise<Response>): Promise<string> {
  const { status, body } = await read(await response)
  if (body?.data?.code && !/^\S[^]{4,}\.$/.test(body.message)) {
    throw new Error(`${body.data.code} says nothing but "${body.message}"`)
  }
  return [status, body?.data?.code].filter(Boolean).join(' ')
}

interface ErrorBody {
  status: number
  message: string
  data?: { code?: string }
}

async function read(response: Response): Promise<{ status: number; body?: ErrorBody }> {
  const text = await response.text()
  return { status: response.status, body: text ? JSON.parse(text) : undefined }
}
