// @vitest-environment happy-dom
import { mount } from '@vue/test-utils'
import { afterEach, expect, it, vi } from 'vitest'
import { KeepAlive, defineComponent, h } from 'vue'
import { RouterView, createMemoryHistory, createRouter } from 'vue-router'
import { useListQuery } from '@/composables/useListQuery.ts'

const CHOICES = { status: ['open', 'closed'], sort: ['name'] } as const

afterEach(() => void vi.useRealTimers())

/** A list at an address, on a page that is kept alive. */
async function open(address: string) {
  let list!: ReturnType<typeof useListQuery<typeof CHOICES>>
  const List = defineComponent(() => {
    list = useListQuery(CHOICES)
    return () => h('p')
  })
  const routes = [
    { path: '/list', component: List },
    { path: '/other', component: { render: () => h('p') } },
  ]
  const router = createRouter({ history: createMemoryHistory(), routes })
  await router.push(address)
  const shell = () =>
    h(RouterView, null, {
      default: ({ Component }: { Component: object }) => h(KeepAlive, null, () => h(Component)),
    })
  const wrapper = mount(shell, { global: { plugins: [router] } })
  const go = async (action: () => void) => {
    const arrived = new Promise((resolve) => router.afterEach(resolve))
    action()
    await arrived
  }
  const where = () => router.currentRoute.value.fullPath
  return { list, router, go, where, unmount: () => wrapper.unmount() }
}

it('reads what the address says, and leaves out what does not exist', async () => {
  const { list } = await open('/list?q=tea&page=3&status=open&sort=size')

  expect(list.state.value).toEqual({ q: 'tea', page: 3, status: 'open', sort: undefined })
  expect(list.typed.value).toBe('tea')
})

it.each(['', '?q=&page=0&status=', '?page=-1', '?page=x', '?sort=name&sort=x'])(
  'takes %s for the first page without a search',
  async (query) => {
    const { list } = await open(`/list${query}`)

    expect(list.state.value).toMatchObject({ q: undefined, page: 1, status: undefined })
  },
)

it('leads to the first page with a change, and keeps all other parameters', async () => {
  const { list, go, where } = await open('/list?tab=2&q=tea&page=3&sort=name')

  await go(() => list.change({ status: 'closed' }))

  expect(where()).toBe('/list?tab=2&q=tea&sort=name&status=closed')
})

it('takes what is being typed along', async () => {
  const { list, go, where } = await open('/list')

  list.typed.value = 'tea'
  await go(() => list.change({ status: 'open' }))

  expect(where()).toBe('/list?status=open&q=tea')
})

it('takes a step back to where one came from', async () => {
  const { list, router, go } = await open('/list?page=2')
  await go(() => list.change({ status: 'open' }))

  await go(() => router.back())

  expect(list.state.value).toMatchObject({ page: 2, status: undefined })
})

it('follows a step back in the search field', async () => {
  const { list, router, go } = await open('/list')
  list.typed.value = 'tea'
  await go(() => list.search())

  await go(() => router.back())

  expect(list.typed.value).toBe('')
})

it('searches nothing that is there already', async () => {
  const { list, router, where } = await open('/list?q=tea&page=2')
  const push = vi.spyOn(router, 'push')

  list.typed.value = ' tea '
  list.search()

  expect(push).not.toHaveBeenCalled()
  expect(where()).toBe('/list?q=tea&page=2')
})

it('leaves other pages alone, and does not take their address for its own', async () => {
  vi.useFakeTimers()
  const { list, router, where } = await open('/list?page=2')
  list.typed.value = 'tea'
  await vi.advanceTimersByTimeAsync(0)

  await router.push('/other?q=coffee&page=7')
  await vi.advanceTimersByTimeAsync(1000)

  expect(where()).toBe('/other?q=coffee&page=7')
  expect(list.state.value).toMatchObject({ q: undefined, page: 2 })
})

it('searches no more once its page is gone', async () => {
  vi.useFakeTimers()
  const { list, router, unmount } = await open('/list')
  const push = vi.spyOn(router, 'push')
  list.typed.value = 'tea'
  await vi.advanceTimersByTimeAsync(0)

  unmount()
  await vi.advanceTimersByTimeAsync(1000)

  expect(push).not.toHaveBeenCalled()
})
