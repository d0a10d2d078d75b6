// @vitest-environment happy-dom
import { FetchError } from 'ofetch'
import { expect, it, vi } from 'vitest'
import { SessionEndedError } from '@/auth/index.ts'
import { useAuthStore } from '@/stores/auth.ts'
import { reportError, tracker } from '@/tracker.ts'
import { bob } from '../support/backend.ts'
import { problem, signedInAs, useScreen } from '../support/screen.ts'

const api = useScreen()

it('hears in production what the session does, without secrets', async () => {
  vi.stubEnv('DEV', false)
  const event = vi.spyOn(tracker, 'event')
  await signedInAs(bob)
  const token = useAuthStore().accessToken
  api.on('POST /api/auth/refresh', () => problem(503))
  await expect(useAuthStore().refresh()).rejects.toThrow('503')

  expect(event.mock.calls.flat()).toMatchObject([
    { type: 'sign-in', outcome: 'granted' },
    { type: 'refresh', cause: 'requested', outcome: 'failed', status: 503 },
  ])
  expect(JSON.stringify(event.mock.calls)).not.toMatch(`${token}|password`)
})

it('hears of errors, but not of calls that ended with their session', () => {
  const error = vi.spyOn(tracker, 'error').mockReturnValue()
  const ended = new SessionEndedError('expired', new Error('refused'))
  reportError(ended)
  reportError(Object.assign(new FetchError('GET /projects'), { cause: ended }))
  expect(error).not.toHaveBeenCalled()

  const fault = new TypeError('x is not a function')
  reportError(fault)
  expect(error).toHaveBeenCalledExactlyOnceWith(fault)
})
