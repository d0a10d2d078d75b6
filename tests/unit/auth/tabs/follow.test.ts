// @vitest-environment node
/** Two tabs of one browser: what each takes from the other, and what it does not. */
import { beforeEach, describe, expect, it } from 'vitest'
import { bob, grantFor, httpError } from '../../../support/backend.ts'
import { FakePage } from '../../../support/browser.ts'
import { elapse, outcome, useFakeClock } from '../../../support/time.ts'
import { createWorld } from '../../../support/world.ts'

useFakeClock()

const SESSION_KEY = 'silent-refresh.session'

let { backend, browser, openTab, signIn } = createWorld()

beforeEach(() => {
  ;({ backend, browser, openTab, signIn } = createWorld())
})

/** A tab that can be put to sleep. */
function openSleeper() {
  const page = new FakePage()
  const tabs = browser.openTab({ page: page as unknown as Document })
  const auth = openTab({ tabs })
  const wake = () => {
    tabs.asleep = false
    page.show('visible')
  }
  return { auth, tabs, wake }
}

it('R1: a tab that waits takes the result of the other, however late its message', async () => {
  browser.latency = 500
  const [first, second] = [await signIn(), openTab()]
  await elapse(500)
  const refreshed = [first, second].map((auth) => outcome(auth.refresh()))
  await elapse()
  const next = grantFor()
  backend.latest('refresh').grant(next)
  await elapse(500)
  expect(refreshed.map(({ state }) => state)).toEqual(['fulfilled', 'fulfilled'])
  expect(second.accessToken.value).toBe(next.accessToken)
  expect(backend.count('refresh')).toBe(1)
})

it('R7: a failure is told at once to a tab that waits, and pauses its refreshes', async () => {
  const [first, second] = [await signIn(), openTab()]
  await elapse()
  await elapse(900_000)
  const waiting = [first, second].map((auth) => outcome(auth.getAccessToken()))
  await elapse()
  backend.latest('refresh').fail(httpError(503))
  await elapse(1)
  for (const { reason } of waiting) expect(reason).toMatchObject({ status: 503 })
  expect(backend.count('refresh')).toBe(1)
})

it('R8, R13: an end in one tab ends all, and only a sign-in brings a session back', async () => {
  const [first, second] = [await signIn(), openTab()]
  await elapse()
  browser.latency = 20
  const refreshed = outcome(first.refresh())
  await elapse()
  backend.latest('refresh').grant()
  await elapse() // The message with the token is on its way.
  void second.logout()
  await elapse(20)
  expect(refreshed.state).toBe('fulfilled')
  expect([first.status.value, second.status.value]).toEqual(['anonymous', 'anonymous'])
  expect(first.endReason.value).toBe('signed-out')
})

it('R13: a tab that slept finds out when it wakes: a sign-out, then another person', async () => {
  const { auth, tabs, wake } = openSleeper()
  const other = await signIn()
  await elapse()
  expect(auth.status.value).toBe('authenticated')

  tabs.asleep = true
  void other.logout()
  await elapse()
  backend.latest('logout').done()
  await elapse()
  wake()
  expect([auth.status.value, auth.endReason.value]).toEqual(['anonymous', 'signed-out'])

  tabs.asleep = true
  await signIn(other, grantFor(bob))
  wake()
  await elapse()
  backend.latest('refresh').grant(grantFor(bob))
  await elapse()
  expect(auth.user.value).toEqual(bob)
})

it('R6: a token of another person under the same id begins a session of theirs', async () => {
  const auth = await signIn()
  const session = auth.sessions.current()!
  void outcome(openTab().restore())
  await elapse()
  backend.latest('refresh').grant(grantFor(bob)) // The cookie is theirs, though no tab has seen it come.
  await elapse()
  expect(auth.user.value).toEqual(bob)
  expect(session.ended).toMatchObject({ reason: 'replaced' })
})

it('R1: an older token that arrives late does not replace a newer one', async () => {
  const [first, second] = [await signIn(), openTab()]
  await elapse()
  browser.latency = 3_000
  const refreshed = outcome(first.refresh())
  await elapse()
  backend.latest('refresh').grant()
  await elapse(1)
  browser.latency = 0
  const again = outcome(second.refresh())
  await elapse()
  const newest = grantFor()
  backend.latest('refresh').grant(newest)
  await elapse(3_000)
  expect([refreshed.state, again.state]).toEqual(['fulfilled', 'fulfilled'])
  expect(second.accessToken.value).toBe(newest.accessToken)
})

it('R11: a tab that froze with the lock loses it, and messages of strangers do no harm', async () => {
  const [first, second] = [await signIn(), openTab()]
  await elapse()
  const id = browser.storage.get(SESSION_KEY)!
  const failure = { error: { name: 'E', message: '' }, count: 1, at: Date.now(), until: 1e15 }
  const stranger = browser.openTab()
  const strange = [null, 7, { change: { type: 'failed', id, failure }, isStored: true }]
  strange.forEach((message) => stranger.post(message))
  await elapse()
  expect(second.sessions.current()!.isPaused()).toBe(false)

  const frozen = outcome(browser.locks!.request('silent-refresh', () => new Promise(() => {})))
  const refreshed = outcome(first.refresh())
  await elapse(10_499)
  expect(backend.count('refresh')).toBe(0)
  await elapse(1_001)
  backend.latest('refresh').grant()
  await elapse()
  expect([refreshed.state, frozen.state]).toEqual(['fulfilled', 'rejected'])
})

describe('R13: a wiped storage', () => {
  it('is no sign-out, and a tab that leaves the view writes the id back', async () => {
    const page = new FakePage()
    const tabs = browser.openTab({ page: page as unknown as Document })
    const auth = await signIn(openTab({ tabs }))
    const id = browser.storage.get(SESSION_KEY)
    browser.storage.clear()
    page.show('hidden')
    expect(browser.storage.get(SESSION_KEY)).toBe(id)
    expect(auth.status.value).toBe('authenticated')
  })
})
