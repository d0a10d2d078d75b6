/** The code of docs/recipes.md runs: the real store and libraries, before the mock API. */
import { readFileSync, readdirSync } from 'node:fs'
import { createPinia, setActivePinia } from 'pinia'
import { effectScope, ref } from 'vue'
import type { EffectScope } from 'vue'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { useAuthStore } from '@/stores/auth.ts'
import { elapse, outcome } from '../../support/time.ts'
import { http as axios } from './axios.ts'
import { download } from './download.ts'
import { useServerEvents } from './events.ts'
import { query } from './graphql.ts'
import { http as ky } from './ky.ts'
import { installGuard } from './languages.ts'
import { http as openapi } from './openapi-fetch.ts'
import { usePicture } from './picture.ts'
import { reports } from './second-api.ts'
import { createRecipeWorld, settled, until } from './test-world.ts'
import { upload } from './upload.ts'
import { useSocket } from './websocket.ts'

// As on a page at http://localhost, before the clients take their `Request`.
vi.hoisted(() => {
  globalThis.Request = class extends Request {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === 'string' ? new URL(input, 'http://localhost') : input, init)
    }
  }
})

let world: ReturnType<typeof createRecipeWorld>
/** The component that uses the recipe. */
let component: EffectScope

beforeEach(async () => {
  world = createRecipeWorld()
  component = effectScope()
  setActivePinia(createPinia())
  await signIn('demo')
})

afterEach(() => {
  component.stop()
  vi.useRealTimers()
})

const signIn = (username: string) => useAuthStore().login({ username, password: 'password' })

/** From now on the access token of the signed-in person is rejected. */
const expireToken = () => world.mock.control('expire-access')

it('every block of the document is a file here', () => {
  const text = readFileSync(new URL('../../../docs/recipes.md', import.meta.url), 'utf8')
  const blocks = [...text.matchAll(/^```(?:ts|vue)\n([^]*?)^```$/gm)].map(([, code]) => code!)
  const isRecipe = (name: string) => name === 'PersonCard.test.ts' || !/test/.test(name)
  const files = readdirSync(new URL('.', import.meta.url)).filter(isRecipe)
  const code = files.map((name) => readFileSync(new URL(name, import.meta.url), 'utf8'))
  expect([...blocks].sort()).toEqual([...code].sort())
})

describe('another client', () => {
  beforeEach(expireToken)

  it('axios', async () => {
    const { data } = await axios.get('/protected-resource')
    expect(data).toMatchObject({ user: 'demo' })
    expect(await world.refreshes()).toEqual([200])
  })

  it('ky', async () => {
    await expect(ky('protected-resource').json()).resolves.toMatchObject({ user: 'demo' })
    expect(await world.refreshes()).toEqual([200])
  })

  it('openapi-fetch', async () => {
    const { data } = await openapi.GET('/protected-resource')
    expect(data).toMatchObject({ user: 'demo' })
    expect(await world.refreshes()).toEqual([200])
  })

  it('a second API', async () => {
    world.routes['/sales'] = () => Response.json([1])
    await expect(reports('/sales')).resolves.toEqual([1])
    expect(await world.refreshes()).toEqual([200])
  })
})

describe('GraphQL', () => {
  const rejected = [{ message: 'Sign in', extensions: { code: 'UNAUTHENTICATED' } }]
  const answers: object[] = []

  beforeEach(() => {
    answers.length = 0
    world.routes['/api/graphql'] = () => Response.json(answers.shift())
  })

  it('a 401 leads to a refresh', async () => {
    await expireToken()
    answers.push({ data: { me: { name: 'Demo' } } })
    await expect(query('{ me { name } }')).resolves.toEqual({ me: { name: 'Demo' } })
    expect(await world.refreshes()).toEqual([200])
  })

  it.each([
    ['without data', { errors: rejected }],
    ['without the data of its field', { data: { me: null }, errors: rejected }],
    ['with the data of other fields', { data: { me: null, news: [] }, errors: rejected }],
  ])('so does a 200 with UNAUTHENTICATED, %s', async (_, answer) => {
    answers.push(answer, { data: { me: 'Demo', news: [] } })
    await expect(query('{ me news }')).resolves.toEqual({ me: 'Demo', news: [] })
    expect(await world.refreshes()).toEqual([200])
    expect(world.askedFor('/api/graphql')).toHaveLength(2)
  })

  it('a mutation that was carried out in part is not sent again', async () => {
    answers.push({ data: { pay: true, me: null }, errors: rejected })
    await expect(query('mutation { pay me }')).rejects.toThrow('Sign in')
    expect(world.askedFor('/api/graphql')).toHaveLength(1)
  })

  it('a person who is refused for good learns why', async () => {
    answers.push({ errors: rejected }, { errors: rejected })
    await expect(query('{ me }')).rejects.toThrow('Sign in')
  })

  it('any other error leads to no refresh', async () => {
    answers.push({ errors: [{ message: 'No such field' }] })
    await expect(query('{ you }')).rejects.toThrow('No such field')
    expect(await world.refreshes()).toEqual([])
  })
})

describe('the address of the API is that of src/api/backend.ts', () => {
  beforeEach(() => {
    vi.stubEnv('VITE_API_BASE_URL', 'https://api.example.com/v1')
    vi.resetModules()
  })
  const address = 'https://api.example.com/v1/'

  it.each([
    ['axios', async () => (await import('./axios.ts')).http.get('/me')],
    ['ky', async () => (await import('./ky.ts')).http('me')],
    ['openapi-fetch', async () => (await import('./openapi-fetch.ts')).http.GET('/me' as never)],
    ['GraphQL', async () => (await import('./graphql.ts')).query('{ me }')],
  ])('for %s', async (_, call) => {
    await call().catch(() => {})
    expect(world.asked.at(-1)!.url).toMatch(address)
  })

  it('for an upload', async () => {
    const { open } = stubXhr()
    const { upload } = await import('./upload.ts')
    await upload('/me', new Blob(), () => {}).catch(() => {})
    expect(open).toHaveBeenCalledWith('POST', `${address}me`)
  })
})

describe('files', () => {
  const bytes = () =>
    new Response(new Uint8Array([1, 2]), { headers: { 'content-type': 'image/png' } })

  beforeEach(expireToken)

  it('an upload is sent again after a 401, and keeps the headers of its answer', async () => {
    stubXhr()
    world.routes['/api/files'] = ({ init }) =>
      Response.json({ size: (init.body as Blob).size }, { status: 201, headers: { etag: '"1"' } })
    const onResponse = vi.fn<(context: { response: Response }) => void>()
    const shares: number[] = []

    const answer = upload('/files', new Blob(['1234']), (share) => shares.push(share), {
      onResponse,
    })

    await expect(answer).resolves.toEqual({ size: 4 })
    expect(onResponse.mock.calls[0]![0].response.headers.get('etag')).toBe('"1"')
    expect(shares).toEqual([0.5, 1, 0.5, 1])
    expect(await world.refreshes()).toEqual([200])
  })

  it('an upload may be a form', async () => {
    stubXhr()
    world.routes['/api/files'] = async ({ init, headers }) => {
      const form = await new Response(init.body, { headers }).formData()
      return Response.json({ name: form.get('name') })
    }
    const form = new FormData()
    form.set('name', 'Report')
    form.set('file', new Blob(['1234']), 'a.txt')
    await expect(upload('/files', form, () => {})).resolves.toEqual({ name: 'Report' })
  })

  it('an upload of nothing is done', async () => {
    stubXhr()
    world.routes['/api/files'] = () => new Response(null, { status: 204 })
    const shares: number[] = []
    await upload('/files', new Blob(), (share) => shares.push(share))
    expect(new Set(shares)).toEqual(new Set([1]))
  })

  it('R9: an upload can be aborted', async () => {
    const { abort } = stubXhr()
    const isAsked = new Promise<void>((resolve) => {
      world.routes['/api/files'] = () => {
        resolve()
        return new Promise(() => {})
      }
    })
    const controller = new AbortController()
    const { signal } = controller
    const answer = outcome(upload('/files', new Blob(['1']), () => {}, { signal }))
    await isAsked
    controller.abort(new Error('Enough'))
    await until(() => answer.state === 'rejected')
    expect(answer.reason).toMatchObject({ message: 'Enough' })
    expect(abort).toHaveBeenCalled()
  })

  it('a download is saved under its name', async () => {
    world.routes['/api/report.pdf'] = bytes
    const link = { href: '', download: '', click: vi.fn<() => void>() }
    vi.stubGlobal('document', { createElement: () => link })
    await download('/report.pdf', 'report.pdf')
    expect(link).toMatchObject({ download: 'report.pdf', href: expect.stringMatching(/^blob:/) })
    expect(link.click).toHaveBeenCalledOnce()
    expect(await world.refreshes()).toEqual([200])
  })

  it('a picture gives way to another, and its memory is released', async () => {
    world.routes['/api/a.png'] = bytes
    world.routes['/api/b.png'] = bytes
    const released = vi.spyOn(URL, 'revokeObjectURL')
    const path = ref('/a.png')
    const { source } = component.run(() => usePicture(path))!
    await until(() => source.value !== '')
    const first = source.value
    path.value = '/b.png'
    await until(() => source.value !== '' && source.value !== first)
    expect(released).toHaveBeenCalledWith(first)
    component.stop()
    expect(source.value).toBe('')
  })

  it('a picture that was replaced is loaded again, past the cache of the browser', async () => {
    world.routes['/api/a.png'] = bytes
    const { source, reload } = component.run(() => usePicture('/a.png'))!
    await until(() => source.value !== '')
    const first = source.value
    reload()
    await until(() => source.value !== '' && source.value !== first)
    expect(world.askedFor('/api/a.png').at(-1)!.init.cache).toBe('reload')
  })
})

describe('server-sent events', () => {
  const events: string[] = []
  const open: ReturnType<typeof openStream>[] = []

  beforeEach(() => {
    events.length = 0
    open.length = 0
    world.routes['/api/events'] = ({ init }) => {
      open.push(openStream(init))
      return open.at(-1)!.response
    }
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })

  const listen = () =>
    component.run(() => useServerEvents('/events', ({ data }) => events.push(data)))!
  const lastId = () => world.askedFor('/api/events').at(-1)!.headers.get('last-event-id')
  const isPausing = () => vi.getTimerCount() === 1

  it('arrive one by one, however the lines end, and without heartbeats', async () => {
    await expireToken()
    listen()
    await until(() => open.length === 1)
    open[0]!.write(': ping\n\ndata: o')
    open[0]!.write('ne\r\n\r\n: ping\r\n\r\ndata: two\ndata: lines\n\n')
    await until(() => events.length === 2)
    expect(events).toEqual(['one', 'two\nlines'])
    expect(await world.refreshes()).toEqual([200])
  })

  it('go on where they broke off, after the time that the server says', async () => {
    listen()
    await until(() => open.length === 1)
    expect(lastId()).toBeNull()
    open[0]!.write('retry: 500\nid: 7\ndata: one\n\ndata: a half')
    open[0]!.end()
    await until(isPausing)

    await elapse(499)
    expect(open).toHaveLength(1)
    await elapse(1)
    await until(() => open.length === 2)
    expect(lastId()).toBe('7')
    open[1]!.write('data: two\n\n')
    await until(() => events.length === 2)
    expect(events).toEqual(['one', 'two'])
  })

  it('go on after an outage', async () => {
    const { '/api/events': answer } = world.routes
    world.routes['/api/events'] = () => new Response(null, { status: 503 })
    const refusal = listen()
    await until(isPausing)
    world.routes['/api/events'] = answer!
    await elapse(3000)
    await until(() => open.length === 1)
    expect(refusal.value).toBeNull()
  })

  it.each([403, 404])('stop where the API refuses them with %s', async (status) => {
    world.routes['/api/events'] = () => new Response(null, { status })
    const refusal = listen()
    await until(() => refusal.value !== null)
    expect(refusal.value).toMatchObject({ status })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('stop where the server has no more', async () => {
    world.routes['/api/events'] = () => new Response(null, { status: 204 })
    listen()
    await until(() => world.askedFor('/api/events').length === 1)
    await settled()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('R18: stop with the session, and begin anew for the next person', async () => {
    listen()
    await until(() => open.length === 1)
    open[0]!.write('id: 7\ndata: of demo\n\n')
    await until(() => events.length === 1)

    await useAuthStore().logout()
    expect(open[0]!.isOver()).toBe(true)
    await elapse(60_000)
    expect(open).toHaveLength(1)

    await signIn('admin')
    await until(() => open.length === 2)
    expect(lastId()).toBeNull()
  })

  it('R18: what arrives while its person signs out is not delivered', async () => {
    listen()
    await until(() => open.length === 1)
    open[0]!.write('data: one\n\n')
    await Promise.resolve()
    void useAuthStore().logout()
    await settled()
    expect(events).toEqual([])
  })

  it('end with their component', async () => {
    listen()
    await until(() => open.length === 1)
    component.stop()
    expect(open[0]!.isOver()).toBe(true)
    await elapse(60_000)
    expect(open).toHaveLength(1)
  })

  it('an error of the page breaks nothing off', async () => {
    const fails = vi.fn<() => void>()
    process.once('uncaughtException', fails)
    const seen: string[] = []
    component.run(() =>
      useServerEvents('/events', ({ data }) => {
        seen.push(data)
        if (data === 'one') throw new Error('Of the page')
      }),
    )
    await until(() => open.length === 1)
    open[0]!.write('data: one\n\ndata: two\n\n')
    await until(() => seen.length === 2)
    expect(open[0]!.isOver()).toBe(false)
    expect(fails).toHaveBeenCalledOnce()
  })
})

describe('a socket', () => {
  const sockets: FakeSocket[] = []
  const received: unknown[] = []

  beforeEach(() => {
    sockets.length = 0
    received.length = 0
    vi.stubGlobal('WebSocket', FakeSocket)
    FakeSocket.opened = (socket) => sockets.push(socket)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    vi.spyOn(Math, 'random').mockReturnValue(0)
  })

  const ADDRESS = 'wss://api.example.com/live'
  const open = () => component.run(() => useSocket(ADDRESS, (data) => received.push(data)))!
  const tokenOf = (socket: FakeSocket) => JSON.parse(socket.sent[0]!).token
  const isPausing = () => vi.getTimerCount() === 1

  async function opened(count = 1): Promise<FakeSocket> {
    await until(() => sockets.length === count)
    const socket = sockets.at(-1)!
    socket.accept()
    return socket
  }

  it('gets a token that works, and not in its address', async () => {
    const send = open()
    expect(send('too early')).toBe(false)
    const socket = await opened()
    expect(socket.sent).toEqual([
      JSON.stringify({ type: 'auth', token: useAuthStore().accessToken }),
    ])
    expect(socket.url).toBe(ADDRESS)
    expect(send('hello')).toBe(true)
    expect(socket.sent[1]).toBe('hello')
  })

  it('R18: lives with its session: the next person has one of their own', async () => {
    open()
    const first = await opened()
    first.receive('of demo')

    await useAuthStore().logout()
    expect(first.readyState).not.toBe(FakeSocket.OPEN)
    await elapse(60_000)
    expect(sockets).toHaveLength(1)

    await signIn('admin')
    first.receive('of demo')
    const second = await opened(2)
    second.receive('of admin')
    expect(received).toEqual(['of demo', 'of admin'])
    expect(tokenOf(second)).toBe(useAuthStore().accessToken)
  })

  it('R18: is closed when somebody signs in over its person', async () => {
    open()
    const first = await opened()
    await signIn('admin')
    expect(first.readyState).not.toBe(FakeSocket.OPEN)
    expect(tokenOf(await opened(2))).toBe(useAuthStore().accessToken)
  })

  it('that was still connecting is closed as well', async () => {
    open()
    await until(() => sockets.length === 1)
    await useAuthStore().logout()
    sockets[0]!.accept()
    expect(sockets[0]!.sent).toEqual([])
    expect(sockets[0]!.readyState).not.toBe(FakeSocket.OPEN)
  })

  it('is not opened for a component that has gone meanwhile', async () => {
    open()
    component.stop()
    await settled()
    expect(sockets).toEqual([])
  })

  it('opens again with a fresh token when the old one is rejected', async () => {
    open()
    const first = await opened()
    first.drop(4401)
    await until(() => useAuthStore().accessToken !== tokenOf(first) && isPausing())
    await elapse(1000)
    const second = await opened(2)
    expect(tokenOf(second)).not.toBe(tokenOf(first))
    expect(await world.refreshes()).toEqual([200])
  })

  it('opens again after a break, and ever later if there is no answer', async () => {
    open()
    for (const [count, milliseconds] of [1000, 2000, 4000].entries()) {
      const socket = await opened(count + 1)
      socket.drop(1006)
      await until(isPausing)
      await elapse(milliseconds - 1)
      expect(sockets).toHaveLength(count + 1)
      await elapse(1)
    }
    const socket = await opened(4)
    socket.receive('hello')
    socket.drop(1006)
    await until(isPausing)
    await elapse(1000)
    await opened(5)
    expect(await world.refreshes()).toEqual([])
  })

  it('is closed with its component', async () => {
    open()
    const socket = await opened()
    component.stop()
    expect(socket.readyState).not.toBe(FakeSocket.OPEN)
    await elapse(60_000)
    expect(sockets).toHaveLength(1)
  })
})

/** A stream into which the test writes. Like that of a real fetch, it breaks off with its request. */
function openStream({ signal }: RequestInit) {
  let isOver = false
  let controller!: ReadableStreamDefaultController<Uint8Array>
  const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) })
  signal!.addEventListener('abort', () => {
    isOver = true
    controller.error(signal!.reason)
  })
  return {
    response: new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
    write: (text: string) => controller.enqueue(new TextEncoder().encode(text)),
    end: () => controller.close(),
    isOver: () => isOver,
  }
}

/** A WebSocket whose server is the test. While it closes, it delivers nothing, as in a browser. */
class FakeSocket extends EventTarget {
  static readonly OPEN = 1
  static opened: (socket: FakeSocket) => void
  readonly url: string
  readonly sent: string[] = []
  readyState = 0

  constructor(url: string) {
    super()
    this.url = url
    FakeSocket.opened(this)
  }

  send(message: string): void {
    if (this.readyState !== 1) throw new Error('The socket is not open.')
    this.sent.push(message)
  }

  close(): void {
    this.readyState = 2
    queueMicrotask(() => this.drop(1005))
  }

  accept(): void {
    if (this.readyState !== 0) return
    this.readyState = 1
    this.dispatchEvent(new Event('open'))
  }

  receive(data: string): void {
    if (this.readyState === 1) this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }

  drop(code: number): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.dispatchEvent(Object.assign(new Event('close'), { code }))
  }
}

/** An XMLHttpRequest on the `fetch` of the moment, which reports half of the body, then all of it. */
function stubXhr() {
  const open = vi.fn<(method: string, url: string) => void>()
  const abort = vi.fn<() => void>()
  class Xhr {
    upload: { onprogress?: (event: object) => void } = {}
    status = 0
    statusText = ''
    response = new Blob()
    onload?: () => void
    onerror?: () => void
    onabort?: () => void
    #url = ''
    #method = ''
    #headers = new Headers()
    #answered = new Headers()

    open(method: string, url: string): void {
      open(method, url)
      this.#method = method
      this.#url = url
    }
    setRequestHeader(name: string, value: string): void {
      this.#headers.append(name, value)
    }
    getAllResponseHeaders(): string {
      return [...this.#answered].map(([name, value]) => `${name}: ${value}\r\n`).join('')
    }
    abort(): void {
      abort()
      this.onabort?.()
    }
    async send(body: Blob): Promise<void> {
      const total = body.size
      for (const loaded of [total / 2, total]) this.upload.onprogress?.({ loaded, total })
      const init = { method: this.#method, headers: this.#headers, body }
      try {
        const response = await fetch(this.#url, init)
        this.status = response.status
        this.#answered = response.headers
        this.response = await response.blob()
        this.onload?.()
      } catch {
        this.onerror?.()
      }
    }
  }
  vi.stubGlobal('XMLHttpRequest', Xhr)
  return { open, abort }
}

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
