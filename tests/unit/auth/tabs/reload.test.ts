// @vitest-environment node
/** R16: a page that goes in mid-refresh, and the one that comes after it. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { AuthEvent } from '@/auth/index.ts'
import { FakePage } from '../../../support/browser.ts'
import { elapse, outcome, useFakeClock } from '../../../support/time.ts'
import { createWorld } from '../../../support/world.ts'

useFakeClock()

let { backend, browser, openTab, signIn } = createWorld()

beforeEach(() => {
  ;({ backend, browser, openTab, signIn } = createWorld())
})

describe('R16: a page that went away in mid-refresh', () => {
  it('the next page gives its answer time to land', async () => {
    const auth = await signIn()
    void auth.refresh()
    await elapse()
    browser.locks!.release('silent-refresh') // As when its page is closed.
    const next = openTab()
    const restored = outcome(next.restore())
    await elapse(3_999)
    expect(backend.count('refresh')).toBe(1)
    await elapse(1)
    expect(backend.count('refresh')).toBe(2)
    backend.latest('refresh').grant()
    await elapse()
    expect(restored.state).toBe('fulfilled')
  })

  it('also if another script has cleared the storage', async () => {
    const page = new FakePage()
    const auth = await signIn(
      openTab({ tabs: browser.openTab({ page: page as unknown as Document }) }),
    )
    void auth.refresh()
    await elapse()
    browser.storage.clear()
    page.show('hidden')
    browser.locks!.release('silent-refresh')
    void openTab().restore()
    await elapse(3_999)
    expect(backend.count('refresh')).toBe(1)
  })

  it('also if the browser rejects the request as the page goes', async () => {
    const auth = await signIn()
    const heard = vi.fn<(event: AuthEvent) => void>()
    openTab({ onEvent: heard })
    await elapse()
    const refreshed = outcome(auth.refresh())
    await elapse()
    backend.latest('refresh').fail(new TypeError('Failed to fetch'))
    // A page that goes runs no timer any more.
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
    expect(browser.storage.has('silent-refresh.refresh-sent-at')).toBe(true)
    expect([refreshed.state, heard.mock.calls]).toEqual(['pending', []])

    // A page that stays reports the failure.
    await elapse(1)
    expect(browser.storage.has('silent-refresh.refresh-sent-at')).toBe(false)
    expect(refreshed.reason).toBeInstanceOf(TypeError)
    expect(heard).toHaveBeenCalledWith({ type: 'other-tab', brought: 'failure' })
  })
})
