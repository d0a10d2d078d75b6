import { once } from 'node:events'
import { createServer as createApi } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer } from 'vite'
import type { ConfigEnv, HtmlTagDescriptor, Plugin, UserConfig } from 'vite'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { contentSecurityPolicy, cspPlugin, securityHeaders } from '../../headers.config.ts'
import config from '../../vite.config.ts'

const read = () => (config as (env: ConfigEnv) => UserConfig)({ command: 'serve', mode: 'none' })

const API = '^/api(?=[/?]|$)'

const plugins = () =>
  read()
    .plugins!.flat(3)
    .map((plugin) => plugin && 'name' in plugin && plugin.name)

beforeEach(() => {
  for (const name of ['API_PROXY_TARGET', 'API_PROXY_STRIP', 'VITE_CONNECT_SRC']) {
    vi.stubEnv(name, '')
  }
})

it('S8: mounts the mock unless an API is named to proxy to', () => {
  expect(plugins()).toContain('mock-server')
  expect(read().server!.proxy).toBeUndefined()

  vi.stubEnv('API_PROXY_TARGET', 'http://localhost:8080')
  expect(plugins()).not.toContain('mock-server')
  expect(read()).toMatchObject({
    server: { proxy: { [API]: { target: 'http://localhost:8080' } } },
    preview: { proxy: { [API]: { target: 'http://localhost:8080' } } },
  })
})

describe.each(['server', 'preview'] as const)('API_PROXY_STRIP=1 in %s', (kind) => {
  /** Through the real proxy, to an API that answers with the path that it was asked for. */
  async function ask(path: string, strip: string) {
    const api = createApi((request, response) => {
      response.setHeader('set-cookie', 'refresh=1; Path=/auth; HttpOnly')
      response.end(request.url)
    })
    onTestFinished(() => void api.close())
    vi.stubEnv('API_PROXY_TARGET', await addressOf(api))
    vi.stubEnv('API_PROXY_STRIP', strip)
    const dev = await createServer({
      configFile: false,
      logLevel: 'silent',
      optimizeDeps: { noDiscovery: true },
      server: { middlewareMode: true, ws: false, watch: null, proxy: read()[kind]!.proxy },
    })
    onTestFinished(() => dev.close())
    const front = createApi(dev.middlewares)
    onTestFinished(() => void front.close())
    const answer = await fetch((await addressOf(front)) + path)
    return [await answer.text(), answer.headers.get('set-cookie')]
  }

  async function addressOf(server: Server): Promise<string> {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('takes /api off, and gives cookies the path /', async () => {
    const cookie = 'refresh=1; Path=/; HttpOnly'
    expect(await ask('/api/login?next=/api/x', '1')).toEqual(['/login?next=/api/x', cookie])
    expect(await ask('/api', '1')).toEqual(['/', cookie])
  })

  it.each(['/projects/..%2Fauth%2Fme', '/a%2Fb?to=%2F..', '//x', '/?x'])(
    'passes %s on as it came',
    async (path) => {
      expect((await ask(`/api${path}`, '1'))[0]).toBe(path)
      expect((await ask(`/api${path}`, ''))[0]).toBe(`/api${path}`)
    },
  )

  it('leaves a page of the app whose address begins like that of the API', async () => {
    expect((await ask('/apiary', '1'))[0]).not.toBe('/ary')
    expect((await ask('/apiary', ''))[0]).not.toBe('/apiary')
  })

  it('unset, changes neither path nor cookies', async () => {
    expect(await ask('/api/login', '')).toEqual(['/api/login', 'refresh=1; Path=/auth; HttpOnly'])
  })
})

it.each([
  ['VITE_API_BASE_URL', 'api', 'set a path like /api or a URL like https://api.example.com'],
  ['VITE_API_BASE_URL', '//api.example.com', 'set a path like /api or a URL'],
  ['VITE_API_BASE_URL', 'ftp://api.example.com', 'set a path like /api or a URL'],
  ['VITE_REFRESH_TOKEN_MODE', 'localStorage', 'set cookie or json'],
  ['API_PROXY_TARGET', 'localhost:8080', 'set a URL like http://localhost:8080'],
  ['API_PROXY_STRIP', 'true', 'set 1, or leave it out'],
  ['VITE_CONNECT_SRC', 'login.example.com', 'set origins like https://login.example.com'],
  ['VITE_CONNECT_SRC', 'https://a.example; https://b.example', 'set origins like'],
  ['VITE_CONNECT_SRC', 'https://a.example/path', 'set origins like'],
  ['VITE_CONNECT_SRC', 'https://*', 'set origins like'],
  ['VITE_CONNECT_SRC', 'https://a.example;script-src', 'set origins like'],
  ['VITE_CONNECT_SRC', "'unsafe-inline'", 'set origins like'],
])('a wrong %s fails at the start and says what to set: %s', (name, value, advice) => {
  vi.stubEnv(name, value)
  expect(read).toThrow(`${name} is "${value}": ${advice}`)
})

it.each([
  ['VITE_API_BASE_URL', '/backend/v2'],
  ['VITE_API_BASE_URL', 'https://api.example.com/v2'],
  ['VITE_REFRESH_TOKEN_MODE', 'json'],
  ['VITE_CONNECT_SRC', 'https://login.example.com wss://live.example.com:8443'],
])('%s=%s is right', (name, value) => {
  vi.stubEnv(name, value)
  expect(read).not.toThrow()
})

it('R5: the build may call its own origin and that of the API, and no other', () => {
  expect(contentSecurityPolicy()).toContain("connect-src 'self';")
  expect(contentSecurityPolicy({ VITE_API_BASE_URL: '/backend' })).toContain("connect-src 'self';")
  expect(contentSecurityPolicy({ VITE_API_BASE_URL: 'https://api.example.com/v2' })).toContain(
    "connect-src 'self' https://api.example.com;",
  )
})

it('VITE_CONNECT_SRC adds origins to the policy, each once', () => {
  const VITE_API_BASE_URL = 'https://api.example.com/v2'
  const VITE_CONNECT_SRC = ' https://login.example.com  https://api.example.com wss://live.example '
  expect(contentSecurityPolicy({ VITE_API_BASE_URL, VITE_CONNECT_SRC })).toContain(
    "connect-src 'self' https://api.example.com https://login.example.com wss://live.example;",
  )
})

it('the build has no file in a data: URL, which its policy would keep out', () => {
  expect(read().build!.assetsInlineLimit).toBe(0)
})

it('the build runs no script and no style but its own files and the script in index.html', () => {
  expect(contentSecurityPolicy()).not.toMatch(/unsafe|\*|data:|nonce/)
  expect(contentSecurityPolicy()).toMatch(/; script-src 'self' 'sha256-[\w+/]+=';/)
})

it.each([
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types vue',
])('the policy of the build says %s', (directive) => {
  expect(contentSecurityPolicy().split('; ')).toContain(directive)
})

it('the policy that is sent as a header also says that nobody may frame the page', () => {
  expect(securityHeaders()['Content-Security-Policy']).toBe(
    `${contentSecurityPolicy()}; frame-ancestors 'none'`,
  )
})

it('{ workers: true }: the header leaves the policy to the page, because workers would get it too', () => {
  expect(securityHeaders({}, { workers: true })['Content-Security-Policy']).toBe(
    "frame-ancestors 'none'",
  )
})

it.each([
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'same-origin'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
])('the preview sends %s: %s', (name, value) => {
  expect(read().preview!.headers).toMatchObject({ [name]: value })
})

it.each([
  [{ injectedStyles: true }, "style-src 'self' 'unsafe-inline'"],
  [{ workers: true }, "worker-src 'self'"],
  [{ workers: true }, 'trusted-types vue default'],
  [{ dataPictures: true }, "img-src 'self' blob: data:"],
  [{ pictures: ['https://images.example.com'] }, "img-src 'self' blob: https://images.example.com"],
])('%o adds one thing to the policy: %s', (loosened, directive) => {
  expect(contentSecurityPolicy({}, loosened).split('; ')).toContain(directive)
  expect(contentSecurityPolicy({}, {}).split('; ')).not.toContain(directive)
})

it('{ injectedHtml: true } turns Trusted Types off, and nothing else', () => {
  const strict = contentSecurityPolicy({}, {}).split('; ')
  expect(contentSecurityPolicy({}, { injectedHtml: true }).split('; ')).toEqual(
    strict.filter((directive) => !directive.includes('trusted-types')),
  )
})

it('nothing is loosened from the start', () => {
  expect(contentSecurityPolicy()).toBe(contentSecurityPolicy({}, {}))
})

it('the page of the build carries the policy, with the API in it', async () => {
  const env = { VITE_API_BASE_URL: 'https://api.example.com' }
  expect(await pageOf(cspPlugin(env, {}))).toMatchObject([
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: contentSecurityPolicy(env) },
    },
  ])
})

it('{ workers: true } lets in workers of this origin only', async () => {
  const [, { children }] = (await pageOf(cspPlugin({}, { workers: true }))) as [
    HtmlTagDescriptor,
    HtmlTagDescriptor,
  ]
  let policy: { createScriptURL(url: string): string | null }
  const trustedTypes = { createPolicy: (_: string, given: typeof policy) => (policy = given) }
  const location = { origin: 'https://app.example' }
  const document = { baseURI: 'https://app.example/desk/' }
  new Function('globalThis', 'location', 'document', children as string)(
    { trustedTypes },
    location,
    document,
  )

  expect(policy!.createScriptURL('/sw.js')).toBe('/sw.js')
  expect(policy!.createScriptURL('https://app.example/sw.js')).toBe('https://app.example/sw.js')
  expect(policy!.createScriptURL('//example.com/sw.js')).toBeNull()
  expect(policy!.createScriptURL('blob:https://example.com/1')).toBeNull()
})

/** What a plugin puts into the page of a build. */
async function pageOf({ transformIndexHtml }: Plugin): Promise<HtmlTagDescriptor[]> {
  const { handler } = transformIndexHtml as { handler: (...args: unknown[]) => HtmlTagDescriptor[] }
  return handler('', {})
}
