/** Several tabs of one browser profile, as real people have them: in front, behind, and asleep. */
import type { Page, Route } from '@playwright/test'
import {
  expect,
  expectDashboard,
  expectHeading,
  fillNumber,
  signIn,
  submitSignIn,
  test,
} from './fixtures.ts'
import type { Mock } from './fixtures.ts'
import { freeze, openWindow, test as sleepTest } from './window.ts'

const LOGIN = '/api/auth/login'
const REFRESH = '/api/auth/refresh'
const RESOURCE = '/api/protected-resource'

/** How many requests the lab sends when it is told to. */
const BURST = 5

/** How many bursts. Six tabs of Firefox are slow. */
const ROUNDS = { chromium: 10, firefox: 5, webkit: 5 }

for (const count of [3, 6]) {
  test(`R1: ${count} tabs, bursts of 401s: one refresh for each`, async ({
    page,
    mock,
    browserName,
  }) => {
    test.setTimeout(300_000) // Up to sixty runs of the lab, on what may be a slow machine.
    const tabs = await openLabs(page, count)
    const rounds = ROUNDS[browserName]

    for (let round = 1; round <= rounds; round += 1) {
      await mock.control('expire-access')
      const before = await mock.log()
      await sendInAll(tabs)
      const entries = (await mock.log()).slice(before.length)

      expect(statuses(entries, REFRESH), `refreshes of round ${round}`).toEqual([200])
      const answers = statuses(entries, RESOURCE)
      expect(answers.filter((status) => status === 200)).toHaveLength(count * BURST)
      expect(new Set(answers)).toEqual(new Set([200, 401]))
    }
  })

  test(`R1: ${count} tabs that reload at once refresh one at a time`, async ({ page, mock }) => {
    const tabs = await openLabs(page, count)
    await mock.control('faults', { path: REFRESH, times: count, delayMs: 200 })
    const before = await mock.count(REFRESH)
    await Promise.all(tabs.map((tab) => tab.reload()))
    for (const tab of tabs) {
      await expectHeading(tab, 'Refresh lab')
      await expectPerson(tab, 'Demo')
    }

    const refreshes = (await mock.log(REFRESH)).slice(before)
    expect(new Set(refreshes.map(({ status }) => status))).toEqual(new Set([200]))
    // Each took 200 ms on the server: none began before the one before it had ended.
    const gaps = refreshes.slice(1).map(({ at }, index) => at - refreshes[index]!.at)
    expect(gaps.filter((gap) => gap < 200)).toEqual([])
  })

  test(`without Web Locks, ${count} tabs refresh once each at worst, and stay signed in`, async ({
    page,
    mock,
  }) => {
    // As on plain http.
    await page.context().addInitScript(() => {
      Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined })
      Object.defineProperty(globalThis, 'isSecureContext', { value: false })
    })
    const tabs = await openLabs(page, count)

    for (let round = 1; round <= 5; round += 1) {
      await mock.control('expire-access')
      const before = await mock.log()
      await sendInAll(tabs)
      const refreshes = statuses((await mock.log()).slice(before.length), REFRESH)

      expect(refreshes.length, `refreshes of round ${round}`).toBeLessThanOrEqual(count)
      expect(new Set(refreshes)).toEqual(new Set([200]))
    }
    for (const tab of tabs) await expectPerson(tab, 'Demo')
  })
}

test('R1: 24 tabs share one refresh', async ({ page, mock }) => {
  test.setTimeout(300_000)
  const tabs = await openLabs(page, 24)
  await mock.control('expire-access')
  const before = await mock.count(REFRESH)
  await sendInAll(tabs)
  expect(await mock.count(REFRESH)).toBe(before + 1)
  for (const tab of tabs) await expectPerson(tab, 'Demo')
})

test('R13: signing out in one tab signs out all', async ({ page, mock }) => {
  await signIn(page)
  const lab = await openTab(page, '/lab')
  const dashboard = await openTab(page, '/dashboard')
  const home = await openTab(page, '/')
  await expectHeading(lab, 'Refresh lab')
  await expectDashboard(dashboard)
  await expectPerson(home, 'Demo')
  const refreshes = await mock.count(REFRESH)
  await page.getByRole('button', { name: 'Sign out' }).click()

  for (const tab of [page, lab, dashboard]) {
    await expectHeading(tab, 'Sign in')
    await expect(tab).toHaveURL('/login')
    await expect(tab.getByText('Your session has ended')).toHaveCount(0)
    await expect(tab.getByRole('region')).toHaveCount(0)
  }
  for (const tab of [page, lab, dashboard, home]) await expectNobody(tab)
  await expect(home).toHaveURL('/')
  await expect.poll(() => mock.count('/api/auth/logout')).toBe(1)
  expect(await mock.count(REFRESH)).toBe(refreshes)
})

test('R8: a session that is refused to one tab ends in all, and each finds back', async ({
  page,
  mock,
}) => {
  await signIn(page)
  const lab = await openTab(page, '/lab?from=mail')
  await expectHeading(lab, 'Refresh lab')
  await mock.control('revoke-sessions')
  await mock.control('expire-access')
  const before = await mock.count(REFRESH)
  await send(lab)

  await expect(lab).toHaveURL('/login?redirect=/lab?from=mail')
  await expect(page).toHaveURL('/login?redirect=/dashboard')
  for (const tab of [page, lab]) await expect(tab.getByText('Your session has ended')).toBeVisible()
  expect((await mock.log(REFRESH)).slice(before).map(({ status }) => status)).toEqual([401])

  await submitSignIn(page)
  await expectDashboard(page)
  await expect(lab).toHaveURL('/lab?from=mail')
  await expectPerson(lab, 'Demo')
})

test('a tab on the sign-in page is moved on when another tab signs in', async ({ page, mock }) => {
  const waiting = await openTab(page, '/login?redirect=/lab')
  const elsewhere = await openTab(page, '/')
  await expectHeading(waiting, 'Sign in')
  await signIn(page)

  await expect(waiting).toHaveURL('/lab')
  await expectHeading(waiting, 'Refresh lab')
  await expectPerson(waiting, 'Demo')
  await expect(elsewhere).toHaveURL('/')
  await expectPerson(elsewhere, 'Demo')
  expect(await mock.count(REFRESH)).toBe(0)
})

test.describe('R13: somebody else signs in', () => {
  const SECRET = 'Secret of Demo'

  test.beforeEach(async ({ page }) => {
    await signIn(page, 'demo')
    await page.getByLabel('Name').fill(SECRET)
    await page.getByRole('button', { name: 'Add project' }).click()
    await expect(page.getByRole('region', { name: 'Projects' })).toContainText(SECRET)
  })

  test('after a sign-out: all tabs show the other person, and nothing of the first', async ({
    page,
  }) => {
    const others = [await openTab(page, '/dashboard'), await openTab(page, '/lab')]
    for (const tab of others) await expectPerson(tab, 'Demo')
    await page.getByRole('button', { name: 'Sign out' }).click()
    for (const tab of others) await expectHeading(tab, 'Sign in')
    await submitSignIn(page, 'admin')

    for (const tab of [page, ...others]) {
      await expectDashboard(tab)
      await expectPerson(tab, 'Admin')
      await expect(tab.getByText(SECRET)).toHaveCount(0)
    }
  })

  test('R6: over the first: what was on its way for the first does not show', async ({ page }) => {
    await page.getByRole('button', { name: 'Sign out' }).click()
    await expectHeading(page, 'Sign in')
    const other = await openTab(page, '/login')

    // Both send the form before either has heard of the other: demo is first, admin over demo.
    const demo = await holdBack(page, LOGIN)
    const admin = await holdBack(other, LOGIN)
    await submitSignIn(page, 'demo')
    await demo.reached
    await submitSignIn(other, 'admin')
    await demo.release()
    for (const tab of [page, other]) {
      await expectDashboard(tab)
      await expectPerson(tab, 'Demo')
    }

    // The answer for demo is on its way to this tab while admin takes over.
    await page.getByRole('link', { name: 'Lab' }).click()
    await expectHeading(page, 'Refresh lab')
    const projects = await holdBack(page, '/api/projects?*', { answered: true })
    await page.getByRole('link', { name: 'Dashboard' }).click()
    await projects.reached
    await admin.reached
    await admin.release()
    for (const tab of [page, other]) await expectPerson(tab, 'Admin')
    await expect(page.getByText(SECRET)).toHaveCount(0)
    await watchFor(page, SECRET)
    await projects.release()

    for (const tab of [page, other]) {
      await expectDashboard(tab)
      await expectPerson(tab, 'Admin')
      await expect(tab.getByText(SECRET)).toHaveCount(0)
    }
    await expect(page.locator('html')).not.toHaveAttribute('data-seen', SECRET)
  })
})

test.describe('a tab in the middle of a refresh', () => {
  /** Three tabs, of which the first has a refresh that hangs, and the others wait for it. */
  async function openAndHang(page: Page, mock: Mock) {
    const [first, ...others] = await openLabs(page, 3)
    await mock.control('expire-access')
    await mock.control('faults', { path: REFRESH, times: 1, kind: 'hang' })
    const before = await mock.log()
    const entries = async () => (await mock.log()).slice(before.length)
    await send(first!)
    await expect.poll(async () => statuses(await entries(), REFRESH)).toEqual([0])
    for (const tab of others) await send(tab)
    await expect.poll(async () => statuses(await entries(), RESOURCE)).toHaveLength(3 * BURST)
    return { first: first!, others, entries }
  }

  test('R16: that is closed makes room for the others after 4 s', async ({ page, mock }) => {
    const { first, others, entries } = await openAndHang(page, mock)
    const closedAt = Date.now()
    await first.close()
    for (const tab of others) await expectSent(tab)

    const refreshes = (await entries()).filter(({ path }) => path === REFRESH)
    expect(refreshes.map(({ status }) => status)).toEqual([0, 200])
    // Its answer may still bring a new cookie. The 4 s begin when it is sent, a little before it arrives.
    expect(refreshes[1]!.at - refreshes[0]!.at).toBeGreaterThan(3_500)
    expect(refreshes[1]!.at - closedAt).toBeLessThan(6_000)
  })

  test('R16: that crashes makes room for the others after 4 s', async ({ page, mock }) => {
    const { first, others, entries } = await openAndHang(page, mock)
    const crashed = first.waitForEvent('crash')
    const devtools = await page.context().newCDPSession(first)
    devtools.send('Page.crash').catch(() => {}) // Nobody is left to answer.
    await crashed
    for (const tab of others) await expectSent(tab)

    expect(statuses(await entries(), REFRESH)).toEqual([0, 200])
    for (const tab of others) await expectPerson(tab, 'Demo')
  })

  test('that hangs holds up the others for 10 s at most, and signs nobody out', async ({
    page,
    mock,
  }) => {
    await page.clock.install()
    const { first, others, entries } = await openAndHang(page, mock)
    const tabs = [first, ...others]
    // The clock goes on by itself, and a busy machine may have taken seconds until here.
    await page.clock.fastForward(5_000)
    for (const tab of tabs) await expect(report(tab)).toBeEmpty()
    expect(statuses(await entries(), REFRESH)).toEqual([0])

    await page.clock.fastForward(5_000)
    for (const tab of tabs) await expect(report(tab)).not.toBeEmpty()
    await page.clock.fastForward(1_000) // The back-off.
    await sendInAll(tabs)
    expect(statuses(await entries(), REFRESH)).toEqual([0, 200])
    for (const tab of tabs) await expectPerson(tab, 'Demo')
  })
})

test('a clock that jumps hours ahead costs one refresh in all tabs, and no 401', async ({
  page,
  mock,
}) => {
  await page.clock.install()
  const tabs = await openLabs(page, 3)
  const before = await mock.log()
  await page.clock.fastForward('05:00:00')
  await Promise.all(
    tabs.map((tab) => tab.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))),
  )
  await sendInAll(tabs)

  const entries = (await mock.log()).slice(before.length)
  expect(statuses(entries, REFRESH)).toEqual([200])
  expect(statuses(entries, RESOURCE)).toEqual(Array(3 * BURST).fill(200))
})

sleepTest.describe('R13: a tab that sleeps', () => {
  for (const deaf of [true, false]) {
    const how = deaf ? 'and has missed all messages' : 'and gets its messages late'

    sleepTest(`through a sign-out ${how}, wakes up signed out`, async ({ window, mock }) => {
      const { front, sleeper } = await openWindow(window, deaf)
      const wake = await freeze(sleeper, front)
      await front.getByRole('button', { name: 'Sign out' }).click()
      await expectHeading(front, 'Sign in')
      // eslint-disable-next-line playwright/no-conditional-in-test -- the other is frozen: it answers nothing
      if (deaf) await expectPerson(sleeper, 'Demo')
      await wake()

      await expectHeading(sleeper, 'Sign in')
      await expectNobody(sleeper)
      await expect.poll(() => mock.count('/api/auth/logout')).toBe(1)
    })

    sleepTest(
      `through another sign-in ${how}, wakes up as the other person`,
      async ({ window }) => {
        const { front, sleeper } = await openWindow(window, deaf)
        await expectPerson(sleeper, 'Demo')
        const wake = await freeze(sleeper, front)
        await front.getByRole('button', { name: 'Sign out' }).click()
        await submitSignIn(front, 'admin')
        await expectDashboard(front)
        await wake()

        await expectPerson(sleeper, 'Admin')
        await expectPerson(front, 'Admin')
      },
    )
  }
})

sleepTest(
  'a tab frozen in its refresh holds up the others for 15 s, and wakes up unharmed',
  async ({ window, mock }) => {
    sleepTest.slow()
    const { front, sleeper } = await openWindow(window, false)
    for (const tab of [front, sleeper]) {
      await tab.bringToFront() // Nothing moves in a tab behind, and Playwright waits for that.
      await prepare(tab)
    }
    await front.bringToFront()
    await mock.control('expire-access')
    await mock.control('faults', { path: REFRESH, times: 1, delayMs: 1_000 })
    await send(sleeper)
    await expect.poll(() => mock.count(REFRESH)).toBe(1)
    const wake = await freeze(sleeper, front)
    await send(front)
    // The lock of a tab that sleeps is taken from it after 15 s.
    await expect(report(front)).not.toBeEmpty({ timeout: 25_000 })
    await expectSent(front)
    const [frozen, next] = await mock.log(REFRESH)
    expect(next!.at - frozen!.at).toBeGreaterThan(13_000)
    expect(next!.at - frozen!.at).toBeLessThan(18_000)

    await wake()
    await expectSent(sleeper)
    await sendInAll([front, sleeper])
    expect((await mock.log(REFRESH)).map(({ status }) => status)).toEqual([200, 200])
    for (const tab of [front, sleeper]) await expectPerson(tab, 'Demo')
  },
)

/** Tabs at `/lab`, the given one among them, signed in as demo and ready to send. */
async function openLabs(page: Page, count: number): Promise<Page[]> {
  await signIn(page)
  await page.getByRole('link', { name: 'Lab' }).click()
  const opened = Array.from({ length: count - 1 }, () => openTab(page, '/lab'))
  const tabs = [page, ...(await Promise.all(opened))]
  for (const tab of tabs) {
    await expectHeading(tab, 'Refresh lab')
    await prepare(tab)
  }
  return tabs
}

async function openTab(page: Page, path: string): Promise<Page> {
  const tab = await page.context().newPage()
  await tab.goto(path)
  return tab
}

/** Has the lab send with the token as it is, and compare with nothing. */
async function prepare(tab: Page): Promise<void> {
  await fillNumber(tab, 'Requests', BURST)
  await tab.getByLabel('What goes wrong').selectOption('Nothing: the token as it is')
  await tab.getByRole('switch', { name: 'One refresh per 401' }).uncheck()
}

/** Presses the button in this tab, in front or behind, and returns at once. */
async function send(tab: Page): Promise<void> {
  await tab.getByRole('button', { name: 'Send requests' }).dispatchEvent('click')
}

/** Sends in all tabs at once, and waits until every request has succeeded. */
async function sendInAll(tabs: Page[]): Promise<void> {
  await Promise.all(tabs.map(send))
  await Promise.all(tabs.map(expectSent))
}

async function expectSent(tab: Page): Promise<void> {
  await expect(report(tab)).toHaveText(`${BURST} of ${BURST} requests succeeded.`)
}

/** What the lab says of its last run. */
function report(tab: Page) {
  return tab.getByRole('main').getByRole('status')
}

/** The header shows this person and nobody else. */
async function expectPerson(tab: Page, name: string): Promise<void> {
  const signOut = tab.getByRole('button', { name: 'Sign out' })
  const person = tab.getByRole('banner').locator('div').filter({ has: signOut })
  await expect(person).toHaveText(new RegExp(`^${name}\\s*Sign out$`))
}

/** The header shows that nobody is signed in. */
async function expectNobody(tab: Page): Promise<void> {
  await expect(tab.getByRole('banner').getByRole('link', { name: 'Sign in' })).toBeVisible()
  await expect(tab.getByRole('button', { name: 'Sign out' })).toHaveCount(0)
}

function statuses(entries: { path: string; status: number }[], path: string): number[] {
  return entries.filter((entry) => entry.path === path).map(({ status }) => status)
}

/**
 * Holds back the next request for `path` in this tab; with `answered`, its answer, which the server
 * has already given. `reached` resolves when it is there to be released.
 */
async function holdBack(tab: Page, path: string, { answered = false } = {}) {
  let reach = () => {}
  let letGo = () => {}
  let settle = () => {}
  const reached = new Promise<void>((resolve) => (reach = resolve))
  const released = new Promise<void>((resolve) => (letGo = resolve))
  const settled = new Promise<void>((resolve) => (settle = resolve))
  const handle = async (route: Route) => {
    const response = answered ? await route.fetch() : undefined
    reach()
    await released
    // Rejects where nobody waits for it any more.
    await (response ? route.fulfill({ response }) : route.continue()).catch(() => {})
    settle()
  }
  await tab.route(`**${path}`, handle, { times: 1 })
  return { reached, release: () => (letGo(), settled) }
}

/** Marks the page for good as soon as it shows `text`, be it for a moment. */
async function watchFor(tab: Page, text: string): Promise<void> {
  await tab.evaluate((text) => {
    const look = () => {
      if (document.body.textContent.includes(text)) document.documentElement.dataset.seen = text
    }
    new MutationObserver(look).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
    })
  }, text)
}
