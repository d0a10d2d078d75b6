// @vitest-environment happy-dom
import { createTestingPinia } from '@pinia/testing'
import { mount } from '@vue/test-utils'
import { expect, it, vi } from 'vitest'
import { useAuthStore } from '@/stores/auth.ts'
import PersonCard from './PersonCard.vue'

function mountSignedIn(roles: string[]) {
  const pinia = createTestingPinia({ createSpy: vi.fn })
  const auth = useAuthStore(pinia)
  // In tests the getters of a store can be set, which its type does not know.
  Object.assign(auth, { user: { id: '1', username: 'ada', name: 'Ada', roles } })
  return { auth, card: mount(PersonCard, { global: { plugins: [pinia] } }) }
}

it('shows who is signed in', () => {
  expect(mountSignedIn(['user']).card.text()).toContain('Ada')
})

it('shows an administrator', () => {
  expect(mountSignedIn(['admin']).card.text()).toContain('Administrator')
  expect(mountSignedIn(['user']).card.text()).not.toContain('Administrator')
})

it('signs out', async () => {
  const { auth, card } = mountSignedIn(['user'])
  await card.get('button').trigger('click')
  expect(auth.logout).toHaveBeenCalledOnce()
})
