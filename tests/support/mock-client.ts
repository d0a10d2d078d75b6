/** A browser before the mock server: the real client, the real server, and no port between them. */
import { createApiClient, createAuth, createCookieBackend } from '@/auth/index.ts'
import { createMockServer } from '../../mock-server/app.ts'
import type { LogEntry } from '../../mock-server/log.ts'
import { FakeBrowser } from './browser.ts'

type MockOptions = NonNullable<Parameters<typeof createMockServer>[0]>

export function createMockBrowser(options: MockOptions = {}) {
  const server = createMockServer(options)
  const browser = new FakeBrowser()
  const cookies = new Map<string, string>()

  /** The global fetch of this browser: relative URLs, cookies, and requests that can be aborted. */
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const isAddress = typeof input === 'string' || input instanceof URL
    const url = isAddress ? new URL(input, 'http://localhost') : input
    const request = new Request(url, init)
    request.signal.throwIfAborted()
    const { pathname } = new URL(request.url)
    if (pathname.startsWith('/api/auth') && cookies.size > 0) {
      const pairs = [...cookies].map(([name, value]) => `${name}=${value}`)
      request.headers.set('cookie', pairs.join('; '))
    }
    const response = await unlessAborted(request.signal, server.fetch(request))
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      if (/max-age=0/i.test(line) || !value) cookies.delete(name!)
      else cookies.set(name!, value)
    }
    return response
  }

  /** A tab: the auth store and the client on it. */
  function openTab() {
    const auth = createAuth({
      backend: createCookieBackend({ fetch }),
      tabs: browser.openTab(),
      now: options.now,
    })
    return { auth, api: createApiClient({ auth, fetch }) }
  }

  const control = async (name: string, body?: object) => {
    const response = await fetch(`/api/__mock/${name}`, {
      method: 'POST',
      body: body && JSON.stringify(body),
      headers: body && { 'content-type': 'application/json' },
    })
    if (!response.ok) throw new Error(`${name}: ${response.status}`)
  }

  const log = async (path: string): Promise<LogEntry[]> => {
    const entries = (await (await fetch('/api/__mock/log')).json()) as LogEntry[]
    return entries.filter((entry) => entry.path === path)
  }

  return { openTab, control, log, cookies, browser, fetch }
}

function unlessAborted<T>(signal: AbortSignal, work: T | Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
    Promise.resolve(work).then(resolve, reject)
  })
}
