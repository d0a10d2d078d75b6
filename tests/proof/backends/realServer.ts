/** A real server for the journeys of a file. Before each request its clock gets the journey's time. */
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import type { JourneyApi, OpenApi } from './journeys.ts'
import { addResult, createServerProcess } from './server.ts'
import type { ServerName, ServerProcess } from './server.ts'

const network = globalThis.fetch

type RealApi = Pick<JourneyApi, 'createBackend' | 'isRefresh' | 'clientFetch'> & {
  path?: string
  /** Whether the API sets cookies, which fetch in Node does not keep. */
  hasCookies?: boolean
}

export function useRealServer(name: ServerName, options: RealApi, env = {}) {
  const { path = '', hasCookies = false, ...api } = options
  let server: ServerProcess
  beforeAll(async () => {
    server = await createServerProcess(name, env)
    server.setClock(Date.UTC(2030, 0, 1))
    await server.start()
  }, 60_000)
  afterAll(() => server.remove())

  /** Notes how the test ends that has just begun, once. */
  let noted: unknown
  function note(): void {
    const { currentTestName } = expect.getState()
    if (noted === currentTestName) return
    noted = currentTestName
    const before = server.refreshes()
    const started = performance.now()
    onTestFinished(({ task }) =>
      addResult({
        where: 'in process',
        server: name,
        journey: task.name,
        refreshes: server.refreshes() - before,
        passed: task.result?.state === 'pass',
        seconds: (performance.now() - started) / 1000,
      }),
    )
  }

  return (more: Partial<JourneyApi> = {}): OpenApi =>
    (now) => {
      note()
      const cookies = new Map<string, string>()
      const send = hasCookies ? withCookies(cookies, server.origin) : network
      return {
        ...api,
        baseURL: server.origin + path,
        cookies,
        fetch: (input, init) => {
          server.setClock(now())
          return send(input, init)
        },
        ...more,
      }
    }
}

/** A fetch with the cookies of a browser whose page is of the server's own origin. */
function withCookies(cookies: Map<string, string>, origin: string): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const headers = new Headers(request.headers)
    headers.set('origin', origin)
    const sent = request.credentials === 'omit' ? [] : [...cookies]
    if (sent.length > 0) headers.set('cookie', sent.map((pair) => pair.join('=')).join('; '))
    const { method, redirect, signal } = request
    const body = method === 'GET' ? undefined : await request.arrayBuffer()
    const response = await network(request.url, { method, redirect, signal, headers, body })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = '', rest = ''] = /^([^=]+)=([^;]*)(.*)/.exec(line) ?? []
      const isGone = !value || /max-age=0\b|expires=Thu, 01 Jan 1970/i.test(rest)
      if (isGone) cookies.delete(name)
      else cookies.set(name, value)
    }
    return response
  }
}
