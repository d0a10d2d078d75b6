/** The comparison of README.md: each cell is what the client does in front of the mock server. */
import { readFileSync } from 'node:fs'
import { expect, it, vi } from 'vitest'
import { createApiClient, createAuth, createCookieBackend } from '@/auth/index.ts'
import { createClassicClient } from '@/lab/classicClient.ts'
import type { RivalClient, RivalOptions } from '@/lab/classicClient.ts'
import type { ClientName } from '@/lab/record.ts'
import { createMockBrowser } from '../../support/mock-client.ts'
import { MINUTE, createClock, quickUsers } from '../../support/mock-server.ts'

const RESOURCE = '/api/protected-resource'
const REFRESH = '/api/auth/refresh'
const DEMO = { username: 'demo', password: 'password' }
/** In the order of the columns. */
const CLIENTS = ['classic', 'shared', 'library', 'silent'] as const

interface Tab {
  /** One request for the protected resource. */
  send(): Promise<unknown>
  signOut(): void
  isSignedIn(): boolean
}

type World = Awaited<ReturnType<typeof openWorld>>

/** What happens, and what comes of it in words. */
const SITUATIONS: Record<string, (world: World, tab: Tab) => Promise<string>> = {
  async 'ten requests at once get a 401'({ expire, refreshes }, tab) {
    await expire()
    await sendAll(tab, 10)
    return refreshes()
  },

  async 'a 401 arrives after the refresh'({ expire, hold, refreshes }, tab) {
    await expire()
    const release = hold(RESOURCE)
    const late = tab.send().catch(() => {})
    await release.whenHeld
    await tab.send()
    await release()
    await late
    return refreshes()
  },

  async 'ten requests, the token has passed its lifetime'({ clock, log }, tab) {
    clock.advance(16 * MINUTE)
    await sendAll(tab, 10)
    const firsts = (await log(RESOURCE)).slice(0, 10)
    const rejected = firsts.filter(({ status }) => status === 401).length
    return rejected === 0 ? 'no 401, they wait' : `${inWords(rejected)} 401s first`
  },

  async 'a route answers 401 to every token, ten times in a row'({ control, refreshes }, tab) {
    await control('faults', { path: RESOURCE, status: 401, times: 1000 })
    for (let times = 0; times < 10; times += 1) await sendAll(tab, 1)
    return refreshes()
  },

  async 'the refresh gets a 503'({ control, expire }, tab) {
    await expire()
    await control('faults', { path: REFRESH, status: 503 })
    await sendAll(tab, 1)
    return tab.isSignedIn() ? 'user stays signed in' : 'user signed out'
  },

  async 'a response arrives after the sign-out'({ hold }, tab) {
    const release = hold(RESOURCE)
    const response = tab.send().then(
      () => 'shown',
      () => 'discarded',
    )
    await release.whenHeld
    tab.signOut()
    await release()
    return response
  },

  async 'a refresh is answered after the sign-out'({ expire, hold }, tab) {
    await expire()
    const release = hold(REFRESH)
    const sent = tab.send().catch(() => {})
    await release.whenHeld
    tab.signOut()
    await release()
    await sent
    return tab.isSignedIn() ? 'user signed in again' : 'discarded'
  },

  async 'two tabs refresh at the same time'({ expire, openTab, refreshes }, tab) {
    const other = await openTab()
    await expire()
    await Promise.all([sendAll(tab, 1), sendAll(other, 1)])
    return refreshes()
  },
}

it.each(Object.entries(SITUATIONS))('%s: README says what happens', async (row, happen) => {
  const cells: string[] = []
  for (const client of CLIENTS) {
    const world = await openWorld(client)
    cells.push(await happen(world, await world.openTab()))
  }

  expect(rowsOfReadme().get(row)).toEqual(cells)
})

it('no row of README is without a test', () => {
  expect([...rowsOfReadme().keys()]).toEqual(Object.keys(SITUATIONS))
})

function rowsOfReadme(): Map<string, string[]> {
  const [, table = ''] = readFileSync('README.md', 'utf8').split('\n## Compared with')
  const rows = [...table.split('\n## ', 1)[0]!.matchAll(/^\|(.+)\|$/gm)].slice(2)
  return new Map(
    rows.map(([, row]) => {
      const [name, ...cells] = row!.split('|').map((cell) => cell.trim())
      return [name!, cells]
    }),
  )
}

/** A server that revokes a session when a refresh token is used twice, and a browser before it. */
async function openWorld(client: ClientName) {
  const clock = createClock()
  const mock = createMockBrowser({ users: quickUsers, reuseLeeway: 0, now: clock.now })
  const { control, log } = mock
  const held = new Map<string, () => Promise<void>>()
  let before = 0

  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new PageRequest(input, init)
    const response = await mock.fetch(request)
    const { pathname } = new URL(request.url)
    const wait = held.get(pathname)
    held.delete(pathname)
    await wait?.()
    return response
  }
  vi.stubGlobal('Request', PageRequest)
  vi.stubGlobal('fetch', fetch)

  return {
    clock,
    control,
    log,
    openTab: client === 'silent' ? openSilent : await openRivals(client, fetch),
    async expire(): Promise<void> {
      before = (await log(REFRESH)).length
      await control('expire-access')
    },
    /** The next answer for the path stays under way until it is released. */
    hold(path: string) {
      let answer = () => {}
      const answered = new Promise<void>((resolve) => (answer = resolve))
      const whenHeld = new Promise<void>((resolve) => {
        held.set(path, () => (resolve(), answered))
      })
      return Object.assign(() => whenHeld.then(answer), { whenHeld })
    },
    async refreshes(): Promise<string> {
      const answers = (await log(REFRESH)).slice(before).map(({ status }) => status)
      const words = answers.length === 1 ? 'one refresh' : `${inWords(answers.length)} refreshes`
      return answers.includes(401) ? `${words}, session revoked` : words
    },
  }

  async function openSilent(): Promise<Tab> {
    const backend = createCookieBackend({ fetch })
    const auth = createAuth({ backend, tabs: mock.browser.openTab(), now: clock.now })
    if (mock.cookies.size === 0) await auth.login(DEMO)
    else await auth.restore()
    const api = createApiClient({ auth, fetch })
    return {
      send: () => api('/protected-resource', { retry: 0 }),
      signOut: () => void auth.logout(),
      isSignedIn: () => auth.isAuthenticated.value,
    }
  }
}

/** Tabs that share their tokens, as by localStorage. */
async function openRivals(client: Exclude<ClientName, 'silent'>, fetch: typeof globalThis.fetch) {
  const body = JSON.stringify({ ...DEMO, mode: 'json' })
  const headers = { 'content-type': 'application/json' }
  const grant = await (await fetch('/api/auth/login', { method: 'POST', body, headers })).json()
  const tokens: RivalOptions['tokens'] = { access: grant.accessToken, refresh: grant.refreshToken }
  const signOut = () => void (tokens.access = tokens.refresh = null)

  return async function openTab(): Promise<Tab> {
    const { request } = await createRival(client, { baseURL: '/api', tokens, onSignOut: signOut })
    return {
      send: () => request('/protected-resource'),
      signOut,
      isSignedIn: () => tokens.access !== null,
    }
  }
}

async function createRival(client: ClientName, options: RivalOptions): Promise<RivalClient> {
  if (client !== 'library') return createClassicClient({ ...options, shared: client === 'shared' })
  return (await import('@/lab/libraryClient.ts')).createLibraryClient(options)
}

/** With addresses relative to the page, as in a browser. */
class PageRequest extends Request {
  constructor(input: RequestInfo | URL, init?: RequestInit) {
    super(typeof input === 'string' ? new URL(input, 'http://localhost') : input, init)
  }
}

async function sendAll(tab: Tab, times: number): Promise<void> {
  await Promise.allSettled(Array.from({ length: times }, () => tab.send()))
}

function inWords(count: number): string {
  return ['no', 'one', 'two', 'three', 'four'][count] ?? (count === 10 ? 'ten' : String(count))
}
