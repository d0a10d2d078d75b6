/** The refresh lab: what it counts is what the server saw, and what it draws is what it counts. */
import { readFile } from 'node:fs/promises'
import type { Download, Page } from '@playwright/test'
import {
  everyEngine,
  expect,
  expectDashboard,
  expectHeading,
  expectPerson,
  openPage,
  REFRESH,
  signIn,
  test,
} from './fixtures.ts'
import type { Mock } from './fixtures.ts'
import {
  expectCounts,
  fillNumber,
  labNames,
  openLab,
  press,
  REFUSED,
  report,
  RESOURCE,
  rival,
  send,
} from './lab.ts'
import { scenarios } from './scenarios.ts'

test('each scenario is counted and drawn from the server’s log', async ({ page, mock }) => {
  test.slow() // Nine runs.
  await signIn(page)
  await openLab(page)
  for (const [scenario, { answers, answered, bars, end = '', ...counts }] of Object.entries(
    scenarios,
  )) {
    const start = (await mock.log()).length
    const before = await mock.count(REFRESH)
    await send(page, { scenario })

    await expect(report(page), scenario).toHaveText(`${answered} of 10 requests succeeded${end}.`)
    await expectCounts(page, counts)
    expect(await countedIn(mock, start), scenario).toEqual(counts)
    const statuses = (await mock.statuses(REFRESH)).slice(before)
    expect(
      statuses.filter((status) => status > 0),
      scenario,
    ).toEqual(answers)
    expect(await drawnIn(page), scenario).toEqual({
      lanes: 10,
      requests: counts.sent,
      rejected: counts.rejected,
      granted: counts.refreshes,
    })
    // What waits is not sent.
    expect([await barsOf(page, 1), await barsOf(page, 10)], scenario).toEqual(bars)
  }

  await fillNumber(page, labNames.latency, 0)
  const start = (await mock.log()).length
  await send(page, { scenario: REFUSED, requests: 200 })
  await expect(report(page)).toHaveText('200 of 200 requests succeeded.', { timeout: 40_000 })
  const counts = { sent: 400, rejected: 200, refreshes: 1, replayed: 200 }
  await expectCounts(page, counts)
  expect(await countedIn(mock, start, 200)).toEqual(counts)
  expect(await drawnIn(page)).toEqual({ lanes: 200, requests: 400, rejected: 200, granted: 1 })

  // Whatever the lab has done, its person is where they were.
  await expectPerson(page, 'Demo')
  await openPage(page, 'Dashboard')
  await expectDashboard(page)
})

test(
  'the first press: one refresh, where an interceptor without sharing has ten and loses the session',
  everyEngine,
  async ({ page, mock }) => {
    const loaded: string[] = []
    page.on('request', (request) => loaded.push(new URL(request.url()).pathname))
    await signIn(page)
    expect(loaded.filter((path) => /lab/i.test(path))).toEqual([])
    await openLab(page)
    expect(loaded.filter((path) => /LabView.*\.(?:js|css)$/.test(path))).toHaveLength(2)
    await press(page)

    await expect(report(page)).toHaveText(
      '10 of 10 requests succeeded. One refresh per 401: 0 of 10, and the user was signed out.',
    )
    await expectCounts(page, { sent: 20, rejected: 10, refreshes: 1, replayed: 10 })
    await expectCounts(page, { 'classic-refreshes': 10 })
    const refreshes = await mock.statuses(REFRESH)
    expect(refreshes).toHaveLength(11)
    // One for ours; of the other ten, one before the family was revoked.
    expect(refreshes.filter((status) => status === 200)).toHaveLength(2)
    const sent = Number(await page.getByTestId('lab-classic-sent').textContent())
    expect(await mock.count(RESOURCE)).toBe(20 + sent)

    const classic = page.locator('.trace-classic')
    await expect(classic).toContainText('0 of 10 answered · 10 refreshes')
    await expect(classic).toContainText('1 granted · session revoked, signed out')
    await expect(classic.locator('.trace-refreshes rect')).toHaveCount(10)
    await expect(page.locator('.trace-silent')).toContainText('10 of 10 answered · 1 refresh')
    const ticks = (client: string) =>
      page
        .locator(`.trace-${client} .trace-grid`)
        .evaluateAll((lines) => lines.map((line) => /^M[^ ]+/.exec(line.getAttribute('d')!)![0]))
    expect(await ticks('silent'), 'the same scale').toEqual(await ticks('classic'))
    expect(await leewayOf(page), 'the server afterwards').toBe('as at start')
  },
)

test('four clients: ours alone refreshes once where 401s come late, and axios is loaded for one of them', async ({
  page,
}) => {
  const loaded: string[] = []
  page.on('request', (request) => loaded.push(new URL(request.url()).pathname))
  const library = () => loaded.filter((path) => path.includes('libraryClient'))
  await signIn(page)
  await openLab(page)
  await send(page, { scenario: REFUSED })
  await expect(report(page)).not.toBeEmpty()
  expect(library()).toEqual([])

  for (const name of [labNames.shared, labNames.library]) await rival(page, name).check()
  await send(page, { scenario: 'Three 401s come late', compare: true })
  await expect(report(page)).toHaveText(
    '10 of 10 requests succeeded. One refresh per 401: 0 of 10, and the user was signed out. ' +
      'One shared refresh: 10 of 10. axios-auth-refresh: 10 of 10.',
  )
  await expectCounts(page, { sent: 20, rejected: 10, refreshes: 1, replayed: 10 })
  await expectCounts(page, { 'classic-refreshes': 10 })
  // Four, unless a slow machine has a refresh take so long that the next 401 meets it.
  for (const client of ['shared', 'library'])
    await expect(page.getByTestId(`lab-${client}-refreshes`)).toHaveText(/^[2-4]$/)
  expect(library()).toHaveLength(1)
})

test('a tab that is left in the middle leaves no trace on the server', async ({ page, mock }) => {
  await signIn(page)
  await openLab(page)
  await fillNumber(page, labNames.latency, 5000)
  await send(page, { scenario: REFUSED, compare: true })
  await expect.poll(() => mock.count(RESOURCE)).toBeGreaterThan(0)
  expect(await leewayOf(page)).toBe('none')
  await page.goto('/')

  await expect.poll(() => leewayOf(page)).toBe('as at start')
})

test('a second tab, opened from the lab, sends at once and shares the refresh; others do not', async ({
  page,
  mock,
}) => {
  await signIn(page)
  await openLab(page)
  const stranger = await page.context().newPage()
  await stranger.goto('/lab')
  await expectHeading(stranger, 'Refresh lab')
  const second = await openSecondTab(page)
  const start = (await mock.log()).length
  await send(page, { scenario: REFUSED, requests: 6 })

  for (const tab of [page, second]) {
    await expect(report(tab)).toHaveText('12 of 12 requests succeeded in 2 tabs.')
    await expectCounts(tab, { sent: 24, rejected: 12, refreshes: 1, replayed: 12 })
    await expect(tab.locator('.trace-group')).toHaveText(['This tab', 'Other tab'])
    expect(await drawnIn(tab)).toEqual({ lanes: 12, requests: 24, rejected: 12, granted: 1 })
  }
  expect(await countedIn(mock, start, 12)).toMatchObject({ sent: 24, rejected: 12 })
  await expect(stranger.getByTestId('lab-sent')).toHaveText('–')

  // One that leaves during a run: the other one finishes, and says what the server saw.
  await fillNumber(page, labNames.latency, 1000)
  await send(page, { requests: 6 })
  await expect(second.getByText('Under way')).not.toHaveCount(0)
  await expect(second.locator('.trace-lane'), 'it has heard of the requests of both').toHaveCount(
    12,
  )
  await openPage(page, 'Dashboard')
  await expectHeading(page, 'Dashboard')
  await expect(second.getByText('Under way')).toHaveCount(0)
  await expect(second.getByTestId('lab-sent')).not.toHaveText('–')
  await expect(report(second)).toContainText('requests succeeded in 2 tabs.')
})

test('when results arrive, nothing below the button moves, and they come into view at 360 px', async ({
  page,
}) => {
  await signIn(page)
  await openLab(page)
  // What stands below the drawing comes with the first run.
  const place = () =>
    page.locator('.lab-timeline').evaluate((drawing) => {
      const { top, bottom } = drawing.getBoundingClientRect()
      return [top + window.scrollY, bottom + window.scrollY]
    })
  const before = await place()
  await press(page)
  await expect(page.locator('.trace-silent .trace-rejected').first()).toBeVisible()
  const meanwhile = await place()
  await expect(report(page)).not.toBeEmpty()
  expect(meanwhile).toEqual(before)
  expect(await place()).toEqual(before)

  await page.setViewportSize({ width: 360, height: 700 })
  await page.reload()
  await expectHeading(page, 'Refresh lab')
  const verdict = page.locator('.trace-silent .trace-headline')
  await expect(verdict).not.toBeInViewport()
  await press(page)
  await expect(page.getByRole('heading', { name: 'Last run' })).toBeInViewport()
  await expect(verdict).toBeInViewport()
  await expect(verdict).toHaveText('10 of 10 answered · 1 refresh')
})

test('by keyboard alone: choose, send, read the table, save a file that stands on its own', async ({
  page,
}) => {
  await signIn(page)
  await openLab(page)
  await page.getByRole('heading', { level: 1 }).focus()
  await page.keyboard.press('Tab')
  await expect(page.getByLabel(labNames.requests)).toBeFocused()
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type('4')
  for (const value of ['0', '0']) {
    await page.keyboard.press('Tab')
    await page.keyboard.type(value)
  }
  await page.keyboard.press('Tab')
  await expect(page.getByLabel(labNames.scenario)).toBeFocused()
  await page.keyboard.type('Token dead')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Space')
  await expect(rival(page, labNames.classic)).not.toBeChecked()
  await page.keyboard.press('Space')
  for (let presses = 0; presses < 3; presses += 1) await page.keyboard.press('Tab')
  await expect(page.getByRole('button', { name: labNames.send })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(report(page)).toContainText('4 of 4 requests succeeded.')
  await expect(page.getByRole('button', { name: labNames.send })).toBeFocused()

  // Past the levers and the second tab.
  for (let presses = 0; presses < 4; presses += 1) await page.keyboard.press('Tab')
  await expect(page.getByRole('button', { name: labNames.save })).toBeFocused()
  const [file] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')])
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  const table = page.getByRole('table', { name: /^Silent refresh/ })
  await expect(table.getByRole('row')).toHaveCount(1 + 1 + 4)
  await page.keyboard.press('Tab')
  await expect(page.getByRole('region', { name: 'Timeline as a table' })).toBeFocused()

  expect(file.suggestedFilename()).toBe('refresh-lab.svg')
  const svg = await textOf(file)
  expect(svg).not.toMatch(/var\(|<!--|https?:\/\/(?!www\.w3\.org)/)

  // As a viewer opens it that knows nothing of the app.
  const viewer = await page.context().newPage()
  await viewer.goto(`data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`)
  await expect(viewer.locator('parsererror')).toHaveCount(0)
  await expect(viewer.locator('text', { hasText: labNames.classic })).toBeVisible()
  await expect(viewer.locator('.trace-silent .trace-lane')).toHaveCount(4)
  await expect(viewer.locator('.trace-silent .trace-refreshes rect').first()).toHaveCSS(
    'fill',
    'rgb(13, 92, 99)',
  )
  const [width, shown] = await viewer
    .locator('svg')
    .evaluate((svg) => [Number(svg.getAttribute('width')), svg.getBoundingClientRect().width])
  expect(shown).toBe(width)
})

/** The same counts, by the server's log. */
async function countedIn(mock: Mock, since: number, requested = 10) {
  const entries = (await mock.log()).slice(since)
  const statusesOf = (path: string) =>
    entries.filter((entry) => entry.path === path).map(({ status }) => status)
  const [resource, refreshes] = [statusesOf(RESOURCE), statusesOf(REFRESH)]
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

/** What the server did in a lane, in its order. */
async function barsOf(page: Page, lane: number): Promise<string[]> {
  const bars = page.locator(`.trace-silent [data-lane="${lane}"] rect`)
  const kinds = await bars.evaluateAll((rects) =>
    rects.map((rect) => rect.getAttribute('class')!.replace('trace-', '')),
  )
  return kinds.filter((kind) => kind !== 'waiting' && kind !== 'queued')
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
    page.getByRole('link', { name: labNames.secondTab }).click(),
  ])
  for (const tab of [page, second])
    await expect(tab.getByText('Another tab is linked')).toBeVisible()
  return second
}

async function textOf(file: Download): Promise<string> {
  return readFile(await file.path(), 'utf8')
}
