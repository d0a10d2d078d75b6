/**
 * What an expiry costs: a burst of calls with a token that was refused, or is past its lifetime,
 * beside the same calls with a live one. Client and mock server share the process, so that most of
 * the time is the server's.
 */
import { bench, describe } from 'vitest'
import { createMockBrowser } from '../support/mock-client.ts'

for (const size of [10, 1_000]) {
  describe(`a burst of ${size} calls`, async () => {
    let clock = Date.now()
    const mock = createMockBrowser({ now: () => clock })
    const { auth, api } = mock.openTab()
    await auth.login({ username: 'demo', password: 'password' })
    const burst = () => Promise.all(Array.from({ length: size }, () => api('/protected-resource')))

    bench('live token', async () => {
      await burst()
    })
    bench('token past its lifetime: waits for one refresh', async () => {
      clock += 16 * 60_000
      await burst()
    })
    bench('token refused with 401: one refresh, every call replayed', async () => {
      await mock.control('expire-access')
      await burst()
    })
  })
}
