// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest'
import SessionCard from '@/components/SessionCard.vue'
import { useAuthStore } from '@/stores/auth.ts'
import { ada, bob, grantFor } from '../../support/backend.ts'
import {
  click,
  problem,
  screen,
  settled,
  show,
  signedInAs,
  useScreen,
} from '../../support/screen.ts'

const api = useScreen()

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] })
  return () => vi.useRealTimers()
})

const second = (count = 1) => vi.advanceTimersByTime(count * 1000)

describe('The card of the session', () => {
  it('is there for somebody who is signed in', async () => {
    show(SessionCard)
    expect(screen.has('Signed in as')).toBe(false)

    await signedInAs(ada)
    await settled()

    expect(screen.has('Signed in as Ada')).toBe(true)
  })

  it('counts down to the moment from which a request renews the token', async () => {
    await signedInAs(bob)
    show(SessionCard)
    const left = Math.ceil((useAuthStore().accessTokenRenewsAt! - Date.now()) / 1000)
    expect(screen.has(`in ${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`)).toBe(
      true,
    )

    second(left)
    await settled()

    expect(screen.has('with the next request')).toBe(true)
  })

  it('counts the refreshes of this session alone', async () => {
    await signedInAs(bob)
    show(SessionCard)
    api.on('POST /api/auth/refresh', grantFor(bob))
    expect(screen.has('0 refreshes')).toBe(true)

    await useAuthStore().refresh()
    await settled()
    expect(screen.has('1 refresh')).toBe(true)

    await signedInAs(ada)
    await settled()
    expect(screen.has('0 refreshes')).toBe(true)
  })

  it('has the mock server refuse the token, and tells what came of it', async () => {
    vi.stubEnv('MOCK', 'true')
    await signedInAs(bob)
    show(SessionCard)
    api.on('POST /api/__mock/expire-access', () => new Response(null, { status: 204 }))
    api.on('POST /api/auth/refresh', () => {
      api.on('GET /api/auth/me', bob)
      return grantFor(bob)
    })
    api.on('GET /api/auth/me', () => problem(401))

    await click(screen.button('Expire it now'))

    expect(screen.has('Rejected with a 401, refreshed, sent again, answered:')).toBe(true)
    expect(screen.has('1 refresh')).toBe(true)
  })

  it('says why it could not', async () => {
    vi.stubEnv('MOCK', 'true')
    await signedInAs(bob)
    show(SessionCard)
    api.offline('POST /api/__mock/expire-access')

    await click(screen.button('Expire it now'))

    expect(screen.has('Cannot reach the server.')).toBe(true)
  })

  it('cannot, where the mock server does not answer', async () => {
    await signedInAs(bob)
    show(SessionCard)

    expect(screen.has('Expire it now')).toBe(false)
  })
})
