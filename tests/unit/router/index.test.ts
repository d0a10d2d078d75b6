// @vitest-environment happy-dom
import { expect, it, vi } from 'vitest'
import router from '@/router/index.ts'

it('works where the browser denies sessionStorage', async () => {
  const denied = vi.spyOn(window, 'sessionStorage', 'get').mockImplementation(() => {
    throw new DOMException('Denied', 'SecurityError')
  })
  const heard = vi.fn<() => void>()
  router.afterEach(heard)
  await router.push('/')
  await router.push('/forbidden')
  expect(document.title).toMatch(/^Access denied/)
  expect(heard).toHaveBeenCalledTimes(2)
  expect(denied).toHaveBeenCalled()
})
