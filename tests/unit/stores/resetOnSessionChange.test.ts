// @vitest-environment happy-dom
import { createPinia, defineStore, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import { createApp, readonly, ref } from 'vue'
import { useAuthStore } from '@/stores/auth.ts'
import { resetOnSessionChange } from '@/stores/resetOnSessionChange.ts'
import { ada, bob, grantFor } from '../../support/backend.ts'

const useCart = defineStore('cart', () => {
  const items = ref<{ name: string }[]>([])
  const note = ref<string | null>(null)
  return { items, note }
})
const useFilter = defineStore('filter', { state: () => ({ tags: ['open'], page: 1 }) })

beforeEach(() => {
  vi.stubGlobal('BroadcastChannel', undefined)
  localStorage.clear()
  const pinia = createPinia().use(resetOnSessionChange)
  // A plugin is used from the moment an app has the Pinia.
  createApp({}).use(pinia)
  setActivePinia(pinia)
})

async function signIn(user: typeof ada) {
  vi.stubGlobal('fetch', async () => Response.json(grantFor(user)))
  await useAuthStore().login({ username: user.username, password: 'secret' })
}

function fill() {
  useCart().items.push({ name: 'a book' })
  useCart().note = 'for a friend'
  useFilter().tags.push('mine')
  useFilter().page = 3
}

const everything = () => ({ ...useCart().$state, ...useFilter().$state })
const nothing = { items: [], note: null, tags: ['open'], page: 1 }

it('R6: after a sign-out nothing is left of the person, at once', async () => {
  await signIn(ada)
  fill()
  void useAuthStore().logout()
  expect(everything()).toEqual(nothing)
})

it('R6: who signs in over another person finds nothing of theirs, time and again', async () => {
  await signIn(ada)
  fill()
  await signIn(bob)
  expect(everything()).toEqual(nothing)
  fill()
  await signIn(ada)
  expect(everything()).toEqual(nothing)
})

it('what a visitor has gathered stays theirs when they sign in', async () => {
  useAuthStore()
  fill()
  await signIn(ada)
  expect(useCart().items).toEqual([{ name: 'a book' }])
})

it('a refresh, or another session of the same person, takes nothing away', async () => {
  await signIn(ada)
  fill()
  await useAuthStore().refresh()
  await signIn(ada)
  expect(useCart().items).toEqual([{ name: 'a book' }])
})

it('R6: a store with state that cannot be emptied is refused, rather than left full', () => {
  const useInbox = defineStore('inbox', () => {
    const letters = ref<string[]>([])
    return { letters: readonly(letters), read: () => letters.value.push('a letter') }
  })
  expect(() => useInbox()).toThrow('Store inbox: letters is readonly')
})

it('R6: a store with a readonly text is refused as well', () => {
  const useName = defineStore('name', () => ({ name: readonly(ref('Ada')) }))
  expect(() => useName()).toThrow('Store name: name is readonly')
})
