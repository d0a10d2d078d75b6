// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest'
import router from '@/router/index.ts'

/** Nobody waits for these: what the app does about them is its own affair. */
const go = (path: string) => router.push(path).catch(() => {})

function denySessionStorage() {
  return vi.spyOn(window, 'sessionStorage', 'get').mockImplementation(() => {
    throw new DOMException('Denied', 'SecurityError')
  })
}

beforeEach(async () => {
  window.sessionStorage.clear()
  await router.push('/')
})

it('works where the browser denies sessionStorage', async () => {
  const denied = denySessionStorage()
  const heard = vi.fn<() => void>()
  router.afterEach(heard)
  await router.push('/?again')
  await router.push('/forbidden')
  expect(document.title).toMatch(/^Access denied/)
  expect(heard).toHaveBeenCalledTimes(2)
  expect(denied).toHaveBeenCalled()
})

describe('The title', () => {
  it('is the name of the app alone on a page that has none', async () => {
    await router.push('/forbidden')
    await router.push('/')
    expect(document.title).toBe('Vue Silent Refresh')
  })

  it('stays that of the page where one cannot leave it', async () => {
    const allow = router.beforeEach(() => false)
    await router.push('/forbidden')
    allow()
    expect(document.title).toBe('Vue Silent Refresh')
  })
})

it.each([
  ['7', 'project'],
  ['0f8fad5b-d9cb-469f-a165-70867728950e', 'project'],
  ['..%2Fauth%2Fme', 'not-found'],
  ['a%2Fb', 'not-found'],
])('/projects/%s opens the page “%s”: no id can be a path', (id, page) => {
  expect(router.resolve(`/projects/${id}`).name).toBe(page)
})

it.each([{ q: 'a\ud800' }, { q: ['\udc00', 'b'] }, { 'q\ud800': '1' }])(
  'a query with a lone surrogate does no harm: %j',
  async (query) => {
    await router.push({ path: '/', query })
    expect(decodeURI(router.currentRoute.value.fullPath)).toContain('\ufffd')
  },
)

describe('When the code of a page is gone', () => {
  const assign = () => vi.spyOn(window.location, 'assign').mockReturnValue()
  const load = vi.fn<() => Promise<object>>()
  router.addRoute({ path: '/lazy/:name', component: load })

  beforeEach(() => {
    load.mockRejectedValue(new TypeError('Failed to fetch dynamically imported module: /x.js'))
  })

  it('the page is reloaded, and a second time it is out of reach', async () => {
    const loaded = assign()
    document.body.innerHTML = '<p id="top"></p>'
    await go('/lazy/once?tab=2#top')
    expect(loaded.mock.calls).toEqual([[`${location.origin}/lazy/once?tab=2#top`]])

    await go('/lazy/once?tab=2#top')
    await vi.waitFor(() => expect(router.currentRoute.value.name).toBe('unavailable'))
    expect(loaded).toHaveBeenCalledOnce()
  })

  it.each([
    '//elsewhere.example/page',
    '///elsewhere.example',
    '/\\elsewhere.example',
    '/\t/elsewhere',
  ])('a reload stays on this origin: %j', async (path) => {
    vi.spyOn(console, 'warn').mockReturnValue() // The router reports the slashes.
    const loaded = assign()
    const remove = router.beforeEach(async () => void (await load()))
    await go(path)
    remove()
    const [[address]] = loaded.mock.calls as [[string]]
    expect(new URL(address, location.href).origin).toBe(location.origin)
  })

  it('another page is reloaded for itself', async () => {
    const loaded = assign()
    await go('/lazy/one')
    await go('/lazy/two')
    expect(loaded.mock.calls).toEqual([
      [`${location.origin}/lazy/one`],
      [`${location.origin}/lazy/two`],
    ])
  })

  it('the page is reloaded again after the next deployment', async () => {
    const loaded = assign()
    await go('/lazy/again')
    await router.push('/forbidden')
    await go('/lazy/again')
    expect(loaded).toHaveBeenCalledTimes(2)
  })

  it('a try that fails does not load the page twice', async () => {
    const loaded = assign()
    await go('/lazy/tried')
    await go('/lazy/tried')
    await vi.waitFor(() => expect(router.currentRoute.value.name).toBe('unavailable'))
    await go('/lazy/tried')
    expect(loaded).toHaveBeenCalledOnce()
  })

  it('nothing is reloaded that could not be marked', async () => {
    denySessionStorage()
    const loaded = assign()
    await go('/lazy/unmarked')
    await vi.waitFor(() => expect(router.currentRoute.value.name).toBe('unavailable'))
    expect(loaded).not.toHaveBeenCalled()
  })

  it('any other error of a page is left alone', async () => {
    load.mockRejectedValue(new Error('A mistake in the page'))
    const loaded = assign()
    await go('/lazy/mistake')
    expect(loaded).not.toHaveBeenCalled()
    expect(router.currentRoute.value.path).toBe('/')
  })
})
