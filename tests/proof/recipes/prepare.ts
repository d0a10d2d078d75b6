import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { Router } from 'vue-router'
import { json } from '@/api/client.ts'
import type { AuthGuardOptions } from '@/auth/index.ts'

/** The pages that a menu may name. Their code is loaded when they are opened. */
const views = { UsersView: () => import('./UsersView.vue') }

interface MenuPage {
  path: string
  title: string
  view: keyof typeof views
}

/** What the menu of the signed-in person has, for the header. */
export const useMenuStore = defineStore('menu', () => ({ pages: ref<MenuPage[]>([]) }))

/** Asks the API for the menu of whoever has signed in, and adds its pages to the router. */
export function createPrepare(router: Router): AuthGuardOptions['prepare'] {
  let removes: (() => void)[] = []

  return async (_user, { signal }) => {
    for (const remove of removes) remove() // Of the person before.
    removes = []
    const pages = await json<MenuPage[]>('/menu', { signal })
    removes = pages.map(({ path, title, view }) =>
      router.addRoute({ path, component: views[view], meta: { title, requiresAuth: true } }),
    )
    useMenuStore().pages = pages
  }
}
