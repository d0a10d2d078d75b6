// @vitest-environment node
/** Which addresses an API may have. */
import { beforeEach, expect, it, vi } from 'vitest'
import { createAuthFetch, createCookieBackend } from '@/auth/index.ts'
import { absoluteUrl } from '@/auth/url.ts'
import { useFakeClock } from '../../support/time.ts'
import { createWorld } from '../../support/world.ts'

useFakeClock()

let { openTab } = createWorld()

beforeEach(() => {
  ;({ openTab } = createWorld())
})

it.each(['capacitor://localhost/api', 'file:///api', 'data:text/plain,x'])(
  'an API at %s is refused at once',
  (address) => {
    expect(() => createCookieBackend({ baseURL: address })).toThrow(/http or https/)
    expect(() => createAuthFetch({ baseURL: address, auth: openTab() })).toThrow(/http or https/)
  },
)

it.each([
  ['a page, by its base', 'document', { baseURI: 'https://app.example/desk/' }],
  ['a worker, by its own address', 'location', { href: 'https://app.example/desk/worker.js' }],
])('an address is resolved as fetch does it: in %s', (_, name, value) => {
  vi.stubGlobal(name, value)
  expect(absoluteUrl('api').href).toBe('https://app.example/desk/api')
})
