// @vitest-environment node
/** Which addresses an API may have. */
import { beforeEach, expect, it } from 'vitest'
import { createAuthFetch, createCookieBackend } from '@/auth/index.ts'
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
