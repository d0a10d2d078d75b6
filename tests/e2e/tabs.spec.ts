/** Several tabs of one browser profile, as real people have them: in front, behind, and asleep. */
import type { Page, Route } from '@playwright/test'
import {
  addProject,
  everyEngine,
  expect,
  expectDashboard,
  expectHeading,
  expectNobody,
  expectPerson,
  openPage,
  personIn,
  REFRESH,
  signIn,
  signOut,
  submitSignIn,
  test,
} from './fixtures.ts'
import type { Mock } from './fixtures.ts'
import { choose, openLab, press, report, RESOURCE } from './lab.ts'
import { expectShortWaits, followLink, measureCalls, REFRESH_TAKES } from './waits.ts'
import { freeze, openWindow, test as sleepTest } from './window.ts'

const LOGIN = '/api/auth/login'

/** How many requests the lab sends when it is told to. */
const BURST = 5

/** Twelve tabs keep a machine busy. */
const patiently = expect.configure({ timeout: 60_000 })

test(
  'R1: six tabs: one refresh for each burst of 401s, one at a time for reloads',
  everyEngine,
  async ({ page, mock }) => {
    test.setTimeout(300_000) // Thirty runs of the lab, on what may be a slow machine.
    const tabs = await openLabs(page, 6)

    for (let round = 1; round <= 5; round += 1) {
      await mock.control('expire-access')
      const before = await mock.log()
      await sendInAll(tabs)
      const entries = (await mock.log()).slice(before.length)

      expect(statuses(entries, REFRESH), `refreshes of round ${round}`).toEqual([200])
      const answers = statuses(entries, RESOURCE)
      expect(answers.filter((status) => status === 200)).toHaveLength(6 * BURST)
      expect(new Set(answers)).toEqual(new Set([200, 401]))
    }

    await mock.control('faults', { path: REFRESH, times: 6, delayMs: 200 })
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
  },
)

test(
  'without Web Locks, tabs refresh once each at worst, and stay signed in',
  everyEngine,
  async ({ page, mock }) => {
    // As on plain http.
    await page.context().addInitScript(() => {
      Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined })
      Object.defineProperty(globalThis, 'isSecureContext', { value: false })
    })
    const tabs = await openLabs(page, 3)

    for (let round = 1; round <= 5; round += 1) {
      await mock.control('expire-access')
      const before = await mock.log()
      await sendInAll(tabs)
      const refreshes = statuses((await mock.log()).slice(before.length), REFRESH)

      expect(refreshes.length, `refreshes of round ${round}`).toBeLessThanOrEqual(3)
      expect(new Set(refreshes)).toEqual(new Set([200]))
    }
    for (const tab of tabs) await expectPerson(tab, 'Demo')
  },
)

test('R1: twelve tabs share one refresh, of 401s and as they are reloaded', async ({
  page,
  mock,
}) => {
  test.setTimeout(300_000)
  await page.context().addInitScript(noteFirstLock)
  const tabs = await openLabs(page, 12)
  await mock.control('expire-access')
  const before = await mock.count(REFRESH)
  await sendInAll(tabs)
  expect(await mock.count(REFRESH)).toBe(before + 1)
  for (const tab of tabs) await expectPerson(tab, 'Demo')

  // Time for most of them to come to where they need a token. One that comes later refreshes as well.
  await mock.control('faults', { path: REFRESH, times: 1, delayMs: 4_000 })
  await Promise.all(tabs.map((tab) => tab.reload()))
  for (const tab of tabs) await patiently(personIn(tab)).toContainText('Demo')
  const restores = await Promise.all(tabs.map((tab) => tab.evaluate(readRestore, REFRESH)))
  const firstAnswer = Math.min(...restores.flatMap(({ answeredAt }) => answeredAt))
  const early = restores.filter(({ askedAt }) => askedAt < firstAnswer)
  expect(early.length, 'tabs that need a token before it comes').toBeGreaterThan(1)
  expect(early.flatMap(({ answeredAt }) => answeredAt)).toEqual([firstAnswer])
})

test(
  'R16: three tabs at an expiry: none waits much longer than the one refresh takes',
  everyEngine,
  async ({ page, mock }) => {
    await signIn(page)
    const tabs = [page, await openTab(page, '/dashboard'), await openTab(page, '/dashboard')]
    for (const tab of tabs) await expectDashboard(tab)

    for (let round = 1; round <= 5; round += 1) {
      for (const tab of tabs) {
        await tab.evaluate(followLink, '/')
        await expect(tab).toHaveURL('/')
      }
      await mock.control('faults', { path: REFRESH, times: 1, delayMs: REFRESH_TAKES })
      await mock.control('expire-access')
      await Promise.all(tabs.map((tab) => tab.evaluate(followLink, '/dashboard')))
      for (const tab of tabs) await expectDashboard(tab)

      expectShortWaits(
        await Promise.all(tabs.map((tab) => tab.evaluate(measureCalls, REFRESH))),
        round,
      )
    }
  },
)

test(
  'R8: a session that is refused to one tab ends in all, and each finds back',
  everyEngine,
  async ({ page, mock }) => {
    await signIn(page)
    const lab = await openTab(page, '/lab?from=mail')
    await expectHeading(lab, 'Refresh lab')
    const navigations: string[] = []
    lab.on('framenavigated', (frame) => navigations.push(new URL(frame.url()).pathname))
    await mock.control('revoke-sessions')
    await mock.control('expire-access')
    const before = await mock.count(REFRESH)
    await choose(lab, { requests: BURST })
    await press(lab)

    await expect(lab).toHaveURL('/login?redirect=/lab?from=mail')
    await expect(page).toHaveURL('/login?redirect=/dashboard')
    for (const tab of [page, lab])
      await expect(tab.getByText('Your session has ended')).toBeVisible()
    expect((await mock.statuses(REFRESH)).slice(before)).toEqual([401])
    expect(navigations).toEqual(['/login'])

    await submitSignIn(page)
    await expectDashboard(page)
    await expect(lab).toHaveURL('/lab?from=mail')
    await expectPerson(lab, 'Demo')
    await expect(lab.getByText('Your session has ended')).toHaveCount(0)
  },
)

test.describe('R13: all tabs follow', () => {
  const SECRET = 'Secret of Demo'

  test.beforeEach(async ({ page }) => {
    await signIn(page, 'demo')
    await addProject(page, SECRET)
    await expect(page.getByRole('region', { name: 'Projects' })).toContainText(SECRET)
  })

  test(
    'a sign-out, and another person after it: nothing of the first is left',
    everyEngine,
    async ({ page, mock }) => {
      const lab = await openTab(page, '/lab')
      const dashboard = await openTab(page, '/dashboard')
      const home = await openTab(page, '/')
      await expectHeading(lab, 'Refresh lab')
      await expectDashboard(dashboard)
      await expectPerson(home, 'Demo')
      const refreshes = await mock.count(REFRESH)
      await signOut(page)

      for (const tab of [page, lab, dashboard]) {
        await expectHeading(tab, 'Sign in')
        await expect(tab).toHaveURL('/login')
        await expect(tab.getByText('Your session has ended')).toHaveCount(0)
        await expect(tab.getByRole('region')).toHaveCount(0)
      }
      for (const tab of [page, lab, dashboard, home]) await expectNobody(tab)
      await expect(home).toHaveURL('/')
      await expect.poll(() => mock.count('/api/auth/logout')).toBe(1)

      // One of them waits to be led somewhere.
      await lab.goto('/login?redirect=/lab')
      await expectHeading(lab, 'Sign in')
      await submitSignIn(page, 'admin')
      for (const tab of [page, dashboard]) {
        await expectDashboard(tab)
        await expect(tab.getByText(SECRET)).toHaveCount(0)
      }
      await expect(lab).toHaveURL('/lab')
      await expectHeading(lab, 'Refresh lab')
      await expect(home).toHaveURL('/')
      for (const tab of [page, lab, dashboard, home]) await expectPerson(tab, 'Admin')
      expect(await mock.count(REFRESH)).toBe(refreshes)
    },
  )

  // Not in Firefox, whose sign-ins cannot be held back for seconds.
  test('R6: a person over another: what was on its way does not show', async ({ page }) => {
    await signOut(page)
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
    await openLab(page)
    const projects = await holdBack(page, '/api/projects?*', { answered: true })
    await openPage(page, 'Dashboard')
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

test.describe('R16: a tab in the middle of a refresh', () => {
  /** Three tabs, of which the first has a refresh that hangs, and the others wait for it. */
  async function openAndHang(page: Page, mock: Mock) {
    const [first, ...others] = await openLabs(page, 3)
    await mock.control('expire-access')
    await mock.control('faults', { path: REFRESH, times: 1, kind: 'hang' })
    const before = await mock.log()
    const entries = async () => (await mock.log()).slice(before.length)
    await press(first!)
    await expect.poll(async () => statuses(await entries(), REFRESH)).toEqual([0])
    for (const tab of others) await press(tab)
    await expect.poll(async () => statuses(await entries(), RESOURCE)).toHaveLength(3 * BURST)
    return { first: first!, others, entries }
  }

  test(
    'that is closed makes room for the others after 4 s',
    everyEngine,
    async ({ page, mock }) => {
      const { first, others, entries } = await openAndHang(page, mock)
      const closedAt = Date.now()
      await first.close()
      for (const tab of others) await expectSent(tab)

      const refreshes = (await entries()).filter(({ path }) => path === REFRESH)
      expect(refreshes.map(({ status }) => status)).toEqual([0, 200])
      // Its answer may still bring a new cookie. The 4 s begin when it is sent, a little before it arrives.
      expect(refreshes[1]!.at - refreshes[0]!.at).toBeGreaterThan(3_500)
      // Not the 15 s of a tab that is frozen. The machine may be slow.
      expect(refreshes[1]!.at - closedAt).toBeLessThan(10_000)
    },
  )

  test('that crashes makes room for the others too', async ({ page, mock }) => {
    const { first, others, entries } = await openAndHang(page, mock)
    const crashed = first.waitForEvent('crash')
    const devtools = await page.context().newCDPSession(first)
    devtools.send('Page.crash').catch(() => {}) // Nobody is left to answer.
    await crashed
    for (const tab of others) await expectSent(tab)

    expect(statuses(await entries(), REFRESH)).toEqual([0, 200])
    for (const tab of others) await expectPerson(tab, 'Demo')
  })
})

sleepTest(
  'R13: tabs that sleep through a sign-out and another sign-in wake up as the others are',
  async ({ window, mock }) => {
    sleepTest.slow()
    const { front, deaf, late } = await openWindow(window)
    const sleepers = [deaf, late]
    await expectPerson(deaf, 'Demo')

    let wake = [await freeze(deaf, front), await freeze(late, front)]
    await signOut(front)
    await expectHeading(front, 'Sign in')
    for (const [index, tab] of sleepers.entries()) {
      await wake[index]!()
      await expectHeading(tab, 'Sign in')
      await expectNobody(tab)
    }
    await expect.poll(() => mock.count('/api/auth/logout')).toBe(1)

    await front.bringToFront()
    await submitSignIn(front, 'demo')
    for (const tab of [front, ...sleepers]) await expectDashboard(tab)
    wake = [await freeze(deaf, front), await freeze(late, front)]
    await signOut(front)
    await submitSignIn(front, 'admin')
    await expectDashboard(front)
    for (const [index, tab] of sleepers.entries()) {
      await wake[index]!()
      await expectPerson(tab, 'Admin')
    }
    await expectPerson(front, 'Admin')
  },
)

sleepTest(
  'a tab frozen in its refresh holds up the others for 15 s, and wakes up unharmed',
  async ({ window, mock }) => {
    sleepTest.slow()
    const { front, late: sleeper } = await openWindow(window)
    for (const tab of [front, sleeper]) {
      await tab.bringToFront() // Nothing moves in a tab behind, and Playwright waits for that.
      await choose(tab, { requests: BURST })
    }
    await front.bringToFront()
    await mock.control('expire-access')
    await mock.control('faults', { path: REFRESH, times: 1, delayMs: 1_000 })
    await press(sleeper)
    await expect.poll(() => mock.count(REFRESH)).toBe(1)
    const wake = await freeze(sleeper, front)
    await press(front)
    // The lock of a tab that sleeps is taken from it after 15 s.
    await expect(report(front)).not.toBeEmpty({ timeout: 25_000 })
    await expectSent(front)
    const [frozen, next] = await mock.log(REFRESH)
    expect(next!.at - frozen!.at).toBeGreaterThan(13_000)
    expect(next!.at - frozen!.at).toBeLessThan(25_000)

    await wake()
    await expectSent(sleeper)
    await sendInAll([front, sleeper])
    expect(await mock.statuses(REFRESH)).toEqual([200, 200])
    for (const tab of [front, sleeper]) await expectPerson(tab, 'Demo')
  },
)

/** Tabs at `/lab`, the given one among them, signed in as demo and ready to send. */
async function openLabs(page: Page, count: number): Promise<Page[]> {
  await signIn(page)
  await openLab(page)
  const opened = Array.from({ length: count - 1 }, () => openTab(page, '/lab'))
  const tabs = [page, ...(await Promise.all(opened))]
  for (const tab of tabs) {
    await expectHeading(tab, 'Refresh lab')
    await choose(tab, { requests: BURST })
  }
  return tabs
}

async function openTab(page: Page, path: string): Promise<Page> {
  const tab = await page.context().newPage()
  await tab.goto(path)
  return tab
}

/** Sends in all tabs at once, and waits until every request has succeeded. */
async function sendInAll(tabs: Page[]): Promise<void> {
  await Promise.all(tabs.map(press))
  await Promise.all(tabs.map(expectSent))
}

async function expectSent(tab: Page): Promise<void> {
  await patiently(report(tab)).toHaveText(`${BURST} of ${BURST} requests succeeded.`)
}

function statuses(entries: { path: string; status: number }[], path: string): number[] {
  return entries.filter((entry) => entry.path === path).map(({ status }) => status)
}

/** In the page, before all else: notes when the app first asks for the lock of a refresh. */
function noteFirstLock(): void {
  const { locks } = navigator
  if (!locks) return // An empty page.
  const { request } = locks
  locks.request = (...given: unknown[]) => {
    document.documentElement.dataset.askedAt ??= String(performance.now())
    return Reflect.apply(request, locks, given)
  }
}

/** In the page: when it asked for a token, and when refreshes of its own were answered. */
function readRestore(path: string) {
  const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[]
  const refreshes = entries.filter(({ name }) => new URL(name).pathname === path)
  return {
    askedAt: performance.timeOrigin + Number(document.documentElement.dataset.askedAt),
    answeredAt: refreshes.map(({ responseEnd }) => performance.timeOrigin + responseEnd),
  }
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
