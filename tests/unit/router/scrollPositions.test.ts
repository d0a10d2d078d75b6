// @vitest-environment happy-dom
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import { createRouter, createWebHistory } from 'vue-router'
import type { User } from '@/api/user.ts'
import { forgetScrollPositions } from '@/router/scrollPositions.ts'
import { useAuthStore } from '@/stores/auth.ts'
import { ada, bob, grantFor } from '../../support/backend.ts'

const stored = () => window.sessionStorage.getItem('vue-router:scroll') ?? ''
const answer = vi.fn<() => Response>()

async function signIn(user: User) {
  answer.mockImplementation(() => Response.json(grantFor(user)))
  await useAuthStore().login({ username: user.username, password: 'secret' })
}

async function open(path: string) {
  window.history.replaceState(null, '', path)
  const component = { render: () => null }
  const router = createRouter({
    history: createWebHistory(),
    scrollBehavior: (to, from, saved) => saved ?? { top: 0 },
    routes: [{ path: '/:path(.*)', component }],
  })
  await router.push(path)
  forgetScrollPositions(router)
  return router
}

beforeEach(() => {
  vi.stubGlobal('BroadcastChannel', undefined)
  vi.stubGlobal('fetch', async () => answer())
  vi.spyOn(window, 'scrollTo').mockReturnValue()
  localStorage.clear()
  setActivePinia(createPinia())
})

it.each([
  ['they sign out', () => void useAuthStore().logout()],
  ['somebody else takes over', () => signIn(bob)],
  [
    'their session ends',
    async () => {
      answer.mockImplementation(() => Response.json({}, { status: 401 }))
      await useAuthStore()
        .refresh()
        .catch(() => {})
    },
  ],
])('R18: no address of a person is left in storage once %s', async (_, leave) => {
  await signIn(ada)
  const router = await open('/projects?q=layoffs')
  await router.push('/projects/1003')
  expect(stored()).toContain('layoffs')

  await leave()
  expect(stored()).not.toContain('layoffs')
  await router.replace('/login')
  await router.push('/')
  expect(stored()).not.toContain('layoffs')
  expect(stored()).toContain('/login')
  window.dispatchEvent(new Event('pagehide'))
  expect(stored()).not.toContain('layoffs')
})

it('R18: nor after a reload that finds the session ended', async () => {
  localStorage.setItem('silent-refresh.session', 'kept')
  const router = await open('/projects?q=layoffs')
  await router.push('/projects/1003')
  answer.mockImplementation(() => Response.json({}, { status: 401 }))

  await useAuthStore().restore()

  expect(useAuthStore().status).toBe('anonymous')
  expect(stored()).not.toContain('layoffs')
})

it('positions stay for the person who is restored, and for the visitor who signs in', async () => {
  localStorage.setItem('silent-refresh.session', 'kept')
  const router = await open('/first')
  await router.push('/second')
  answer.mockImplementation(() => Response.json(grantFor(ada)))
  await useAuthStore().restore()
  expect(stored()).toContain('/first')

  void useAuthStore().logout()
  await router.push('/third')
  await router.push('/fourth')
  await signIn(ada)
  expect(stored()).toContain('/third')
})
