/** Two and three tabs of one browser profile, each with a store of its own, before one back end. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { watch } from 'vue'
import { UserSchema } from '@/api/user.ts'
import type { HeldGrant } from '@/auth/grant.ts'
import { SessionEndedError, createApiClient, createAuth } from '@/auth/index.ts'
import type { TokenGrant } from '@/auth/index.ts'
import type { TabsOptions } from '@/auth/tabs/tabs.ts'
import { bearer, createStubApi, ok, unauthorized } from '../../../support/api.ts'
import { ada, bob, createManualBackend, grantFor, httpError } from '../../../support/backend.ts'
import type { ManualBackend } from '../../../support/backend.ts'
import { FakeBrowser, FakePage } from '../../../support/browser.ts'
import { elapse, outcome, useFakeClock } from '../../../support/time.ts'

const DAY = 86_400_000

/** After that, a tab no longer waits for the refresh of another page. */
const LANDED = 4_000

useFakeClock()

let backend: ManualBackend
let browser: FakeBrowser

beforeEach(() => {
  backend = createManualBackend()
  browser = new FakeBrowser()
})

/** A tab: what it shares with the others, what is in view of it, and its store. */
function openTab(options: TabsOptions & { timeout?: number } = {}) {
  const { timeout, ...tabsOptions } = options
  const page = new FakePage()
  const tabs = browser.openTab({ page: page as unknown as Document, ...tabsOptions })
  const auth = createAuth({ backend, user: UserSchema, tabs, timeout, random: () => 0 })
  return { tabs, page, auth, session: () => auth.sessions.current()! }
}

type Tab = ReturnType<typeof openTab>

async function signIn({ auth }: Tab, grant = grantFor()): Promise<TokenGrant> {
  const signedIn = auth.login({ username: grant.user.username, password: 'secret' })
  await elapse()
  backend.latest('login').grant(grant)
  await signedIn
  await heard()
  return grant
}

async function signOut({ auth }: Tab): Promise<void> {
  const signedOut = auth.logout()
  await elapse()
  backend.latest('logout').done()
  await signedOut
  await heard()
}

/** All messages so far have arrived. */
const heard = () => elapse(browser.latency)

/** Tabs in which ada is signed in. */
async function openTabs(count: number, options?: TabsOptions) {
  const tabs = Array.from({ length: count }, () => openTab(options))
  const grant = await signIn(tabs[0]!)
  return { tabs, grant }
}

/** The back end answers the refresh that is under way. */
async function answerRefresh(grant = grantFor()): Promise<TokenGrant> {
  backend.latest('refresh').grant(grant)
  await heard()
  return grant
}

async function failRefresh(error: unknown): Promise<void> {
  backend.latest('refresh').fail(error)
  await heard()
}

const tokensOf = (tabs: Tab[]) => tabs.map(({ auth }) => auth.accessToken.value)
const statusOf = (tabs: Tab[]) => tabs.map(({ auth }) => auth.status.value)
const namesOf = (tabs: Tab[]) => tabs.map(({ auth }) => auth.user.value?.name ?? null)
const all = <T>(tabs: Tab[], value: T) => tabs.map(() => value)

describe('R13: what a tab that slept says of an end', () => {
  it.each(['expired', 'signed-out'] as const)('%s', async (reason) => {
    const {
      tabs: [first, second],
    } = await openTabs(2)
    second!.tabs.asleep = true
    if (reason === 'signed-out') void first!.auth.logout()
    else void first!.auth.refresh().catch(() => {})
    await elapse()
    if (reason === 'expired') backend.latest('refresh').fail(httpError(401))
    await heard()
    expect(second!.auth.status.value).toBe('authenticated')
    second!.page.show('visible')
    const { status, endReason } = second!.auth
    expect([status.value, endReason.value]).toEqual(['anonymous', reason])
  })
})

describe('one refresh for all tabs', () => {
  it.each([0, 1, 50, 99, 100])(
    'R1: three tabs refresh once when the token arrives %i ms after the lock',
    async (latency) => {
      browser.latency = latency
      const { tabs } = await openTabs(3)
      const asked = tabs.map(({ auth }) => outcome(auth.refresh()))
      await elapse()
      expect(backend.count('refresh')).toBe(1)
      const next = await answerRefresh()

      expect(asked.map(({ state }) => state)).toEqual(all(tabs, 'fulfilled'))
      expect(tokensOf(tabs)).toEqual(all(tabs, next.accessToken))
      expect(backend.count('refresh')).toBe(1)
    },
  )

  it('R1: a tab whose message never comes refreshes after the other, and never beside it', async () => {
    const { tabs } = await openTabs(2)
    const [first, deaf] = tabs as [Tab, Tab]
    deaf.tabs.asleep = true
    const asked = tabs.map(({ auth }) => outcome(auth.refresh()))
    await elapse()
    expect(backend.count('refresh')).toBe(1)
    const next = await answerRefresh()
    expect(asked.map(({ state }) => state)).toEqual(['fulfilled', 'pending'])
    await elapse(999)
    expect(backend.count('refresh')).toBe(1)
    await elapse(1)
    expect(backend.count('refresh')).toBe(2)
    const last = await answerRefresh()

    expect(next).not.toEqual(last)
    expect(tokensOf([first, deaf])).toEqual(all(tabs, last.accessToken))
  })

  it('R1: twenty rounds of rejections in three tabs cost twenty refreshes', async () => {
    browser.latency = 20
    const { tabs } = await openTabs(3)
    for (let round = 1; round <= 20; round += 1) {
      const rejected = tokensOf(tabs)[0]!
      const asked = tabs.map(({ session }) => outcome(session().tokenAfter401(rejected, 'GET /x')!))
      await elapse()
      const next = await answerRefresh()
      expect(asked.map(({ value }) => value)).toEqual(all(tabs, next.accessToken))
      await elapse(1_000)
    }
    expect(backend.count('refresh')).toBe(20)
  })

  it('R1: that brings the same token once more is one for all tabs, with what is new', async () => {
    const { tabs, grant } = await openTabs(2)
    await elapse(1_000)
    const asked = tabs.map(({ auth }) => outcome(auth.refresh()))
    await elapse()
    await answerRefresh({ ...grant, user: { ...ada, roles: ['user'] } })
    expect(backend.count('refresh')).toBe(1)
    expect(asked.map(({ state }) => state)).toEqual(all(tabs, 'fulfilled'))
    expect(tabs.map(({ auth }) => auth.hasRole.value('admin'))).toEqual(all(tabs, false))
  })

  it('R1: that brings the same token to two tabs whose calls got a 401 is one', async () => {
    const { tabs, grant } = await openTabs(2)
    await elapse(1_000)
    const asked = tabs.map(({ session }) =>
      outcome(session().tokenAfter401(grant.accessToken, 'GET /x')!),
    )
    await elapse()
    await answerRefresh({ ...grant, user: ada })
    expect(asked.map(({ value }) => value)).toEqual(all(tabs, grant.accessToken))
    expect(backend.count('refresh')).toBe(1)
  })

  it('R1: tabs that are reloaded at the same time share one refresh', async () => {
    await openTabs(1)
    const tabs = [openTab(), openTab(), openTab()]
    const restored = tabs.map(({ auth }) => outcome(auth.restore()))
    expect(statusOf(tabs)).toEqual(all(tabs, 'restoring'))
    await elapse(100)
    expect(backend.count('refresh')).toBe(1)
    await answerRefresh()

    expect(restored.map(({ state }) => state)).toEqual(all(tabs, 'fulfilled'))
    expect(namesOf(tabs)).toEqual(all(tabs, 'Ada'))
    expect(backend.count('refresh')).toBe(1)
  })

  it('R1: a tab that is opened during a refresh takes its result', async () => {
    const { tabs } = await openTabs(1)
    void tabs[0]!.auth.refresh()
    await elapse()
    const opened = openTab()
    const restored = outcome(opened.auth.restore())
    await elapse(50)
    const next = await answerRefresh()

    expect(restored.state).toBe('fulfilled')
    expect(tokensOf([opened])).toEqual([next.accessToken])
    expect(backend.count('refresh')).toBe(1)
  })

  it('R1: a tab that is opened as the result arrives takes it', async () => {
    browser = new FakeBrowser({ latency: 20 })
    const { tabs } = await openTabs(1)
    await elapse(1000)
    void tabs[0]!.auth.refresh()
    await elapse()
    backend.latest('refresh').grant()
    await elapse(10)
    const late = openTab()
    await elapse(10)
    expect(late.auth.accessToken.value).toBe(tabs[0]!.auth.accessToken.value)
    await late.auth.restore()
    expect(backend.count('refresh')).toBe(1)
  })

  it('R3: a token that another tab has replaced is answered with the new one', async () => {
    const { tabs, grant } = await openTabs(2)
    const refreshed = tabs[0]!.auth.refresh()
    await elapse()
    const next = await answerRefresh()
    await refreshed

    expect(await tabs[1]!.session().tokenAfter401(grant.accessToken, 'GET /x')!).toBe(
      next.accessToken,
    )
    expect(backend.count('refresh')).toBe(1)
  })

  it('R1: an older token that arrives late does not take the place of a newer one', async () => {
    const { tabs } = await openTabs(3)
    browser.latency = 60
    const first = tabs[0]!.auth.refresh()
    await elapse()
    backend.latest('refresh').grant()
    await first
    await elapse(10)
    browser.latency = 0
    const second = tabs[1]!.auth.refresh()
    await elapse()
    const newest = await answerRefresh()
    await second
    await elapse(60)

    expect(tokensOf(tabs)).toEqual(all(tabs, newest.accessToken))
  })
})

describe('tasks that wait for each other', () => {
  it('R1: another message of the tab that holds the lock is not its result', async () => {
    const { tabs } = await openTabs(2)
    const [busy, waits] = tabs as [Tab, Tab]
    browser.latency = 20
    void busy.auth.refresh()
    await elapse()
    const asked = outcome(waits.session().nextToken('expiry'))
    const { id, grant } = waits.session()
    const late = { ...grant!, receivedAt: grant!.receivedAt - 1 }
    busy.tabs.post({ change: { type: 'granted', id, grant: late }, isStored: true })
    await elapse(30)
    backend.latest('refresh').grant()
    await elapse(200)
    expect([asked.state, backend.count('refresh')]).toEqual(['fulfilled', 1])
  })

  it('R1: a refresh behind a sign-in that met another tab waits for its token', async () => {
    const { tabs } = await openTabs(2)
    browser.latency = 20
    const refreshed = outcome(tabs[0]!.auth.refresh())
    await elapse()
    const signedIn = outcome(tabs[1]!.auth.login({ username: 'bob', password: 'wrong' }))
    const asked = outcome(tabs[1]!.auth.refresh())
    backend.latest('refresh').grant()
    await elapse(20)
    backend.latest('login').fail(httpError(401))
    await elapse(100)

    expect(signedIn.reason).toMatchObject({ status: 401 })
    expect([refreshed.state, asked.state]).toEqual(['fulfilled', 'fulfilled'])
    expect(backend.count('refresh')).toBe(1)
  })

  it.each([
    ['token that was rejected', (grant: HeldGrant) => ({ type: 'granted', grant }), 0],
    [
      'failure that is over',
      ({ receivedAt: at }: HeldGrant) => {
        const error = { name: 'Error', message: 'down' }
        return { type: 'failed', failure: { error, count: 1, at, until: at + 1_000 } }
      },
      2_000,
    ],
  ])('R1: a refresh that has heard of a %s waits for the next token', async (_, news, time) => {
    const { tabs } = await openTabs(2)
    const [waits, other] = tabs as [Tab, Tab]
    void waits.auth.login({ username: 'ada', password: 'secret' }).catch(() => {})
    await elapse()
    const asked = outcome(waits.auth.refresh())
    await elapse()
    const held = { ...waits.session().grant!, accessToken: 'rejected' }
    const change = { id: waits.session().id, ...news(held) }
    other.tabs.post({ change, isStored: true })
    await heard()
    await elapse(time)
    void Promise.resolve(waits.session().tokenAfter401('rejected', 'GET /x')!).catch(() => {})
    browser.latency = 20
    const refreshed = outcome(other.auth.refresh())
    backend.latest('login').fail(httpError(503))
    await elapse(1_000)
    await answerRefresh()
    await elapse(100)

    expect(backend.count('refresh')).toBe(1)
    expect([refreshed.state, asked.state]).toEqual(['fulfilled', 'fulfilled'])
  })

  it.each(['refresh', 'login'] as const)(
    'R13: a tab that waits behind two is not beside the second, whose %s is under way',
    async (kind) => {
      const { tabs } = await openTabs(3)
      const [first, second, third] = tabs as [Tab, Tab, Tab]
      const signInAs = ({ auth }: Tab, username: string) =>
        outcome(auth.login({ username, password: 'secret' }))
      const slow = signInAs(first, 'ada')
      await elapse()
      const next = kind === 'login' ? signInAs(second, 'ada') : outcome(second.auth.refresh())
      await elapse(1_000)
      const last = signInAs(third, 'bob')
      await elapse(9_000)
      expect(slow.reason).toMatchObject({ name: 'TimeoutError' })
      const before = backend.calls.length
      await elapse(10_000)
      expect(backend.calls.slice(before).map((call) => call.kind)).toEqual([kind])
      await elapse(2_000)
      expect(next.reason).toMatchObject({ name: 'TimeoutError' })
      backend.latest('login').grant(grantFor(bob))
      await heard()
      expect(last.state).toBe('fulfilled')
      expect(namesOf(tabs)).toEqual(all(tabs, 'Bob'))
    },
  )

  it('R2: a token that comes while a refresh waits, and is rejected, is not sent again', async () => {
    const { tabs, grant } = await openTabs(2)
    const [busy, waits] = tabs as [Tab, Tab]
    void busy.auth.login({ username: 'ada', password: 'secret' }).catch(() => {})
    await elapse()
    const refreshed = outcome(waits.auth.refresh())
    await elapse()
    // The token of before is told once more, as a new one would be.
    const held = { ...waits.session().grant!, accessToken: 'rejected' }
    const change = { type: 'granted', id: waits.session().id, grant: held }
    busy.tabs.post({ change, isStored: true })
    await elapse()
    expect(tokensOf([waits])).toEqual(['rejected'])
    const asked = outcome(Promise.resolve(waits.session().tokenAfter401('rejected', 'GET /x')!))
    backend.latest('login').fail(httpError(503))
    await elapse(1_000)
    const next = await answerRefresh()

    expect(grant.accessToken).not.toBe(next.accessToken)
    expect(asked.value).toBe(next.accessToken)
    expect(refreshed.state).toBe('fulfilled')
  })
})

describe('a failed refresh', () => {
  it.each([0, 60])('R7: is shared: the other tab does not try again (%i ms)', async (latency) => {
    browser.latency = latency
    const { tabs, grant } = await openTabs(3)
    const asked = tabs.map(({ session }) =>
      outcome(session().tokenAfter401(grant.accessToken, 'GET /x')!),
    )
    await elapse()
    await failRefresh(httpError(503))

    expect(backend.count('refresh')).toBe(1)
    for (const { reason } of asked) {
      expect(reason).toMatchObject({ status: 503, message: httpError(503).message })
      expect(reason).toBeInstanceOf(Error)
      expect(reason).not.toBeInstanceOf(SessionEndedError)
    }
    expect(statusOf(tabs)).toEqual(all(tabs, 'authenticated'))
    await elapse(60)
    expect(vi.getTimerCount()).toBe(0) // R15
  })

  it.each([
    ['its name', Object.assign(new Error('x'), { name: 'TimeoutError' }), { name: 'TimeoutError' }],
    ['its kind', new TypeError('Failed to fetch'), { name: 'TypeError' }],
    ['what can be told of it', { message: () => 'x', status: 503 }, { status: 503 }],
  ])('R7: is told to the other tab with %s', async (_, error, told) => {
    const { tabs } = await openTabs(2)
    const asked = tabs.map(({ auth }) => outcome(auth.refresh()))
    await elapse()
    await failRefresh(error)
    await elapse(1) // A failure without an answer is told one task later (R16).
    expect(asked[0]!.reason).toBe(error)
    expect(asked[1]!.reason).toMatchObject(told)
    expect(backend.count('refresh')).toBe(1)
  })

  it('R7: counts when an older token comes after it', async () => {
    const [first, second] = [openTab(), openTab()]
    browser.latency = 80
    const signedIn = first.auth.login({ username: 'ada', password: 'secret' })
    await elapse()
    backend.latest('login').grant(grantFor())
    await signedIn
    // It takes up the session from the stored session id, and asks for a token before it hears of that one.
    second.page.show('visible')
    await elapse(10)
    backend.latest('refresh').fail(httpError(429, { 'retry-after': '3' }))
    await elapse(80)
    expect(second.auth.status.value).toBe('authenticated')

    const refused = outcome(second.session().nextToken('expiry'))
    await elapse()
    expect(refused.reason).toMatchObject({ status: 429 })
    expect(backend.count('refresh')).toBe(1)
  })

  it('R7: rejects at once for a while, whatever another tab does meanwhile', async () => {
    const { tabs } = await openTabs(2)
    void tabs[0]!.auth.refresh().catch(() => {})
    await elapse()
    await failRefresh(httpError(503))
    void tabs[1]!.tabs.exclusive(() => new Promise(() => {}))
    await elapse()
    const refused = outcome(tabs[0]!.session().nextToken('expiry'))
    await elapse()
    expect(refused.reason).toMatchObject({ status: 503 })
  })

  it('R7: is over for a tab that has got a newer token when it hears of it', async () => {
    const { tabs } = await openTabs(2)
    browser.latency = 1_400
    const asked = tabs.map(({ auth }) => outcome(auth.refresh()))
    await elapse()
    backend.latest('refresh').fail(httpError(503, { 'retry-after': '3600' }))
    await elapse(1_050)
    backend.latest('refresh').grant()
    await heard()
    expect(asked.map(({ state }) => state)).toEqual(['rejected', 'fulfilled'])

    void tabs[1]!
      .session()
      .nextToken('expiry')
      .catch(() => {}) // Held back while a pause is on.
    await elapse()
    expect(backend.count('refresh')).toBe(3)
  })

  it('R4: of a token that one route rejects does not reach a call that waited for any', async () => {
    browser = new FakeBrowser({ locks: false })
    const { tabs } = await openTabs(1)
    const opened = openTab()
    const waiting = outcome(opened.auth.getAccessToken())
    await elapse()
    const own = backend.latest('refresh')
    const refreshed = outcome(tabs[0]!.auth.refresh())
    await elapse(LANDED)
    const { accessToken } = await answerRefresh() // Heard while its own refresh is under way.
    const broken = outcome(opened.session().tokenAfter401(accessToken, 'GET /broken'))
    own.fail(httpError(503))
    await heard()
    expect([refreshed.state, broken.state]).toEqual(['fulfilled', 'rejected'])
    expect(waiting.value).toBe(accessToken)
  })

  it('R4: does not reach a call that has got a token meanwhile', async () => {
    browser = new FakeBrowser({ locks: false, latency: 20 })
    const { tabs } = await openTabs(2)
    const [first, second] = tabs as [Tab, Tab]
    await elapse(900_000)
    const refreshed = outcome(second.auth.refresh())
    await elapse()
    const waiting = outcome(first.auth.getAccessToken()) // For the refresh that another tab has sent.
    const next = grantFor()
    backend.latest('refresh').grant(next)
    await elapse(10)
    const failed = outcome(second.auth.refresh())
    await heard()
    await failRefresh(httpError(503))
    expect([refreshed.state, failed.state]).toEqual(['fulfilled', 'rejected'])
    expect(waiting.value).toBe(next.accessToken)
  })

  it('R7: of two pauses, the longer counts in all tabs', async () => {
    const { tabs } = await openTabs(1)
    const { auth, session } = tabs[0]!
    auth.refresh().catch(() => {})
    await elapse()
    await failRefresh(httpError(503))
    openTab()
      .auth.restore()
      .catch(() => {})
    await elapse()
    await failRefresh(httpError(429, { 'retry-after': '30' }))
    await elapse(29_999)
    await expect(session().nextToken('expiry')).rejects.toMatchObject({ status: 429 })
    expect(backend.count('refresh')).toBe(2)
  })

  it('R7: does not end the pause that the server asked another tab for', async () => {
    const { tabs } = await openTabs(1)
    const { auth } = tabs[0]!
    auth.refresh().catch(() => {})
    await elapse()
    await failRefresh(httpError(429, { 'retry-after': '30' }))
    await elapse(5_000)
    // A tab that has just been opened knows nothing of it.
    openTab()
      .auth.restore()
      .catch(() => {})
    await elapse()
    await failRefresh(httpError(503))

    await elapse(24_999)
    const refused = outcome(auth.sessions.current()!.nextToken('expiry'))
    await elapse()
    expect(refused.reason).toMatchObject({ status: 429 })
    expect(backend.count('refresh')).toBe(2)
    await elapse(1)
    void auth.refresh()
    await elapse()
    expect(backend.count('refresh')).toBe(3)
  })

  it('R7: is made good by a success that a clock set back dates before it', async () => {
    const { tabs } = await openTabs(1)
    const { auth } = tabs[0]!
    const failedAt = Date.now()
    for (const answer of [() => failRefresh(httpError(503)), () => answerRefresh()]) {
      const asked = outcome(auth.refresh())
      await elapse()
      await answer()
      expect(asked.state).not.toBe('pending')
      vi.setSystemTime(failedAt - 3_600_000)
    }
    vi.setSystemTime(failedAt + 500)
    const asked = outcome(auth.refresh())
    await elapse()
    await answerRefresh()
    expect(asked.state).toBe('fulfilled')
  })

  it('R7: no tab tries again inside the window, and after it one does', async () => {
    const { tabs } = await openTabs(2)
    const failed = outcome(tabs[0]!.auth.refresh())
    await elapse()
    await failRefresh(httpError(503))
    expect(failed.state).toBe('rejected')

    await elapse(999)
    const refused = tabs.map(({ session }) => outcome(session().nextToken('expiry')))
    await elapse()
    expect(refused.map(({ reason }) => reason)).toMatchObject(all(tabs, { status: 503 }))
    expect(backend.count('refresh')).toBe(1)

    await elapse(1)
    const asked = tabs.map(({ auth }) => outcome(auth.refresh()))
    await elapse()
    await answerRefresh()
    expect(asked.map(({ state }) => state)).toEqual(all(tabs, 'fulfilled'))
    expect(backend.count('refresh')).toBe(2)
  })

  it('R7: failures of several tabs add up: the back-off doubles', async () => {
    const { tabs } = await openTabs(2)
    for (const [index, silence] of [1_000, 2_000, 4_000, 8_000].entries()) {
      const failed = outcome(tabs[index % 2]!.session().nextToken('expiry'))
      await elapse()
      await failRefresh(httpError(503))
      expect(failed.state).toBe('rejected')
      await elapse(silence - 1)
      const early = outcome(tabs[(index + 1) % 2]!.session().nextToken('expiry'))
      await elapse()
      expect(early.state).toBe('rejected')
      expect(backend.count('refresh')).toBe(index + 1)
      await elapse(1)
    }
  })

  it('R7: all tabs honour Retry-After', async () => {
    const { tabs } = await openTabs(2)
    const failed = outcome(tabs[0]!.auth.refresh())
    await elapse()
    await failRefresh(httpError(429, { 'retry-after': '120' }))
    expect(failed.state).toBe('rejected')
    await elapse(119_999)
    const early = outcome(tabs[1]!.session().nextToken('expiry'))
    await elapse(1)
    expect(early.reason).toMatchObject({ status: 429 })
    void tabs[1]!.auth.refresh()
    await elapse()
    expect(backend.count('refresh')).toBe(2)
  })

  it('R11: one that hangs in one tab holds up the others for its time limit', async () => {
    const { tabs } = await openTabs(3)
    const asked = tabs.map(({ auth }) => outcome(auth.refresh()))
    await elapse(9_999)
    expect(asked.map(({ state }) => state)).toEqual(all(tabs, 'pending'))
    await elapse(1)
    await elapse(100)

    expect(asked.map(({ state }) => state)).toEqual(all(tabs, 'rejected'))
    expect(backend.count('refresh')).toBe(1)
    expect(statusOf(tabs)).toEqual(all(tabs, 'authenticated'))
  })

  it.each([null, undefined, 'down'])(
    'R7: for no more reason than %s is told as it is',
    async (error) => {
      const { tabs } = await openTabs(2)
      const asked = tabs.map(({ auth }) => outcome(auth.refresh()))
      await elapse()
      await failRefresh(error)
      await elapse(100)
      expect(asked[0]!).toMatchObject({ state: 'rejected', reason: error })
      expect(asked[1]!.state).toBe('rejected')
      expect(backend.count('refresh')).toBe(1)
    },
  )
})

describe('the messages of others', () => {
  const error = { name: 'Error', message: 'down' }
  const AGES = 300 * 365 * DAY

  interface Forged {
    type: string
    reason?: string
    failure?: object
    grant?: object
  }

  it.each<[string, (now: number) => Forged]>([
    ['an end without a reason', () => ({ type: 'ended' })],
    ['an end for a reason of a later version', () => ({ type: 'ended', reason: 'bored' })],
    [
      'a pause of 300 years',
      (at) => ({ type: 'failed', failure: { error, count: 1, at, until: at + AGES } }),
    ],
    ['a token with a line break', () => ({ type: 'granted', grant: { accessToken: 'a\nb' } })],
    ['a token for 300 years', (now) => ({ type: 'granted', grant: { expiresAt: now + AGES } })],
  ])('R11: that no tab of ours sends change nothing: %s', async (_, forge) => {
    const { tabs } = await openTabs(2)
    const { id, grant: held } = tabs[1]!.session()
    const change = forge(Date.now())
    const forged = { ...change, id, ...(change.grant && { grant: { ...held, ...change.grant } }) }
    for (const message of [null, 'x', forged, { change: forged, isStored: true }]) {
      tabs[0]!.tabs.post(message)
    }
    await heard()
    expect(tabs[1]!.session().grant).toEqual(held)
    expect(tabs[1]!.session().isPaused()).toBe(false)
  })
})

it('R1: a tab that hears of an end waits for the grant of the session that came after', async () => {
  browser.latency = 50
  const { tabs } = await openTabs(3)
  const [first, second, third] = tabs as [Tab, Tab, Tab]
  void second.auth.logout()
  await elapse()
  backend.latest('logout').done()
  await elapse(10)
  void first.auth.login({ username: 'bob', password: 'secret' })
  await elapse()
  backend.latest('login').grant(grantFor(bob))
  await elapse()
  second.page.show('visible') // It finds the shared session id, and refreshes.
  await elapse()
  const refreshed = outcome(third.auth.refresh())
  await elapse(40)
  expect(refreshed.reason).toBeInstanceOf(SessionEndedError)
  backend.latest('refresh').grant(grantFor(bob))
  await elapse(1_000)
  expect(backend.count('refresh')).toBe(1)
  expect(namesOf(tabs)).toEqual(all(tabs, 'Bob'))
})

describe('a refused refresh', () => {
  it.each([0, 60])('R8: ends the session once in each tab (%i ms)', async (latency) => {
    browser.latency = latency
    const { tabs, grant } = await openTabs(3)
    const changes = tabs.map(() => 0)
    for (const [index, { auth }] of tabs.entries()) {
      watch(auth.status, () => (changes[index]! += 1), { flush: 'sync' })
    }
    const asked = tabs.map(({ session }) =>
      outcome(session().tokenAfter401(grant.accessToken, 'GET /x')!),
    )
    await elapse()
    await failRefresh(httpError(401))
    await elapse(1_000)

    expect(backend.count('refresh')).toBe(1)
    expect(asked).toMatchObject(
      all(tabs, { reason: { name: 'SessionEndedError', reason: 'expired' } }),
    )
    expect(changes).toEqual(all(tabs, 1))
    expect(statusOf(tabs)).toEqual(all(tabs, 'anonymous'))
    expect(tabs.map(({ auth }) => auth.endReason.value)).toEqual(all(tabs, 'expired'))
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })

  it('R8: ends it although an older grant of another tab arrives meanwhile', async () => {
    browser.latency = 50
    const [one, other] = [openTab(), openTab()]
    void one.auth.login({ username: 'ada', password: 'secret' })
    await elapse()
    backend.latest('login').grant(grantFor())
    await elapse()
    other.page.show('visible') // It finds the shared session id before it hears of the grant.
    await elapse()
    expect(backend.count('refresh')).toBe(1)
    await heard()
    expect(other.auth.accessToken.value).not.toBe(null)
    await failRefresh(httpError(401))
    expect(statusOf([one, other])).toEqual(['anonymous', 'anonymous'])
  })
})

describe('a refused refresh of another tab', () => {
  it('R8: rejects who waited for it, at once', async () => {
    const { tabs } = await openTabs(2)
    const asked = tabs.map(({ auth }) => outcome(auth.refresh()))
    await elapse()
    await failRefresh(httpError(401))
    expect(asked.map(({ state }) => state)).toEqual(all(tabs, 'rejected'))
    // And the lock is free: nobody waits for a message that will not come.
    const next = openTab().auth.login({ username: 'bob', password: 'secret' })
    await elapse()
    backend.latest('login').grant(grantFor(bob))
    await next
  })
})

describe('sign-out', () => {
  it('R13: in one tab signs out all, and the API hears of it once', async () => {
    const { tabs } = await openTabs(3)
    const sessions = tabs.map(({ session }) => session())
    await signOut(tabs[1]!)

    expect(statusOf(tabs)).toEqual(all(tabs, 'anonymous'))
    expect(tokensOf(tabs)).toEqual(all(tabs, null))
    expect(tabs.map(({ auth }) => auth.endReason.value)).toEqual(all(tabs, 'signed-out'))
    for (const session of sessions) expect(session.ended).toMatchObject({ reason: 'signed-out' })
    expect(backend.count('logout')).toBe(1)
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })

  it('R11: rejects who waits for a token at once, though another tab holds the lock', async () => {
    const { tabs } = await openTabs(2)
    void tabs[1]!.tabs.exclusive(() => new Promise(() => {}))
    await elapse()
    const refreshed = outcome(tabs[0]!.auth.refresh())
    await elapse()
    void tabs[0]!.auth.logout()
    await elapse()
    expect(refreshed.reason).toBeInstanceOf(SessionEndedError)
  })

  it('R6: what another tab has under way rejects, and its late answer reaches nobody', async () => {
    const { tabs } = await openTabs(2)
    const { fetch, sent } = createStubApi()
    const api = createApiClient({ auth: tabs[0]!.auth, baseURL: 'https://api.example', fetch })
    const [answered, rejected] = [outcome(api('/projects')), outcome(api('/stats'))]
    await elapse()
    expect(sent).toHaveLength(2)
    await signOut(tabs[1]!)

    for (const call of [answered, rejected]) {
      expect(call.reason).toMatchObject({ name: 'SessionEndedError', reason: 'signed-out' })
    }
    sent[0]!.answer(ok())
    sent[1]!.answer(unauthorized())
    await elapse(1_000)
    expect(sent).toHaveLength(2)
    expect(backend.count('refresh')).toBe(0)
  })

  it('R12: wins over a refresh in another tab that answers later', async () => {
    const { tabs } = await openTabs(2)
    const refreshed = outcome(tabs[0]!.auth.refresh())
    await elapse()
    const call = backend.latest('refresh')
    await signOut(tabs[1]!)

    expect(refreshed.reason).toMatchObject({ reason: 'signed-out' })
    expect(call.signal?.aborted).toBe(true)
    call.grant()
    await elapse(1_000)
    expect(statusOf(tabs)).toEqual(all(tabs, 'anonymous'))
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })

  it('R12: a token on its way from another tab does not bring the session back', async () => {
    const { tabs } = await openTabs(3)
    browser.latency = 80
    const refreshed = tabs[0]!.auth.refresh()
    await elapse()
    backend.latest('refresh').grant()
    await refreshed
    browser.latency = 0
    await signOut(tabs[1]!)
    expect(statusOf(tabs)).toEqual(all(tabs, 'anonymous'))
    await elapse(80)

    expect(statusOf(tabs)).toEqual(all(tabs, 'anonymous'))
    expect(tokensOf(tabs)).toEqual(all(tabs, null))
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })

  it('R13: a sign-in of before, told late by another tab, is not taken up after it', async () => {
    const { tabs } = await openTabs(2)
    browser.latency = 80
    const [first, second] = tabs as [Tab, Tab]
    for (const [{ auth }, user] of [[second, bob] as const, [first, ada] as const]) {
      void auth.login({ username: user.username, password: 'secret' })
      await elapse(10)
      backend.latest('login').grant(grantFor(user))
      await elapse()
    }
    await signOut(first)

    expect(statusOf(tabs)).toEqual(all(tabs, 'anonymous'))
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })

  it('R13: is owed from the first moment on, though the lock is not free', async () => {
    const { tabs } = await openTabs(2)
    void tabs[1]!.tabs.exclusive(() => new Promise(() => {}))
    await elapse()
    void tabs[0]!.auth.logout()
    expect(browser.storage.get('silent-refresh.session')).toBe('sign-out-owed')
  })

  it('R13: of a tab that slept through the sign-in of another ends that as well', async () => {
    const { tabs } = await openTabs(2)
    const [first, second] = tabs as [Tab, Tab]
    second.tabs.asleep = true
    await signIn(first, grantFor(bob))
    await signOut(second)
    expect(statusOf(tabs)).toEqual(all(tabs, 'anonymous'))
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })

  it.each(['a visitor', 'a person'])(
    'R12, R13: heard of by %s before the sign-in is heard of: that is not taken up',
    async (who) => {
      const { tabs } = await openTabs(3)
      const [first, second] = tabs as [Tab, Tab]
      if (who === 'a visitor') await signOut(first)
      browser.latency = 300
      const signedIn = second.auth.login({ username: 'bob', password: 'secret' })
      await elapse()
      backend.latest('login').grant(grantFor(bob))
      await signedIn
      browser.latency = 0
      await signOut(first)
      expect(statusOf(tabs)).toEqual(all(tabs, 'anonymous'))
      await elapse(300)
      expect(statusOf(tabs)).toEqual(all(tabs, 'anonymous'))
      expect(backend.count('refresh')).toBe(0)
    },
  )

  it('R13: is not undone by a tab that hears late of the sign-in before it', async () => {
    browser.latency = 20
    const { tabs } = await openTabs(3)
    const [first, second] = tabs as [Tab, Tab]
    const signedIn = first.auth.login({ username: 'ada', password: 'secret' })
    await elapse()
    backend.latest('login').grant()
    await signedIn
    await elapse(5)
    const signedOut = second.auth.logout()
    await elapse()
    backend.latest('logout').done()
    await signedOut
    await elapse(15) // All have heard of the sign-in, and nobody yet of the sign-out.
    expect(first.auth.status.value).toBe('authenticated')
    const asked = outcome(first.auth.refresh())
    await elapse(1)
    expect(asked.reason).toMatchObject({ reason: 'signed-out' })
    expect(backend.count('refresh')).toBe(0)
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })

  it('R13: reaches all tabs though what they share was cleared before', async () => {
    const { tabs } = await openTabs(3)
    browser.storage.clear()
    await signOut(tabs[0]!)
    expect(statusOf(tabs)).toEqual(all(tabs, 'anonymous'))
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })

  it('R13: is told to the API though another tab wipes the stored id before', async () => {
    const { tabs } = await openTabs(2)
    let release = () => {}
    void tabs[1]!.tabs.exclusive(() => new Promise<void>((resolve) => (release = resolve)))
    await elapse()
    void tabs[0]!.auth.logout()
    browser.storage.clear()
    release()
    await elapse(100)
    expect(backend.count('logout')).toBe(1)

    backend.latest('logout').fail(httpError(503))
    await elapse()
    void openTab().auth.restore()
    await elapse()
    expect(backend.count('logout')).toBe(2)
  })

  it('R13: is told to the API though another tab, which has not heard, stores the session again', async () => {
    const { tabs } = await openTabs(2)
    const [here, there] = [tabs[0]!, tabs[1]!]
    const { id } = here.session()
    let release = () => {}
    void there.tabs.exclusive(() => new Promise<void>((resolve) => (release = resolve)))
    await elapse()
    void here.auth.logout()
    there.tabs.session.set(id)
    release()
    await elapse(100)
    expect(backend.count('logout')).toBe(1)
  })

  it('R13: waits for no tab that froze in its refresh longer than 10.5 s', async () => {
    const { tabs } = await openTabs(2)
    const [frozen, other] = [openTab({ timeout: DAY }), tabs[1]!]
    void frozen.auth.restore().catch(() => {})
    await elapse(100)
    frozen.tabs.asleep = true
    const signedOut = outcome(other.auth.logout())
    expect(other.auth.status.value).toBe('anonymous')
    await elapse(10_499)
    expect(backend.count('logout')).toBe(0)
    await elapse(1)
    expect(backend.count('logout')).toBe(1)
    backend.latest('logout').done()
    await elapse()
    expect(signedOut.state).toBe('fulfilled')
  })

  it.each([true, false])(
    'R13: answered after somebody has signed in elsewhere leaves them signed in (Web Locks: %s)',
    async (locks) => {
      browser = new FakeBrowser({ locks })
      const [frozen, other] = [openTab({ timeout: DAY }), openTab()]
      await signIn(frozen)
      void frozen.auth.logout()
      await elapse()
      const signedIn = other.auth.login({ username: 'bob', password: 'secret' })
      await elapse(locks ? 11_600 : 0)
      backend.latest('login').grant(grantFor(bob))
      await signedIn
      await heard()
      backend.latest('logout').done()
      await elapse()
      other.page.show('hidden')
      other.page.show('visible')
      await elapse()
      expect(namesOf([frozen, other])).toEqual(['Bob', 'Bob'])
      expect(other.session().id).toBe(other.tabs.session.get())
    },
  )
})

it('R13: an end that is told late does not end the session that began after it', async () => {
  const first = openTab()
  await signIn(first)
  browser.latency = 100
  void first.auth.logout()
  await elapse()
  backend.latest('logout').done()
  await elapse()
  browser.latency = 0
  const [second, third] = [openTab(), openTab()]
  await signIn(second, grantFor(bob))
  expect(third.auth.user.value).toEqual(bob)
  await elapse(100)
  expect(namesOf([second, third])).toEqual(['Bob', 'Bob'])
})

it('R16: a clock that is set back a day holds nobody up', async () => {
  const { tabs } = await openTabs(1)
  void tabs[0]!.auth.refresh()
  await elapse()
  browser.locks!.release('silent-refresh')
  vi.setSystemTime(Date.now() - DAY)
  void openTab().auth.restore()
  await elapse()
  expect(backend.count('refresh')).toBe(2)
})

it('R16: nobody waits for a refresh whose result was heard, though its mark is still stored', async () => {
  const { tabs } = await openTabs(3)
  const removed = vi.spyOn(browser.storage, 'delete').mockReturnValue(true) // Firefox: it comes later.
  const asked = tabs.map(({ auth }) => outcome(auth.refresh()))
  await elapse()
  await answerRefresh()
  expect(removed).toHaveBeenCalled()
  expect(asked.map(({ state }) => state)).toEqual(all(tabs, 'fulfilled'))
  expect(backend.count('refresh')).toBe(1)
})

it('R16: a tab that waits for a page that is gone looks again when storage changes', async () => {
  const window = new EventTarget()
  vi.stubGlobal('addEventListener', window.addEventListener.bind(window))
  const { tabs } = await openTabs(1)
  void tabs[0]!.auth.refresh()
  await elapse()
  browser.locks!.release('silent-refresh') // As when its page is closed.
  void openTab().auth.restore()
  await elapse(500)
  expect(backend.count('refresh')).toBe(1)
  browser.storage.delete('silent-refresh.refresh-sent-at')
  window.dispatchEvent(new Event('storage'))
  await elapse()
  expect(backend.count('refresh')).toBe(2)
})

it('R16: no message cuts the wait for the refresh of a page that is gone short', async () => {
  const { tabs } = await openTabs(2)
  void tabs[0]!.auth.refresh()
  await elapse()
  browser.locks!.release('silent-refresh') // As when its page is closed.
  void openTab().auth.restore()
  await elapse(1_000)
  tabs[1]!.tabs.post('holding on')
  await elapse(LANDED - 1_001)
  expect(backend.count('refresh')).toBe(1)
  await elapse(1)
  expect(backend.count('refresh')).toBe(2)
})

describe('sign-in', () => {
  it('R13: in one tab signs in all, without a refresh', async () => {
    const { tabs, grant } = await openTabs(3)

    expect(statusOf(tabs)).toEqual(all(tabs, 'authenticated'))
    expect(namesOf(tabs)).toEqual(all(tabs, 'Ada'))
    expect(tokensOf(tabs)).toEqual(all(tabs, grant.accessToken))
    expect(backend.count('refresh')).toBe(0)
  })

  it('R13: waits for the refresh of another tab, and that for the sign-in', async () => {
    const { tabs } = await openTabs(3)
    void tabs[0]!.auth.refresh()
    await elapse()
    const signedIn = tabs[1]!.auth.login({ username: 'bob', password: 'secret' })
    await elapse()
    expect(backend.count('login')).toBe(1)
    await answerRefresh()
    await elapse(100)
    expect(backend.count('login')).toBe(2)

    const asked = outcome(tabs[2]!.auth.refresh())
    await elapse()
    expect(backend.count('refresh')).toBe(1)
    backend.latest('login').grant(grantFor(bob))
    await signedIn
    await elapse(100)
    expect(asked.reason).toMatchObject({ reason: 'replaced' })
    expect(namesOf(tabs)).toEqual(all(tabs, 'Bob'))
    expect(backend.count('refresh')).toBe(1)
  })

  it('R6: of somebody else switches all tabs, and nothing of the first goes on', async () => {
    const { tabs, grant } = await openTabs(2)
    const [stays, switches] = tabs as [Tab, Tab]
    const { fetch, sent } = createStubApi()
    const api = createApiClient({ auth: stays.auth, baseURL: 'https://api.example', fetch })
    const [answered, rejected] = [outcome(api('/projects')), outcome(api('/stats'))]
    await elapse()
    const session = stays.session()
    const bobs = await signIn(switches, grantFor(bob))

    expect(namesOf(tabs)).toEqual(all(tabs, 'Bob'))
    expect(tokensOf(tabs)).toEqual(all(tabs, bobs.accessToken))
    for (const call of [answered, rejected]) {
      expect(call.reason).toMatchObject({ name: 'SessionEndedError', reason: 'replaced' })
    }
    sent[0]!.answer(ok())
    sent[1]!.answer(unauthorized())
    await elapse(1_000)
    // Neither replayed with the token of the other, nor given it.
    expect(sent.map(({ token }) => token)).toEqual([bearer(grant), bearer(grant)])
    await expect(session.tokenToSend()).rejects.toBe(session.ended)
    expect(backend.count('refresh')).toBe(0)
  })

  it('R13: that got lost, and comes to light by a refresh, is one session in all tabs', async () => {
    const stays = openTab()
    await signIn(stays)
    const lost = outcome(openTab().auth.login({ username: 'bob', password: 'secret' }))
    await elapse()
    backend.latest('login').fail(new TypeError('Failed to fetch')) // The API has done it.
    await elapse()
    expect(lost.state).toBe('rejected')
    const reloaded = openTab()
    const restored = outcome(reloaded.auth.restore())
    await elapse()
    await answerRefresh(grantFor(bob))
    expect(restored.state).toBe('fulfilled')

    const both = [stays, reloaded]
    expect(namesOf(both)).toEqual(['Bob', 'Bob'])
    const ids = both.map(({ session }) => session().id)
    expect(ids).toEqual(all(both, stays.tabs.session.get()))
    // They still hear each other.
    void reloaded.auth.refresh()
    await elapse()
    const next = await answerRefresh(grantFor(bob))
    expect(tokensOf(both)).toEqual(all(both, next.accessToken))
    await signOut(stays)
    expect(statusOf(both)).toEqual(all(both, 'anonymous'))
  })

  it('R13: of two, told in the wrong order, the one stored counts', async () => {
    const [first, second, late] = [openTab(), openTab(), openTab()]
    browser.latency = 40
    const adas = first.auth.login({ username: 'ada', password: 'secret' })
    await elapse()
    backend.latest('login').grant(grantFor(ada))
    await adas
    await elapse(10)
    const bobs = second.auth.login({ username: 'bob', password: 'secret' })
    await elapse()
    backend.latest('login').grant(grantFor(bob))
    await bobs
    // It takes up the session from the stored session id before it hears of any.
    late.page.show('visible')
    await elapse()
    expect(late.auth.status.value).toBe('restoring')
    await elapse(40)

    expect(namesOf([first, second, late])).toEqual(['Bob', 'Bob', 'Bob'])
    expect(late.session().id).toBe(second.session().id)
  })

  it('R6: of the same person again is another session all the same', async () => {
    const { tabs } = await openTabs(2)
    const session = tabs[1]!.session()
    const again = await signIn(tabs[0]!)

    expect(session.ended).toMatchObject({ reason: 'replaced' })
    expect(tokensOf(tabs)).toEqual(all(tabs, again.accessToken))
    expect(tabs[1]!.session().id).toBe(tabs[0]!.session().id)
  })

  it('R6: a request that waits for a token when somebody else signs in is not sent', async () => {
    const { tabs } = await openTabs(2)
    const { fetch, sent } = createStubApi()
    const api = createApiClient({ auth: tabs[0]!.auth, baseURL: 'https://api.example', fetch })
    // The API cannot refresh, so that the request still waits when bob has signed in.
    await elapse(900_000)
    const waiting = outcome(tabs[0]!.session().nextToken('expiry'))
    const call = outcome(api('/projects'))
    await elapse()
    const signedIn = tabs[1]!.auth.login({ username: 'bob', password: 'secret' })
    await failRefresh(httpError(503))
    await elapse(100)
    backend.latest('login').grant(grantFor(bob))
    await signedIn
    await elapse()

    expect([waiting.state, call.state]).toEqual(['rejected', 'rejected'])
    expect(sent).toEqual([])
    expect(namesOf(tabs)).toEqual(all(tabs, 'Bob'))
  })
})

describe('a tab that slept', () => {
  async function openSleeper() {
    const { tabs, grant } = await openTabs(2)
    const [awake, sleeper] = tabs as [Tab, Tab]
    sleeper.tabs.asleep = true
    sleeper.page.show('hidden')
    const wake = async () => {
      sleeper.tabs.asleep = false
      sleeper.page.show('visible')
      await elapse()
    }
    return { tabs, awake, sleeper, grant, wake }
  }

  it('R13: through a sign-out finds out when it wakes, and asks nobody', async () => {
    const { awake, sleeper, wake } = await openSleeper()
    await signOut(awake)
    expect(sleeper.auth.status.value).toBe('authenticated')
    await wake()

    expect(sleeper.auth.status.value).toBe('anonymous')
    expect(sleeper.auth.accessToken.value).toBeNull()
    expect(backend.count('refresh')).toBe(0)
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })

  it('R13: through a sign-out that is owed finds out when it restores, and tells the API', async () => {
    const { tabs } = await openTabs(2)
    const [first, sleeper] = tabs as [Tab, Tab]
    sleeper.tabs.asleep = true
    const signedOut = first.auth.logout()
    await elapse()
    backend.latest('logout').fail(httpError(503))
    await signedOut
    const restored = sleeper.auth.restore()
    expect(sleeper.auth.status.value).toBe('anonymous')
    await elapse()
    backend.latest('logout').done()
    await restored
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })

  it('R13: through a sign-out that the API has not heard of finds out all the same', async () => {
    const { awake, sleeper, wake } = await openSleeper()
    const signedOut = awake.auth.logout()
    await elapse()
    backend.latest('logout').fail(httpError(503))
    await signedOut
    await wake()

    expect(sleeper.auth.status.value).toBe('anonymous')
    expect(backend.count('refresh')).toBe(0)
    // What is owed is still owed.
    expect(browser.storage.size).toBe(1)
  })

  it('R13: through a sign-out finds out at its next refresh, and asks nobody', async () => {
    const { awake, sleeper, grant } = await openSleeper()
    await signOut(awake)
    const asked = outcome(sleeper.session().tokenAfter401(grant.accessToken, 'GET /x')!)
    await elapse()

    expect(asked.reason).toBeInstanceOf(SessionEndedError)
    expect(sleeper.auth.status.value).toBe('anonymous')
    expect(backend.count('refresh')).toBe(0)
  })

  it('R13: through another sign-in becomes the other person when it wakes, by one refresh', async () => {
    const { tabs, awake, sleeper, wake } = await openSleeper()
    const session = sleeper.session()
    await signIn(awake, grantFor(bob))
    expect(sleeper.auth.user.value).toEqual(ada)
    await wake()

    // Nothing of the first person is left, from the first moment on.
    expect(sleeper.auth.status.value).toBe('restoring')
    expect(sleeper.auth.user.value).toBeNull()
    expect(session.ended).toMatchObject({ reason: 'replaced' })
    const next = await answerRefresh(grantFor(bob))
    expect(namesOf(tabs)).toEqual(all(tabs, 'Bob'))
    expect(tokensOf(tabs)).toEqual(all(tabs, next.accessToken))
    expect(backend.count('refresh')).toBe(1)
  })

  it('R6: through another sign-in does not refresh for the first person', async () => {
    const { tabs, awake, sleeper, grant } = await openSleeper()
    await signIn(awake, grantFor(bob))
    const asked = outcome(sleeper.session().tokenAfter401(grant.accessToken, 'GET /x')!)
    await elapse()

    expect(asked.reason).toMatchObject({ reason: 'replaced' })
    await answerRefresh(grantFor(bob))
    expect(namesOf(tabs)).toEqual(all(tabs, 'Bob'))
    expect(backend.count('refresh')).toBe(1)
  })

  it('R13: through the first sign-in is signed in when it wakes', async () => {
    const [awake, sleeper] = [openTab(), openTab()]
    sleeper.tabs.asleep = true
    await signIn(awake)
    expect(sleeper.auth.status.value).toBe('anonymous')
    sleeper.tabs.asleep = false
    sleeper.page.show('visible')
    await elapse()
    await answerRefresh()

    expect(namesOf([awake, sleeper])).toEqual(['Ada', 'Ada'])
    expect(backend.count('refresh')).toBe(1)
  })

  it('R1: through a refresh costs one refresh when its old token is rejected', async () => {
    const { tabs, awake, sleeper, grant, wake } = await openSleeper()
    void awake.auth.refresh()
    await elapse()
    await answerRefresh()
    await wake()
    expect(backend.count('refresh')).toBe(1)

    const asked = outcome(sleeper.session().tokenAfter401(grant.accessToken, 'GET /x')!)
    await elapse()
    const next = await answerRefresh()
    expect(asked.value).toBe(next.accessToken)
    expect(tokensOf(tabs)).toEqual(all(tabs, next.accessToken))
    expect(backend.count('refresh')).toBe(2)
  })

  it('R13: is not taken back to a session that it knows to be over', async () => {
    const { awake, sleeper, wake } = await openSleeper()
    const { id } = awake.session()
    await wake()
    await signOut(awake)
    browser.storage.set('silent-refresh.session', id)
    sleeper.page.show('visible')
    await elapse()
    expect(sleeper.auth.status.value).toBe('anonymous')
    expect(backend.count('refresh')).toBe(0)
  })

  it('R13: and writes its id into a cleared storage takes nobody back to it', async () => {
    const { tabs } = await openTabs(2)
    const [sleeper, awake] = tabs as [Tab, Tab]
    sleeper.tabs.asleep = true
    await signIn(awake, grantFor(bob))
    browser.storage.clear()
    sleeper.page.show('hidden')
    awake.page.show('visible')
    await elapse()
    expect(awake.auth.user.value).toEqual(bob)
    expect(backend.count('refresh')).toBe(0)
  })

  it('R13: through a refused refresh finds out when it wakes, though a script cleared the storage', async () => {
    const { tabs } = await openTabs(2)
    tabs[1]!.tabs.asleep = true
    void outcome(tabs[0]!.auth.refresh())
    await elapse()
    browser.storage.clear()
    await failRefresh(httpError(401))
    tabs[1]!.page.show('visible')
    expect(statusOf(tabs)).toEqual(all(tabs, 'anonymous'))
    expect(backend.count('refresh')).toBe(1)
  })

  it('R13: and has missed nothing does nothing when it wakes, or is hidden', async () => {
    const { sleeper, grant, wake } = await openSleeper()
    const session = sleeper.session()
    await elapse(DAY)
    await wake()
    sleeper.page.show('hidden')
    await elapse()

    expect(sleeper.session()).toBe(session)
    expect(sleeper.auth.accessToken.value).toBe(grant.accessToken)
    expect(backend.calls.map(({ kind }) => kind)).toEqual(['login'])
  })

  it('R7: wakes without a connection, and is signed in once there is one', async () => {
    const { tabs, awake, sleeper, wake } = await openSleeper()
    await signIn(awake, grantFor(bob))
    await wake()
    await failRefresh(new TypeError('Failed to fetch'))
    expect(sleeper.auth.status.value).toBe('restoring')
    expect(awake.auth.status.value).toBe('authenticated')

    await elapse(1_000)
    await wake()
    await answerRefresh(grantFor(bob))
    expect(namesOf(tabs)).toEqual(all(tabs, 'Bob'))
  })
})

describe('a clock that is changed', () => {
  it('R2: a day ahead costs one refresh in all tabs, and no rejected request', async () => {
    const { tabs } = await openTabs(3)
    vi.setSystemTime(Date.now() + DAY)
    const asked = tabs.map(({ session }) => outcome(session().tokenToSend()))
    await elapse()
    expect(asked.map(({ state }) => state)).toEqual(all(tabs, 'pending'))
    const next = await answerRefresh()

    expect(asked.map(({ value }) => value)).toEqual(all(tabs, next.accessToken))
    expect(backend.count('refresh')).toBe(1)
    await elapse(800_000)
    expect(await tabs[1]!.session().tokenToSend()).toBe(next.accessToken)
    expect(backend.count('refresh')).toBe(1)
  })

  it('R1: a day back costs one refresh in all tabs, and no rejected token', async () => {
    const { tabs } = await openTabs(3)
    vi.setSystemTime(Date.now() - DAY)
    // Nobody knows how long the token has lived.
    const asked = tabs.map(({ auth }) => outcome(auth.getAccessToken()))
    await elapse()
    const next = await answerRefresh()

    expect(asked.map(({ value }) => value)).toEqual(all(tabs, next.accessToken))
    expect(backend.count('refresh')).toBe(1)
    await elapse(900_000)
    void tabs[2]!.session().tokenToSend()
    await elapse()
    expect(backend.count('refresh')).toBe(2)
  })

  it('R7: a day back does not stretch the back-off of any tab', async () => {
    const { tabs } = await openTabs(2)
    const failed = outcome(tabs[0]!.auth.refresh())
    await elapse()
    await failRefresh(httpError(503))
    expect(failed.state).toBe('rejected')
    vi.setSystemTime(Date.now() - DAY)
    const asked = outcome(tabs[1]!.auth.refresh())
    await elapse()
    await answerRefresh()

    expect(asked.state).toBe('fulfilled')
    expect(backend.count('refresh')).toBe(2)
  })

  it('R7: a day back does not make good a failure after it', async () => {
    const { tabs } = await openTabs(2)
    vi.setSystemTime(Date.now() - DAY)
    for (const { auth } of tabs) auth.refresh().catch(() => {})
    await elapse()
    await failRefresh(httpError(503))
    const asked = tabs.map(({ session }) => outcome(session().nextToken('expiry')))
    await elapse()
    expect(asked.map(({ reason }) => reason)).toMatchObject(all(tabs, { status: 503 }))
    expect(backend.count('refresh')).toBe(1)
  })
})

describe('without Web Locks', () => {
  beforeEach(() => {
    browser = new FakeBrowser({ locks: false })
  })

  it('R1: a tab waits for the refresh of another that it sees under way', async () => {
    const { tabs, grant } = await openTabs(2)
    const asked = tabs.map(({ session }) =>
      outcome(session().tokenAfter401(grant.accessToken, 'GET /x')!),
    )
    await elapse()
    expect(backend.count('refresh')).toBe(1)
    backend.latest('refresh').grant()
    await heard()

    expect(asked.map(({ state }) => state)).toEqual(all(tabs, 'fulfilled'))
    expect(backend.count('refresh')).toBe(1)
  })

  it('R6: one that answers after the sign-in of another, unheard, takes nothing from them', async () => {
    const { tabs } = await openTabs(2)
    const [sleeper, awake] = tabs as [Tab, Tab]
    sleeper.tabs.asleep = true
    const asked = outcome(sleeper.auth.refresh())
    await elapse()
    const late = backend.latest('refresh')
    await elapse(LANDED)
    await signIn(awake, grantFor(bob))
    late.grant(grantFor(ada))
    await elapse()
    expect(asked.reason).toMatchObject({ reason: 'replaced' })
    expect(namesOf(tabs)).toEqual([null, 'Bob'])
    expect(browser.storage.get('silent-refresh.session')).toBe(awake.session().id)
  })

  it('R6: what a session had under way does not pause the one that replaced it', async () => {
    const { tabs } = await openTabs(1)
    const [first] = tabs as [Tab]
    const asked = outcome(first.auth.refresh())
    await elapse(LANDED)
    void openTab().auth.restore()
    await elapse()
    backend.latest('refresh').grant(grantFor(bob)) // The cookie has become another person's.
    await heard()
    expect(asked.reason).toMatchObject({ reason: 'replaced' })
    expect(namesOf(tabs)).toEqual(['Bob'])
    expect(first.session().isPaused()).toBe(false)
  })

  it('R7: one that fails after another has brought a live token fails nobody who waited', async () => {
    const { tabs } = await openTabs(2)
    const asked = tabs.map(({ auth }) => outcome(auth.refresh()))
    await elapse(LANDED) // The second tab gives up on the first.
    const [first, second] = backend.calls.filter(({ kind }) => kind === 'refresh')
    second!.grant()
    await heard()
    first!.fail(httpError(503))
    await heard()
    expect(asked.map(({ state }) => state)).toEqual(all(tabs, 'fulfilled'))
    // It is a failure all the same: the API is not asked again at once.
    await expect(tabs[0]!.session().nextToken('expiry')).rejects.toMatchObject({ status: 503 })
    expect(backend.count('refresh')).toBe(2)
  })

  it('R8: a refusal of a token that another tab has used ends nothing', async () => {
    const { tabs } = await openTabs(2)
    const asked = tabs.map(({ auth }) => outcome(auth.refresh()))
    await elapse(LANDED)
    const [first, second] = backend.calls.filter(({ kind }) => kind === 'refresh')
    second!.grant()
    await heard()
    first!.fail(httpError(401))
    await heard()
    expect(asked.map(({ state }) => state)).toEqual(all(tabs, 'fulfilled'))
    expect(tabs.map(({ auth }) => auth.status.value)).toEqual(all(tabs, 'authenticated'))
  })

  it('R8: a refusal that arrives before the grant of another tab ends nothing', async () => {
    const { tabs } = await openTabs(2)
    browser.latency = 200
    const asked = tabs.map(({ auth }) => outcome(auth.refresh()))
    await elapse(LANDED) // The second tab gives up on the first.
    const [first, second] = backend.calls.filter(({ kind }) => kind === 'refresh')
    await elapse(1)
    second!.grant()
    await elapse(1)
    first!.fail(httpError(401))
    await elapse(200)
    expect(asked.map(({ state }) => state)).toEqual(['fulfilled', 'fulfilled'])
    expect(statusOf(tabs)).toEqual(all(tabs, 'authenticated'))
  })

  it('R7: one that fails as another brings a token is a failure all the same', async () => {
    const { tabs } = await openTabs(2)
    const asked = tabs.map(({ auth }) => outcome(auth.refresh()))
    await elapse(LANDED) // The second tab gives up on the first.
    const [first, second] = backend.calls.filter(({ kind }) => kind === 'refresh')
    first!.fail(httpError(503))
    second!.grant()
    await heard()
    expect(asked.map(({ state }) => state)).toEqual(['rejected', 'fulfilled'])
    await expect(tabs[0]!.session().nextToken('expiry')).rejects.toMatchObject({ status: 503 })
    expect(backend.count('refresh')).toBe(2)
  })

  it('R13: sign-in and sign-out reach the other tabs', async () => {
    const { tabs } = await openTabs(2)
    await signIn(tabs[1]!, grantFor(bob))
    expect(namesOf(tabs)).toEqual(all(tabs, 'Bob'))
    await signOut(tabs[0]!)
    expect(statusOf(tabs)).toEqual(all(tabs, 'anonymous'))
  })

  it('R12: a refresh that answers after the sign-out in another tab changes nothing', async () => {
    const { tabs } = await openTabs(2)
    const refreshed = outcome(tabs[0]!.auth.refresh())
    await elapse()
    const call = backend.latest('refresh')
    await signOut(tabs[1]!)
    call.grant()
    await elapse(1_000)

    expect(refreshed.reason).toMatchObject({ reason: 'signed-out' })
    expect(statusOf(tabs)).toEqual(all(tabs, 'anonymous'))
    expect(browser.storage.get('silent-refresh.session')).toMatch(/^(signed-out|expired)$/)
  })
})

describe('where storage is full', () => {
  it.each(['wakes', 'refreshes'])('R13: a tab that %s keeps its session', async (how) => {
    const full = () => {
      throw new DOMException('Full', 'QuotaExceededError')
    }
    const storage = { getItem: () => null, setItem: full, removeItem: () => {} }
    const { tabs } = await openTabs(2, { storage })
    if (how === 'wakes') {
      tabs[1]!.page.show('hidden')
      tabs[1]!.page.show('visible')
      await heard()
    } else {
      void tabs[1]!.auth.refresh()
      await elapse()
      await answerRefresh()
    }
    expect(namesOf(tabs)).toEqual(all(tabs, 'Ada'))
  })
})

it.each([false, true])(
  'R13: a tab that can store keeps the id for one that cannot (after a sign-out: %s)',
  async (isSecond) => {
    const full = () => {
      throw new DOMException('Full', 'QuotaExceededError')
    }
    const storage = { getItem: () => null, setItem: full, removeItem: () => {} }
    const [first, second] = [openTab({ storage }), openTab()]
    if (isSecond) {
      await signIn(second)
      await signOut(second)
    }
    await signIn(first)
    expect(second.auth.user.value).toEqual(ada)
    expect(openTab().auth.status.value).toBe('restoring')
  },
)

it('R13: a tab without storage that tells of its sign-in late does not change the stored id', async () => {
  browser.latency = 50
  const full = () => {
    throw new DOMException('Full', 'QuotaExceededError')
  }
  const storage = { getItem: () => null, setItem: full, removeItem: () => {} }
  const [first, , third] = [openTab({ storage }), openTab(), openTab()]
  for (const [{ auth }, user] of [[first, ada] as const, [third, bob] as const]) {
    void auth.login({ username: user.username, password: 'secret' })
    await elapse()
    backend.latest('login').grant(grantFor(user))
    await elapse(20)
  }
  const note = browser.storage.get('silent-refresh.session')
  await elapse(100)
  expect(browser.storage.get('silent-refresh.session')).toBe(note)
})

describe('where storage begins to fail', () => {
  const broken = () => {
    throw new DOMException('Denied', 'SecurityError')
  }
  const storage = { getItem: broken, setItem: broken, removeItem: broken }

  it('from the start: a tab signs in, refreshes and signs out', async () => {
    const { tabs } = await openTabs(1, { storage })
    void tabs[0]!.auth.refresh()
    await elapse()
    await answerRefresh()
    expect(statusOf(tabs)).toEqual(['authenticated'])
    await signOut(tabs[0]!)
    expect(statusOf(tabs)).toEqual(['anonymous'])
  })

  it('R13: later, in one tab: that tab stays in the session', async () => {
    const kept = browser.storage
    const failing = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    }
    const tab = openTab({ storage: failing })
    await signIn(openTab())
    expect(tab.auth.status.value).toBe('authenticated')
    Object.assign(failing, storage)
    void tab.auth.refresh()
    await elapse()
    await answerRefresh()
    expect(tab.auth.status.value).toBe('authenticated')
  })

  it('R12: later: a sign-out ends the session, and the API hears of it', async () => {
    const kept = new Map<string, string>()
    const failing = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    }
    const { tabs } = await openTabs(2, { storage: failing })
    Object.assign(failing, storage)
    await signOut(tabs[1]!)
    expect(statusOf(tabs)).toEqual(all(tabs, 'anonymous'))
    expect(backend.count('logout')).toBe(1)
  })
})

describe('where storage is denied', () => {
  const denied = { storage: null }

  it('R1: tabs share sign-in and refresh', async () => {
    const { tabs, grant } = await openTabs(3, denied)
    expect(namesOf(tabs)).toEqual(all(tabs, 'Ada'))
    const asked = tabs.map(({ session }) =>
      outcome(session().tokenAfter401(grant.accessToken, 'GET /x')!),
    )
    await elapse()
    const next = await answerRefresh()

    expect(asked.map(({ value }) => value)).toEqual(all(tabs, next.accessToken))
    expect(backend.count('refresh')).toBe(1)
  })

  it('R13: tabs share the sign-out, and the API hears of it', async () => {
    const { tabs } = await openTabs(2, denied)
    await signOut(tabs[0]!)
    expect(statusOf(tabs)).toEqual(all(tabs, 'anonymous'))
    expect(backend.count('logout')).toBe(1)
  })

  it('R8: a tab that slept through the sign-out is refused by the API, and ends', async () => {
    const { tabs } = await openTabs(2, denied)
    tabs[1]!.tabs.asleep = true
    await signOut(tabs[0]!)
    const asked = outcome(tabs[1]!.auth.refresh())
    await elapse()
    await failRefresh(httpError(401))

    expect(asked.reason).toMatchObject({ reason: 'expired' })
    expect(statusOf(tabs)).toEqual(all(tabs, 'anonymous'))
  })

  it('R13: a tab that wakes keeps its session', async () => {
    const { tabs, grant } = await openTabs(2, denied)
    tabs[1]!.page.show('hidden')
    tabs[1]!.page.show('visible')
    await elapse()
    expect(tokensOf(tabs)).toEqual(all(tabs, grant.accessToken))
    expect(backend.count('refresh')).toBe(0)
  })

  it('R13: a tab that wakes keeps the session that another began after a sign-out', async () => {
    const { tabs } = await openTabs(2, { storage: null })
    await signOut(tabs[0]!)
    await signIn(tabs[0]!)
    expect(namesOf(tabs)).toEqual(all(tabs, 'Ada'))
    tabs[1]!.page.show('visible')
    await heard()
    expect(namesOf(tabs)).toEqual(all(tabs, 'Ada'))
  })
})
