/** The session, its tabs and the lab in WebKitGTK: the engine of Safari, though not Safari itself. */
import { test as base, expect } from '@playwright/test'
import { Mock, names, REFRESH } from '../../e2e/fixtures.ts'
import { labNames, NOTHING, REFUSED, RESOURCE } from '../../e2e/lab.ts'
import { scenarios } from '../../e2e/scenarios.ts'
import { expectShortWaits, followLink, measureCalls, REFRESH_TAKES } from '../../e2e/waits.ts'
import { startWebKit } from './driver.ts'
import type { Tab, WebKit } from './driver.ts'

const BURST = 5

interface Options {
  /** Of the browser's command line. */
  options: string[]
}
interface Fixtures {
  webkit: WebKit
  mock: Mock
}

const test = base.extend<Options & Fixtures>({
  options: [[], { option: true }],
  webkit: async ({ baseURL, options }, use, testInfo) => {
    const webkit = await startWebKit(baseURL!, options)
    testInfo.annotations.push({ type: 'browser', description: webkit.version })
    await use(webkit)
    await webkit.stop()
  },
  mock: [
    async ({ request }, use) => {
      const mock = new Mock(request)
      await mock.control('reset')
      await use(mock)
    },
    { auto: true },
  ],
})

test('a deep link leads to the sign-in and back; a reload keeps the session', async ({
  webkit,
  mock,
}) => {
  const tab = await webkit.openTab('/lab?from=mail#top')
  await expectHeading(tab, 'Sign in')
  await submitSignIn(tab)
  await expectHeading(tab, 'Refresh lab')
  expect(await tab.url()).toBe('/lab?from=mail#top')
  await tab.reload()
  await expectHeading(tab, 'Refresh lab')
  expect(await tab.text()).toContain('Demo')
  expect(await mock.statuses(REFRESH)).toEqual([200])

  // R14
  const stored = await tab.run(() => [
    JSON.stringify({ ...localStorage, ...sessionStorage }),
    document.cookie,
  ])
  expect(stored[0]).not.toContain('eyJ')
  expect(stored[1]).toBe('')
})

test('R1: six tabs: one refresh for each burst of 401s', async ({ webkit, mock }) => {
  test.setTimeout(180_000)
  const tabs = [await signIn(webkit)]
  while (tabs.length < 6) tabs.push(await webkit.openTab('/dashboard'))
  for (const tab of tabs) await openLab(tab)

  for (let round = 1; round <= 5; round += 1) {
    await mock.control('expire-access')
    const before = await mock.statuses(REFRESH)
    for (const tab of tabs) await tab.click(labNames.send)
    for (const tab of tabs) await expectReport(tab, `${BURST} of ${BURST} requests succeeded.`)

    const refreshes = (await mock.statuses(REFRESH)).slice(before.length)
    expect(refreshes, `refreshes of round ${round}`).toEqual([200])
  }
})

test('R16: three tabs at an expiry: none waits much longer than the one refresh takes', async ({
  webkit,
  mock,
}) => {
  const tabs = [await signIn(webkit)]
  while (tabs.length < 3) tabs.push(await webkit.openTab('/dashboard'))
  for (const tab of tabs) await expectDashboard(tab, 'Demo')

  for (let round = 1; round <= 5; round += 1) {
    for (const tab of tabs) {
      await tab.run(followLink, '/')
      await expect.poll(() => tab.url()).toBe('/')
    }
    await mock.control('faults', { path: REFRESH, times: 1, delayMs: REFRESH_TAKES })
    await mock.control('expire-access')
    for (const tab of tabs) await tab.run(followLink, '/dashboard')
    for (const tab of tabs) await expectDashboard(tab, 'Demo')

    expectShortWaits(await Promise.all(tabs.map((tab) => tab.run(measureCalls, REFRESH))), round)
  }
})

test('R13: signing out in one tab signs out all, and another person shows in all', async ({
  webkit,
  mock,
}) => {
  const tabs = [await signIn(webkit), await webkit.openTab('/dashboard')]
  for (const tab of tabs) await expectDashboard(tab, 'Demo')
  await signOut(tabs[0]!)
  for (const tab of tabs) await expectHeading(tab, 'Sign in')
  await expect.poll(() => mock.count('/api/auth/logout')).toBe(1)

  await submitSignIn(tabs[1]!, 'admin')
  for (const tab of tabs) {
    await expectDashboard(tab, 'Admin')
    expect(await tab.text()).not.toContain('Demo')
  }
})

test('a page that the browser restores after a sign-out elsewhere shows nothing protected', async ({
  webkit,
  baseURL,
}) => {
  const tab = await signIn(webkit)
  await tab.run(() => {
    addEventListener('pageshow', ({ persisted }) => {
      document.documentElement.dataset.restored = String(persisted)
    })
  })
  const other = await webkit.openTab('/dashboard')
  await expectDashboard(other, 'Demo')
  // Another page, beside which the browser keeps this one.
  await tab.goto(`${baseURL}/favicon.svg`)
  await signOut(other)
  await expectHeading(other, 'Sign in')
  await tab.back()

  await expectHeading(tab, 'Sign in')
  expect(await tab.text()).not.toContain('Demo')
  expect(await tab.run(() => document.documentElement.dataset.restored)).toBe('true')
})

test('R19: what is typed is back after a reload; a sign-out asks first, one elsewhere does not', async ({
  webkit,
  mock,
}) => {
  const tab = await signIn(webkit)
  await tab.click('Projects')
  await expect.poll(() => tab.text()).toContain('Mobile app')
  await tab.click('Mobile app')
  await expectHeading(tab, 'Mobile app')
  const typed = () => tab.run(() => document.querySelector('textarea')?.value)
  const question = () => tab.run(() => document.querySelector('dialog[open] h2')?.textContent ?? '')
  await tab.set('Description', 'Half a sen')

  await tab.reload()
  await expect.poll(typed).toBe('Half a sen')
  await signOut(tab)
  await expect.poll(question).toBe('Discard unsaved changes?')
  expect(await mock.count('/api/auth/logout')).toBe(0)
  await tab.run(() => document.querySelector<HTMLElement>('dialog[open] button')!.click())
  await expect.poll(question).toBe('')
  expect(await typed()).toBe('Half a sen')

  const other = await webkit.openTab('/dashboard')
  await expectDashboard(other, 'Demo')
  await signOut(other)
  await expectHeading(tab, 'Sign in')
  expect(await question()).toBe('')
  expect(await tab.run(() => JSON.stringify({ ...sessionStorage }))).not.toContain('Half a sen')
})

test.describe('without local storage', () => {
  test.use({ options: ['--enable-html5-local-storage=false'] })

  test('a person signs in, refreshes and signs out', async ({ webkit, mock }) => {
    const tab = await signIn(webkit)
    // Nothing is stored that says whether somebody is signed in, so that the cookie is asked.
    expect(await mock.statuses(REFRESH)).toEqual([401])
    await mock.control('expire-access')
    await openLab(tab)
    await tab.click(labNames.send)
    await expectReport(tab, `${BURST} of ${BURST} requests succeeded.`)
    expect(await mock.statuses(REFRESH)).toEqual([401, 200])

    await signOut(tab)
    await expectHeading(tab, 'Sign in')
  })
})

test('the lab counts and draws as in other engines', async ({ webkit, mock }) => {
  const tab = await signIn(webkit)
  await tab.click('Lab')
  await expectHeading(tab, 'Refresh lab')
  await tab.click(labNames.send)
  await expectReport(tab, /^10 of 10 requests succeeded. One refresh per 401: 0 of 10/)

  await openLab(tab)
  // A connection that breaks, and responses that are not read: here engines differ.
  for (const scenario of [REFUSED, 'Offline at the refresh']) {
    await expectRun(tab, mock, { scenario, requests: 10, ...scenarios[scenario]! })
  }
})

interface Run {
  scenario: string
  requests: number
  sent: number
  rejected: number
  refreshes: number
  replayed: number
  answered: number
  end?: string
}

async function expectRun(tab: Tab, mock: Mock, run: Run): Promise<void> {
  const { scenario, requests, sent, rejected, refreshes, replayed, answered, end = '' } = run
  await tab.set(labNames.requests, String(requests))
  await tab.set(labNames.scenario, scenario)
  const before = await mock.count(RESOURCE)
  await tab.click(labNames.send)
  await expectReport(tab, `${answered} of ${requests} requests succeeded${end}.`)

  expect(await countsIn(tab)).toEqual([sent, rejected, refreshes, replayed].map(String))
  expect((await mock.count(RESOURCE)) - before).toBe(sent)
  expect(await drawnIn(tab)).toEqual({ lanes: requests, requests: sent, rejected, refreshes })
  expect(await tab.text()).not.toContain('The drawing is incomplete')
}

function countsIn(tab: Tab): Promise<string[]> {
  return tab.run(() =>
    ['sent', 'rejected', 'refreshes', 'replayed'].map((name) =>
      document.querySelector(`[data-testid="lab-${name}"]`)!.textContent.trim(),
    ),
  )
}

function drawnIn(tab: Tab) {
  return tab.run(() => {
    const count = (selector: string) =>
      document.querySelectorAll(`.trace-silent ${selector}`).length
    const rejected = count('.trace-lane .trace-rejected')
    const answered = count('.trace-lane .trace-sent') + count('.trace-lane .trace-replayed')
    return {
      lanes: count('.trace-lane'),
      requests: rejected + answered,
      rejected,
      refreshes: count('.trace-refreshes .trace-granted'),
    }
  })
}

async function signIn(webkit: WebKit): Promise<Tab> {
  const tab = await webkit.openTab('/login')
  await expectHeading(tab, 'Sign in')
  await submitSignIn(tab)
  await expectDashboard(tab, 'Demo')
  return tab
}

async function submitSignIn(tab: Tab, username = 'demo'): Promise<void> {
  await tab.set(names.username, username)
  await tab.set(names.password, 'password')
  await tab.run(() => document.querySelector('form')!.requestSubmit())
}

/** By the header, where the button may be in the account menu. */
async function signOut(tab: Tab): Promise<void> {
  await tab.run(() => {
    const buttons = [...document.querySelectorAll<HTMLElement>('header button')]
    buttons.find((button) => /account/i.test(button.ariaLabel ?? button.textContent))?.click()
  })
  await tab.click(names.signOut)
}

async function openLab(tab: Tab): Promise<void> {
  await tab.click('Lab')
  await expectHeading(tab, 'Refresh lab')
  await tab.set(labNames.requests, String(BURST))
  await tab.set(labNames.scenario, NOTHING)
  await tab.set(labNames.classic, false)
}

async function expectHeading(tab: Tab, heading: string): Promise<void> {
  await expect.poll(() => tab.heading()).toBe(heading)
}

/** The dashboard with all its regions loaded, and this person in the header. */
async function expectDashboard(tab: Tab, person: string): Promise<void> {
  await expectHeading(tab, 'Dashboard')
  await expect.poll(() => tab.text()).not.toContain('Loading')
  expect(await tab.text()).toContain(person)
}

/** What the lab says of its last run. */
async function expectReport(tab: Tab, report: string | RegExp): Promise<void> {
  const said = () => tab.run(() => document.querySelector('main [role="status"]')!.textContent)
  await expect.poll(said, { timeout: 40_000 }).toMatch(report)
}
