// @vitest-environment node
/** What the back end with a cookie sends. */
import { expect, it, vi } from 'vitest'
import { createCookieBackend } from '@/auth/index.ts'
import { grantFor } from '../../support/backend.ts'

it('R16: the request outlives its page', async () => {
  const fetch = vi.fn<typeof globalThis.fetch>(async () => Response.json(grantFor()))
  await createCookieBackend({ fetch }).refresh()
  expect(fetch.mock.calls[0]![1]).toMatchObject({ keepalive: true })
})

it('R5, R16: a refresh carries cookies, follows no redirect and outlives its page', async () => {
  const fetch = vi.fn<typeof globalThis.fetch>(async () => Response.json(grantFor()))
  await createCookieBackend({ fetch }).refresh()
  const wanted = { credentials: 'include', redirect: 'error', keepalive: true }
  expect(fetch.mock.calls[0]![1]).toMatchObject(wanted)
})
