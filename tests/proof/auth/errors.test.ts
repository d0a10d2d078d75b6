/** What an error says, and whether it ends the session. */
import { beforeEach, describe, expect, it } from 'vitest'
import { retryAfter } from '@/auth/backoff.ts'
import { isRefusal } from '@/auth/errors.ts'
import { createCookieBackend } from '@/auth/index.ts'
import { httpError } from '../../support/backend.ts'
import { useFakeClock } from '../../support/time.ts'
import { createWorld } from '../../support/world.ts'

useFakeClock()

let { openTab, signIn } = createWorld()

beforeEach(() => {
  ;({ openTab, signIn } = createWorld())
})

it('errors say what was refused, and by what the session has ended', async () => {
  const answer = new Response('{}', { status: 503, statusText: 'Service Unavailable' })
  const { refresh } = createCookieBackend({ fetch: async () => answer })
  const failed = await refresh().catch(String)
  expect(failed).toBe('ApiError: POST /auth/refresh: 503 Service Unavailable')
  const ended = await openTab().getAccessToken().catch(String)
  expect(ended).toBe('SessionEndedError: The session has ended (signed-out). Sign in again.')
  const wrong = await signIn(openTab(), {} as never).catch(String)
  expect(wrong).toMatch(/^InvalidGrantError: The API's answer is not a token grant. Check: /)
})

describe('what an error means', () => {
  it.each([400, 401, 403, 404, 405, 409, 410, 418, 419, 422, 451, 499])(
    'R8: %i is a refusal',
    (status) => {
      expect(isRefusal(httpError(status))).toBe(true)
      expect(isRefusal(httpError(status, { 'content-type': 'application/problem+json' }))).toBe(
        true,
      )
    },
  )

  it.each([302, 408, 425, 429, 500, 503, 521, undefined])('R7: %s may pass', (status) => {
    expect(isRefusal(Object.assign(new Error('x'), { status }))).toBe(false)
  })

  it.each([400, 401, 403, 404])('R7: %i with an HTML page does not come from the API', (status) => {
    const page = (type: string) => httpError(status, { 'content-type': type })
    expect(isRefusal(page('text/html; charset=utf-8'))).toBe(false)
    expect(isRefusal(page('Text/HTML'))).toBe(false)
    expect(isRefusal(page('text/plain'))).toBe(true)
  })

  it('R7: the helpers for back ends tell a page from an answer', async () => {
    const headers = { 'content-type': 'text/html' }
    const answers = [
      new Response('<h1>Blocked</h1>', { status: 403, headers }),
      Response.json({}, { status: 403 }),
    ]
    const backend = createCookieBackend({ fetch: async () => answers.shift()! })
    expect(isRefusal(await backend.refresh().catch((error) => error))).toBe(false)
    expect(isRefusal(await backend.refresh().catch((error) => error))).toBe(true)
  })

  it.each([null, undefined, 'text'])('%s may pass', (error) => {
    expect(isRefusal(error)).toBe(false)
    expect(retryAfter(error, 0)).toBeNull()
  })
})
