// @vitest-environment happy-dom
/** Where a page is loaded again whose code is gone. What else happens then: index.test.ts. */
import { beforeEach, expect, it, vi } from 'vitest'
import { createRouter, createWebHashHistory, createWebHistory } from 'vue-router'
import type { RouterHistory } from 'vue-router'
import { reloadForMissingChunks } from '@/router/missingChunk.ts'

const component = () => Promise.reject(new TypeError('Failed to fetch dynamically imported module'))

async function openLazy(history: RouterHistory, path: string) {
  const assign = vi.spyOn(window.location, 'assign').mockReturnValue()
  const reload = vi.spyOn(window.location, 'reload').mockReturnValue()
  const home = { path: '/', component: { render: () => null } }
  const router = createRouter({ history, routes: [home, { path: '/lazy', component }] })
  reloadForMissingChunks(router)
  await router.push(path).catch(() => {})
  return { assigned: assign.mock.calls.map(([address]) => String(address)), reload }
}

beforeEach(() => window.sessionStorage.clear())

it('with a hash history below a path: at its address, by a reload', async () => {
  window.history.replaceState(null, '', '/apps/shop/index.html?a=1#/')

  const { assigned, reload } = await openLazy(createWebHashHistory(), '/lazy?q=$&')

  expect(assigned).toEqual([])
  expect(reload).toHaveBeenCalledOnce()
  expect(location.href).toBe(`${location.origin}/apps/shop/index.html?a=1#/lazy?q=$&`)
})

it('at the address where the tab is, with a hash: by a reload', async () => {
  window.history.replaceState(null, '', '/lazy#top')
  const { length } = window.history

  const { assigned, reload } = await openLazy(createWebHistory(), '/lazy#top')

  expect(assigned).toEqual([])
  expect(reload).toHaveBeenCalledOnce()
  expect(window.history.length).toBe(length)
})

it('below a base: at its address', async () => {
  window.history.replaceState(null, '', '/shop/')

  const { assigned, reload } = await openLazy(createWebHistory('/shop/'), '/lazy')

  expect(assigned).toEqual([`${location.origin}/shop/lazy`])
  expect(reload).not.toHaveBeenCalled()
})
