/** The time limit and the end of a call. */
import { describe, expect, it, vi } from 'vitest'
import { withTimeLimit } from '@/auth/signals.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'

describe('withTimeLimit', () => {
  useFakeClock()

  it('passes on what the call gives or throws', async () => {
    const error = new Error('broken')
    await expect(withTimeLimit(() => Promise.resolve(1), 10)).resolves.toBe(1)
    await expect(withTimeLimit(() => Promise.reject(error), 10)).rejects.toBe(error)
    const throwing = () => {
      throw error
    }
    await expect(withTimeLimit(throwing, 10)).rejects.toBe(error)
    expect(vi.getTimerCount()).toBe(0) // R15
  })

  it('takes what a back end in JavaScript returns without a promise', async () => {
    await expect(withTimeLimit((() => 1) as never, 10)).resolves.toBe(1)
  })

  it('R12: rejects with the reason of the end, whatever else comes of the call', async () => {
    const controller = new AbortController()
    const call = () => {
      controller.abort('over')
      return Promise.reject(new Error('its own'))
    }
    await expect(withTimeLimit(call, 10, controller.signal)).rejects.toBe('over')
  })

  it('R11: gives up and aborts when the time is over', async () => {
    let signal: AbortSignal | undefined
    const hanging = outcome(
      withTimeLimit((options) => {
        signal = options.signal
        return new Promise(() => {})
      }, 10),
    )
    await elapse(10)
    expect(hanging.reason).toMatchObject({ name: 'TimeoutError' })
    expect(signal?.reason).toBe(hanging.reason)
  })

  it('R12: does not call at all when it is over before it begins', async () => {
    const call = vi.fn<() => Promise<void>>()
    const error = new Error('over')
    await expect(withTimeLimit(call, 10, AbortSignal.abort(error))).rejects.toBe(error)
    await elapse()
    expect(call).not.toHaveBeenCalled()
  })
})
