/** The refresh lab: what it counts is what the server saw, and what it draws is what it counts. */
import { readFile } from 'node:fs/promises'
import type { Download, Page } from '@playwright/test'
import { expect, expectDashboard, expectHeading, fillNumber, signIn, test } from './fixtures.ts'
import type { Mock } from './fixtures.ts'
import { scenarios } from './scenarios.ts'
import type { Expected } from './scenarios.ts'

const RESOURCE = '/api/protected-resource'
const REFRESH = '/api/auth/refresh'

for (const [scenario, { answers, answered, end = '', ...counts }] of Object.entries(scenarios)) {
  test(`${scenario}: counted and drawn from the server's log`, async ({ page, mock }) => {
    await openLab(page)
    await send(page, { scenario })

    await expect(report(page)).toHaveText(`${answered} of 10 requests succeeded${end}.`)
    await expectCounts(page, counts)
    expect(await countedIn(mock)).toEqual(counts)
    const refreshes = (await mock.log(REFRESH)).map(({ status }) => status)
    expect(refreshes.filter((status) => status > 0)).toEqual(answers)
    expect(await drawnIn(page)).toEqual({
      lanes: 10,
      requests: counts.sent,
      rejected: counts.rejected,
      granted: counts.refreshes,
    })
    // Whatever the lab has done, its person is where they were.
    await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible()
    await page.getByRole('link', { name: 'Dashboard' }).click()
    await expectDashboard(page)
  })
}

test('what waits is not sent: half of the requests are made while the refresh is slow', async ({
  page,
}) => {
  await openLab(page)
  await send(page, { scenario: 'Refresh slow' })
  await expect(report(page)).not.toBeEmpty()

  expect((await barsOf(page, 1)).filter(solid)).toEqual(['rejected', 'replayed'])
  expect((await barsOf(page, 10)).filter(solid)).toEqual(['sent'])
  expect(await barsOf(page, 10)).toContain('waiting')
})

test('the first press shows the refresh, beside an interceptor without sharing', async ({
  page,
}) => {
  await openLab(page)
  await page.getByRole('button', { name: 'Send requests' }).click()

  await expectCounts(page, { sent: 20, rejected: 10, refreshes: 1, replayed: 10 })
  await expect(page.locator('.trace-silent')).toContainText('1 refresh · 10 of 10 answered')
  await expect(page.locator('.trace-classic')).toContainText('10 refreshes, 1 granted')
})

test('at 360 px the result comes into view when it is there', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 700 })
  await openLab(page)
  await expect(page.getByTestId('lab-sent')).not.toBeInViewport()
  await page.getByRole('button', { name: 'Send requests' }).click()

  await expect(page.getByRole('heading', { name: 'Last run' })).toBeInViewport()
  await expect(page.getByTestId('lab-sent')).toBeInViewport()
})

test.describe('compared with other clients', () => {
  test('ten refreshes, a revoked family and a person signed out, where ours has one', async ({
    page,
    mock,
  }) => {
    await openLab(page)
    await send(page, { scenario: 'Token refused by the server', compare: true })

    await expect(report(page)).toHaveText(
      '10 of 10 requests succeeded. One refresh per 401: 0 of 10, and the user was signed out.',
    )
    await expectCounts(page, { sent: 20, rejected: 10, refreshes: 1, replayed: 10 })
    await expect(page.getByTestId('lab-classic-refreshes')).toHaveText('10')
    const refreshes = (await mock.log(REFRESH)).map(({ status }) => status)
    expect(refreshes).toHaveLength(11)
    // One for ours; of the other ten, one before the family was revoked.
    expect(refreshes.filter((status) => status === 200)).toHaveLength(2)
    const sent = Number(await page.getByTestId('lab-classic-sent').textContent())
    expect(await mock.count(RESOURCE)).toBe(20 + sent)

    const classic = page.locator('.trace-classic')
    await expect(classic).toContainText('10 refreshes, 1 granted')
    await expect(classic).toContainText('session revoked, signed out')
    await expect(classic.locator('.trace-refreshes rect')).toHaveCount(10)
    await expect(page.locator('.trace-silent')).toContainText('1 refresh · 10 of 10 answered')
  })

  test('four clients come to four results where the refresh gets a 503', async ({ page }) => {
    await openLab(page)
    for (const name of ['One shared refresh', 'axios-auth-refresh']) await rival(page, name).check()
    await send(page, { scenario: 'Refresh answered 503, twice', compare: true })

    await expect(report(page)).toHaveText(
      '10 of 10 requests succeeded. One refresh per 401: 0 of 10, and the user was signed out. ' +
        'One shared refresh: 0 of 10, and the user was signed out. axios-auth-refresh: 10 of 10.',
    )
    await expectCounts(page, { sent: 20, rejected: 10, refreshes: 1, replayed: 10 })
    await expect(page.getByTestId('lab-classic-refreshes')).toHaveText('10')
    await expect(page.getByTestId('lab-shared-refreshes')).toHaveText('1')
    await expect(page.getByTestId('lab-library-rejected')).toHaveText('30')
  })

  test('axios is loaded when it is compared with, and not before', async ({ page }) => {
    const loaded: string[] = []
    page.on('request', (request) => loaded.push(new URL(request.url()).pathname))
    const library = () => loaded.filter((path) => path.includes('libraryClient'))
    await openLab(page)
    await send(page, { scenario: 'Token refused by the server' })
    await expect(report(page)).not.toBeEmpty()
    expect(library()).toEqual([])

    await rival(page, 'axios-auth-refresh').check()
    await page.getByRole('button', { name: 'Send requests' }).click()
    await expect(report(page)).toContainText('axios-auth-refresh: 10 of 10.')
    expect(library()).toHaveLength(1)
  })

  test('in the same scale, and with the server as it was afterwards', async ({ page, mock }) => {
    await openLab(page)
    await send(page, { scenario: 'Token dead by the clock', compare: true })
    await expect(report(page)).not.toBeEmpty()

    const ticks = (client: string) => page.locator(`.trace-${client} .trace-grid`)
    const xs = (client: string) =>
      ticks(client).evaluateAll((lines) =>
        lines.map((line) => /^M[^ ]+/.exec(line.getAttribute('d')!)![0]),
      )
    expect(await xs('silent')).toEqual(await xs('classic'))
    expect(await leewayOf(page)).toBe('as at start')
    expect((await mock.log(REFRESH)).filter(({ status }) => status === 0)).toEqual([])
  })

  test('a tab that is left in the middle leaves no trace on the server', async ({ page, mock }) => {
    await openLab(page)
    await fillNumber(page, 'API (ms)', 5000)
    await send(page, { scenario: 'Token refused by the server', compare: true })
    await expect.poll(() => mock.count(RESOURCE)).toBeGreaterThan(0)
    expect(await leewayOf(page)).toBe('none')
    await page.goto('/')

    await expect.poll(() => leewayOf(page)).toBe('as at start')
  })
})

test('a second tab, opened from the lab: both send at once, and share one refresh', async ({
  page,
  mock,
}) => {
  await openLab(page)
  const second = await openSecondTab(page)
  await send(page, { scenario: 'Token refused by the server', requests: 6 })

  for (const tab of [page, second]) {
    await expect(report(tab)).toHaveText('12 of 12 requests succeeded in 2 tabs.')
    await expectCounts(tab, { sent: 24, rejected: 12, refreshes: 1, replayed: 12 })
    await expect(tab.locator('.trace-group')).toHaveText(['This tab', 'Other tab'])
    expect(await drawnIn(tab)).toEqual({ lanes: 12, requests: 24, rejected: 12, granted: 1 })
  }
  expect((await mock.log(REFRESH)).slice(-1).map(({ status }) => status)).toEqual([200])
  expect(await countedIn(mock, 12)).toMatchObject({ sent: 24, rejected: 12 })

  await second.close()
  await expect(page.getByText('Both send at once')).toBeVisible()
})

test('a tab that leaves during a run: the other one finishes, and says what the server saw', async ({
  page,
}) => {
  await openLab(page)
  const second = await openSecondTab(page)
  await fillNumber(page, 'API (ms)', 1000)
  await send(page, { requests: 6 })
  await expect(second.locator('.trace-lane')).toHaveCount(12)
  await page.getByRole('link', { name: 'Dashboard' }).click()
  await expectHeading(page, 'Dashboard')

  await expect(second.getByTestId('lab-sent')).not.toHaveText('–')
  await expect(second.getByText('Under way')).toHaveCount(0)
  await expect(report(second)).toContainText('requests succeeded in 2 tabs.')
})

test('tabs that were not opened from one another leave each other alone', async ({ page }) => {
  await openLab(page)
  const other = await page.context().newPage()
  await other.goto('/lab')
  await expectHeading(other, 'Refresh lab')
  await send(page, {})

  await expect(report(page)).toHaveText('10 of 10 requests succeeded.')
  await expectCounts(page, { sent: 10 })
  await expect(other.getByTestId('lab-sent')).toHaveText('–')
})

test('two hundred requests, each in its lane', async ({ page, mock }) => {
  await openLab(page)
  await fillNumber(page, 'API (ms)', 0)
  await send(page, { scenario: 'Token refused by the server', requests: 200 })

  // A driver that hears of every request may take longer than the browser.
  await expect(report(page)).toHaveText('200 of 200 requests succeeded.', { timeout: 40_000 })
  const counts = { sent: 400, rejected: 200, refreshes: 1, replayed: 200 }
  await expectCounts(page, counts)
  expect(await countedIn(mock, 200)).toEqual(counts)
  expect(await drawnIn(page)).toEqual({ lanes: 200, requests: 400, rejected: 200, granted: 1 })
})

test('the drawing can be saved as a file that stands on its own', async ({ page }) => {
  await openLab(page)
  await send(page, { scenario: 'Token refused by the server', compare: true })
  await expect(report(page)).not.toBeEmpty()
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save as SVG' }).click(),
  ])
  expect(file.suggestedFilename()).toBe('refresh-lab.svg')
  const svg = await textOf(file)
  expect(svg).not.toMatch(/var\(|<!--|https?:\/\/(?!www\.w3\.org)/)

  // As a viewer opens it that knows nothing of the app.
  const viewer = await page.context().newPage()
  await viewer.goto(`data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`)
  await expect(viewer.locator('parsererror')).toHaveCount(0)
  await expect(viewer.locator('text', { hasText: 'One refresh per 401' })).toBeVisible()
  await expect(viewer.locator('.trace-silent .trace-lane')).toHaveCount(10)
  await expect(viewer.locator('.trace-silent .trace-refreshes rect').first()).toHaveCSS(
    'fill',
    'rgb(13, 92, 99)',
  )
  const [width, shown] = await viewer
    .locator('svg')
    .evaluate((svg) => [Number(svg.getAttribute('width')), svg.getBoundingClientRect().width])
  expect(shown).toBe(width)
})

test('by keyboard alone: choose, send, read the table, save', async ({ page }) => {
  await openLab(page)
  await page.getByRole('heading', { level: 1 }).focus()
  await page.keyboard.press('Tab')
  await expect(page.getByLabel('Requests')).toBeFocused()
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type('4')
  for (const value of ['0', '0']) {
    await page.keyboard.press('Tab')
    await page.keyboard.type(value)
  }
  await page.keyboard.press('Tab')
  await expect(page.getByLabel('What goes wrong')).toBeFocused()
  await page.keyboard.type('Token dead')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Space')
  await expect(rival(page, 'One refresh per 401')).not.toBeChecked()
  for (let presses = 0; presses < 3; presses += 1) await page.keyboard.press('Tab')
  await expect(page.getByRole('button', { name: 'Send requests' })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(report(page)).toContainText('4 of 4 requests succeeded.')
  await expect(page.getByRole('button', { name: 'Send requests' })).toBeFocused()

  // Past the levers and the second tab.
  for (let presses = 0; presses < 4; presses += 1) await page.keyboard.press('Tab')
  await expect(page.getByRole('button', { name: 'Save as SVG' })).toBeFocused()
  const download = page.waitForEvent('download')
  await page.keyboard.press('Enter')
  await download
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  const table = page.getByRole('table', { name: /^Silent refresh/ })
  await expect(table.getByRole('row')).toHaveCount(1 + 1 + 4)
  await page.keyboard.press('Tab')
  await expect(page.getByRole('region', { name: 'Timeline as a table' })).toBeFocused()
})

test('nothing below the button moves when results arrive', async ({ page }) => {
  await openLab(page)
  const place = () => page.getByRole('button', { name: 'Save as SVG' }).boundingBox()
  await page.getByLabel('What goes wrong').selectOption('Token refused by the server')
  await rival(page, 'One refresh per 401').check()
  // The click would scroll there.
  await page.getByRole('button', { name: 'Send requests' }).scrollIntoViewIfNeeded()
  const before = await place()
  await page.getByRole('button', { name: 'Send requests' }).click()
  await expect(page.locator('.trace-silent .trace-rejected').first()).toBeVisible()
  const meanwhile = await place()
  await expect(report(page)).not.toBeEmpty()

  expect(meanwhile).toEqual(before)
  expect(await place()).toEqual(before)
})

test('nothing of the lab is loaded before it is opened', async ({ page }) => {
  const loaded: string[] = []
  page.on('request', (request) => loaded.push(new URL(request.url()).pathname))
  await signIn(page)
  expect(loaded.filter((path) => /lab/i.test(path))).toEqual([])
  await page.getByRole('link', { name: 'Lab' }).click()
  await expectHeading(page, 'Refresh lab')
  expect(loaded.filter((path) => /LabView.*\.(?:js|css)$/.test(path))).toHaveLength(2)
})

/** Opens the lab from the dashboard, signed in as demo. */
async function openLab(page: Page): Promise<void> {
  await signIn(page)
  await page.getByRole('link', { name: 'Lab' }).click()
  await expectHeading(page, 'Refresh lab')
}

interface Choice {
  scenario?: string
  requests?: number
  compare?: boolean
}

async function send(page: Page, choice: Choice): Promise<void> {
  const { scenario = 'Nothing: the token as it is', requests, compare = false } = choice
  if (requests) await fillNumber(page, 'Requests', requests)
  await page.getByLabel('What goes wrong').selectOption(scenario)
  await rival(page, 'One refresh per 401').setChecked(compare)
  await page.getByRole('button', { name: 'Send requests' }).click()
}

/** The switch of a client that ours is compared with. */
function rival(page: Page, name: string) {
  return page.getByRole('switch', { name })
}

/** What the lab says of its last run. */
function report(page: Page) {
  return page.getByRole('main').getByRole('status')
}

async function expectCounts(page: Page, counts: Partial<Omit<Expected, 'answers'>>) {
  for (const [name, count] of Object.entries(counts)) {
    await expect(page.getByTestId(`lab-${name}`)).toHaveText(String(count))
  }
}

/** The same counts, by the server's log. */
async function countedIn(mock: Mock, requested = 10) {
  const resource = (await mock.log(RESOURCE)).map(({ status }) => status)
  const refreshes = (await mock.log(REFRESH)).map(({ status }) => status)
  return {
    sent: resource.length,
    rejected: resource.filter((status) => status === 401).length,
    refreshes: refreshes.filter((status) => status === 200).length,
    replayed: resource.length - requested,
  }
}

/** What is in the drawing of our client. */
async function drawnIn(page: Page) {
  const count = (selector: string) => page.locator(`.trace-silent ${selector}`).count()
  const rejected = await count('.trace-lane .trace-rejected')
  const answered =
    (await count('.trace-lane .trace-sent')) + (await count('.trace-lane .trace-replayed'))
  return {
    lanes: await count('.trace-lane'),
    requests: rejected + answered,
    rejected,
    granted: await count('.trace-refreshes .trace-granted'),
  }
}

/** The kinds of bars in a lane, in their order. */
function barsOf(page: Page, lane: number): Promise<string[]> {
  const bars = page.locator(`.trace-silent [data-lane="${lane}"] rect`)
  return bars.evaluateAll((rects) =>
    rects.map((rect) => rect.getAttribute('class')!.replace('trace-', '')),
  )
}

function solid(kind: string): boolean {
  return kind !== 'waiting' && kind !== 'queued'
}

/** Whether the server still answers a refresh token that was replaced. */
async function leewayOf({ request }: Page): Promise<'as at start' | 'none'> {
  const data = { username: 'demo', password: 'password', mode: 'json' }
  const { refreshToken } = await (await request.post('/api/auth/login', { data })).json()
  await request.post(REFRESH, { data: { refreshToken } })
  const again = await request.post(REFRESH, { data: { refreshToken } })
  return again.ok() ? 'as at start' : 'none'
}

async function openSecondTab(page: Page): Promise<Page> {
  const [second] = await Promise.all([
    page.waitForEvent('popup'),
    page.getByRole('link', { name: 'Open a second tab' }).click(),
  ])
  for (const tab of [page, second])
    await expect(tab.getByText('Another tab is linked')).toBeVisible()
  return second
}

async function textOf(file: Download): Promise<string> {
  return readFile(await file.path(), 'utf8')
}
