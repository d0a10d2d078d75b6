// @vitest-environment happy-dom
import { createPinia, defineStore, setActivePinia } from 'pinia'
import type { PiniaPlugin } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp, nextTick, readonly, ref, watch } from 'vue'
import { useAuthStore } from '@/stores/auth.ts'
import { resetOnSessionChange } from '@/stores/resetOnSessionChange.ts'
import { ada, bob, grantFor } from '../../support/backend.ts'

const useCart = defineStore('cart', () => {
  const items = ref<{ name: string }[]>([])
  const note = ref<string | null>(null)
  const add = (name: string) => items.value.push({ name })
  return { items, note, add }
})
const useFilter = defineStore('filter', { state: () => ({ tags: ['open'], page: 1 }) })

beforeEach(() => {
  vi.stubGlobal('BroadcastChannel', undefined)
  localStorage.clear()
  install(resetOnSessionChange)
})

function install(...plugins: PiniaPlugin[]) {
  const pinia = createPinia()
  for (const plugin of plugins) pinia.use(plugin)
  // A plugin is used from the moment an app has the Pinia.
  createApp({}).use(pinia)
  setActivePinia(pinia)
}

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

it('R18: after a sign-out nothing is left of the person, at once', async () => {
  await signIn(ada)
  fill()
  void useAuthStore().logout()
  expect(everything()).toEqual(nothing)
})

it('R18: who signs in over another person finds nothing of theirs, time and again', async () => {
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

describe('R18: a store of the next person', () => {
  it('is seeded with the next person, as a setup store', async () => {
    const useForm = defineStore('form', () => ({ name: ref(useAuthStore().user?.name) }))
    await signIn(ada)
    useForm().name = 'Ada Lovelace'

    await signIn(bob)

    expect(useForm().name).toBe('Bob')
  })

  it('is seeded with the next person, as an option store', async () => {
    const useForm = defineStore('form', { state: () => ({ name: useAuthStore().user?.name }) })
    await signIn(ada)
    useForm().name = 'Ada Lovelace'

    await signIn(bob)

    expect(useForm().name).toBe('Bob')
  })

  it('reads storage under their own key', async () => {
    const useDraft = defineStore('draft', () => ({
      text: useStorage(`draft:${useAuthStore().user?.id}`),
    }))
    await signIn(ada)
    useDraft().text = 'Dear Bob'

    await signIn(bob)
    expect(useDraft().text).toBe('')
    useDraft().text = 'Dear Ada'

    await signIn(ada)
    expect(useDraft().text).toBe('Dear Bob')
  })

  it.each([
    ['before', [persist, resetOnSessionChange]],
    ['after', [resetOnSessionChange, persist]],
  ])('has what a persistence plugin kept for them, registered %s', async (_, plugins) => {
    install(...plugins)
    await signIn(ada)
    fill()

    await signIn(bob)
    expect(everything()).toEqual(nothing)

    await signIn(ada)
    expect(useFilter().page).toBe(3)
    expect(useCart().note).toBe('for a friend')
  })

  it('may have state that cannot be copied', async () => {
    const useUpload = defineStore('upload', () => {
      const done = ref<string[]>([])
      return { done: readonly(done), stop: ref(() => {}), finish: () => done.value.push('a.png') }
    })
    await signIn(ada)
    useUpload().finish()

    await signIn(bob)

    expect(useUpload().done).toEqual([])
  })

  it('hears nothing of a timer that the last one started', async () => {
    const useNote = defineStore('note', () => {
      const text = ref('')
      return { text, saveLater: (value: string) => nextTick(() => (text.value = value)) }
    })
    await signIn(ada)
    const saved = useNote().saveLater('for a friend')

    void useAuthStore().logout()
    await saved

    expect(useNote().text).toBe('')
  })
})

it('a store kept in a constant is reported when used after its person left', async () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  await signIn(ada)
  const cart = useCart()
  await signIn(bob)
  await nextTick()
  expect(warn).not.toHaveBeenCalled()

  cart.add('a book')

  expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/^cart\.add\(\) of a store/))
})

/** A ref that localStorage keeps, in the manner of VueUse. */
function useStorage(key: string) {
  const text = ref(localStorage.getItem(key) ?? '')
  watch(text, () => localStorage.setItem(key, text.value), { flush: 'sync' })
  return text
}

/** Keeps the state of all stores in localStorage, in the manner of pinia-plugin-persistedstate. */
function persist({ store }: Parameters<PiniaPlugin>[0]) {
  if (store.$id === 'auth') return
  const key = `${store.$id}:${useAuthStore().user?.id}`
  store.$patch(JSON.parse(localStorage.getItem(key) ?? '{}'))
  store.$subscribe((_, state) => localStorage.setItem(key, JSON.stringify(state)), {
    flush: 'sync',
  })
}
