/** The code of docs/recipes.md runs: the real store and libraries, before the mock API. */
import { readFileSync, readdirSync } from 'node:fs'
import { createPinia, setActivePinia } from 'pinia'
import { effectScope, ref } from 'vue'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { useAuthStore } from '@/stores/auth.ts'
import { createMockBrowser } from '../../support/mock-client.ts'
import { http as axios } from './axios.ts'
import { download } from './download.ts'
import { serverEvents } from './events.ts'
import { query } from './graphql.ts'
import { http as ky } from './ky.ts'
import { installGuard } from './languages.ts'
import { http as openapi } from './openapi-fetch.ts'
import { usePicture } from './picture.ts'
import { reports } from './second-api.ts'
import { openSocket } from './websocket.ts'

// As on a page at http://localhost, before the clients take their `Request`.
vi.hoisted(() => {
  globalThis.Request = class extends Request {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === 'string' ? new URL(input, 'http://localhost') : input, init)
    }
  }
})

const REFRESH = '/api/auth/refresh'

let mock: ReturnType<typeof createMockBrowser>

/** What the mock has no route for. Each asks for a live token. */
let routes: Record<string, () => Response>

beforeEach(async () => {
  mock = createMockBrowser()
  routes = {}
  vi.stubGlobal('fetch', async (input: RequestInfo | URL, init?: RequestInit) => {
    const isAddress = typeof input === 'string' || input instanceof URL
    const { pathname } = new URL(isAddress ? input : input.url, 'http://localhost')
    const own = routes[pathname]
    if (!own) return mock.fetch(input, init)
    const headers = new Headers(init?.headers)
    const { status } = await mock.fetch('/api/protected-resource', { headers })
    return status === 200 ? own() : new Response(null, { status })
  })
  setActivePinia(createPinia())
  await useAuthStore().login({ username: 'demo', password: 'password' })
  await mock.control('expire-access')
})

async function refreshes() {
  return (await mock.log(REFRESH)).map(({ status }) => status)
}

it('every block of the document is a file here', () => {
  const text = readFileSync(new URL('../../../docs/recipes.md', import.meta.url), 'utf8')
  const blocks = [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code!)
  const files = readdirSync(new URL('.', import.meta.url)).filter((name) => !/test/.test(name))
  const code = files.map((name) => readFileSync(new URL(name, import.meta.url), 'utf8'))
  expect([...blocks].sort()).toEqual([...code].sort())
})

describe('another client', () => {
  it('axios', async () => {
    const { data } = await axios.get('/protected-resource')
    expect(data).toMatchObject({ user: 'demo' })
    expect(await refreshes()).toEqual([200])
  })

  it('ky', async () => {
    await expect(ky('protected-resource').json()).resolves.toMatchObject({ user: 'demo' })
    expect(await refreshes()).toEqual([200])
  })

  it('openapi-fetch', async () => {
    const { data } = await openapi.GET('/protected-resource')
    expect(data).toMatchObject({ user: 'demo' })
    expect(await refreshes()).toEqual([200])
  })

  it('GraphQL', async () => {
    routes['/api/graphql'] = () => Response.json({ data: { me: { name: 'Demo' } } })
    await expect(query('{ me { name } }')).resolves.toEqual({ me: { name: 'Demo' } })
    expect(await refreshes()).toEqual([200])
  })

  it('a second API', async () => {
    routes['/sales'] = () => Response.json([1])
    await expect(reports('/sales')).resolves.toEqual([1])
    expect(await refreshes()).toEqual([200])
  })
})

describe('files', () => {
  const bytes = () =>
    new Response(new Uint8Array([1, 2]), { headers: { 'content-type': 'image/png' } })

  it('a download is saved under its name', async () => {
    routes['/api/report.pdf'] = bytes
    const link = { href: '', download: '', click: vi.fn<() => void>() }
    vi.stubGlobal('document', { createElement: () => link })
    await download('/report.pdf', 'report.pdf')
    expect(link).toMatchObject({ download: 'report.pdf', href: expect.stringMatching(/^blob:/) })
    expect(link.click).toHaveBeenCalledOnce()
    expect(await refreshes()).toEqual([200])
  })

  it('a picture is replaced, and its memory released', async () => {
    routes['/api/a.png'] = bytes
    routes['/api/b.png'] = bytes
    const released = vi.spyOn(URL, 'revokeObjectURL')
    const path = ref('/a.png')
    const scope = effectScope()
    const source = scope.run(() => usePicture(path))!
    await vi.waitFor(() => expect(source.value).toMatch(/^blob:/))
    const first = source.value
    path.value = '/b.png'
    await vi.waitFor(() => expect(released).toHaveBeenCalledWith(first))
    await vi.waitFor(() => expect(source.value).toMatch(/^blob:/))
    scope.stop()
    expect(source.value).toBe('')
  })
})

describe('open connections', () => {
  it('server-sent events arrive one by one', async () => {
    routes['/api/events'] = () => new Response('data: one\n\ndata: two\n\n')
    const events: string[] = []
    for await (const event of serverEvents('/events', new AbortController().signal)) {
      events.push(event)
    }
    expect(events).toEqual(['one', 'two'])
    expect(await refreshes()).toEqual([200])
  })

  it('a socket gets a token that works, and not in its address', async () => {
    const sent: string[] = []
    class Socket extends EventTarget {
      url: string
      constructor(url: string) {
        super()
        this.url = url
      }
      send = (message: string) => void sent.push(message)
    }
    vi.stubGlobal('WebSocket', Socket)
    const auth = useAuthStore()
    await auth.refresh()
    const socket = await openSocket('wss://api.example.com/live')
    socket.dispatchEvent(new Event('open'))
    expect(sent).toEqual([JSON.stringify({ type: 'auth', token: auth.accessToken })])
    expect(socket.url).toBe('wss://api.example.com/live')
  })
})

it('languages: the sign-in page and the first page are in the language of the address', async () => {
  const component = { render: () => null }
  const children = [
    { path: 'login', component, meta: { guestOnly: true } },
    { path: 'dashboard', component, meta: { requiresAuth: true } },
  ]
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:lang(en|fr)', children }],
  })
  installGuard(router)
  await router.push('/fr/login')
  expect(router.currentRoute.value.path).toBe('/fr/dashboard')

  await useAuthStore().logout()
  expect(router.currentRoute.value.path).toBe('/fr/login')
  await router.push('/en/dashboard?tab=2')
  expect(router.currentRoute.value.fullPath).toBe('/en/login?redirect=/en/dashboard?tab=2')
})
