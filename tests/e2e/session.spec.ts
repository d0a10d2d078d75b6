import type { Page } from '@playwright/test'
import { expect, expectDashboard, signIn, submitSignIn, test, expectHeading } from './fixtures.ts'

test('signs in and out', async ({ page, mock }) => {
  await page.goto('/')
  await page.getByRole('link', { name: 'Sign in' }).first().click()
  await submitSignIn(page)
  await expectDashboard(page)
  const header = page.getByRole('banner')
  await expect(header).toContainText('Demo')
  await page.getByRole('link', { name: 'Lab' }).click()
  await expectHeading(page, 'Refresh lab')

  await header.getByRole('button', { name: 'Sign out' }).click()
  await expect(page).toHaveURL('/login')
  await expect(header.getByRole('button', { name: 'Sign out' })).toHaveCount(0)
  await expect.poll(() => mock.count('/api/auth/logout')).toBe(1)

  // Back and forward show nothing protected.
  await page.goBack()
  await expect(page).toHaveURL('/login?redirect=/dashboard')
  await expect(page.getByRole('region')).toHaveCount(0)
  await page.goForward()
  await expectHeading(page, 'Sign in')
  await expect(page.getByRole('region')).toHaveCount(0)

  // And the way back leads out, past what was protected.
  for (const url of ['/login?redirect=/dashboard', '/']) {
    await page.goBack()
    await expect(page).toHaveURL(url)
  }

  // Nor does the cookie bring the session back.
  await page.goto('/dashboard')
  await expectHeading(page, 'Sign in')
  expect(await mock.count('/api/auth/refresh')).toBe(0)
})

test('a wrong password shows an error and causes no refresh', async ({ page, mock }) => {
  await page.goto('/login')
  await submitSignIn(page, 'demo', 'wrong')
  await expect(page.getByRole('alert')).toHaveText('Wrong username or password.')
  expect(await mock.count('/api/auth/refresh')).toBe(0)

  await submitSignIn(page)
  await expectDashboard(page)
})

test('a deep link leads to the sign-in and back again, with query and hash', async ({ page }) => {
  await page.goto('/lab?from=mail#top')
  await expectHeading(page, 'Sign in')
  await expect(page.getByRole('status')).not.toContainText('session has ended')
  await submitSignIn(page)
  await expectHeading(page, 'Refresh lab')
  await expect(page).toHaveURL('/lab?from=mail#top')
})

test('R14: a reload keeps the session, and web storage holds no token', async ({ page, mock }) => {
  await signIn(page)
  await page.reload()
  await expectDashboard(page)
  expect(await mock.count('/api/auth/refresh')).toBe(1)

  const [stored, cookies] = await page.evaluate(() => [
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }]),
    document.cookie,
  ])
  expect(stored).not.toContain('eyJ')
  expect(cookies).toBe('')
  const cookie = (await page.context().cookies()).find(({ name }) => name === 'refresh_token_4173')
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/api/auth' })
})

test('R16: F5 in mid-refresh keeps the session on a server without a leeway', async ({
  page,
  mock,
}) => {
  await signIn(page)
  await mock.control('conditions', { leeway: 0 })
  await mock.control('faults', { path: '/api/auth/refresh', times: 1, delayMs: 2_500 })
  await Promise.all([
    page.waitForRequest('**/api/auth/refresh'),
    page.reload({ waitUntil: 'commit' }),
  ])
  await page.reload()
  await expectDashboard(page)

  // Neither the answer to the first page nor a token used twice has ended it.
  await page.reload()
  await expectDashboard(page)
  const refreshes = await mock.log('/api/auth/refresh')
  expect(refreshes.map(({ status }) => status)).toEqual([200, 200, 200])
})

test('a first visit costs no refresh', async ({ page, mock }) => {
  await page.goto('/')
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await page.goto('/dashboard')
  await expectHeading(page, 'Sign in')
  expect(await mock.log()).toEqual([])
})

test('the restore runs beside the loading of the page, whose chunk does not wait for it', async ({
  page,
  mock,
}) => {
  await signIn(page)
  await mock.control('faults', { path: '/api/auth/refresh', times: 1, delayMs: 1_000 })
  const order: string[] = []
  page.on('requestfinished', (request) => {
    const { pathname } = new URL(request.url())
    if (/DashboardView.*\.js$/.test(pathname)) order.push('chunk')
    if (pathname === '/api/auth/refresh') order.push('refresh')
  })
  await page.reload()
  await expectDashboard(page)
  expect(order).toEqual(['chunk', 'refresh'])
})

test('R8: a refresh token that is refused leads to the sign-in once, and back', async ({
  page,
  mock,
}) => {
  await signIn(page)
  await page.goto('/lab')
  await expectHeading(page, 'Refresh lab')
  const navigations: string[] = []
  page.on('framenavigated', (frame) => navigations.push(new URL(frame.url()).pathname))
  await page.getByRole('button', { name: 'Revoke session' }).click()
  await expect(page.getByRole('status').last()).not.toBeEmpty()
  await page.getByRole('button', { name: 'Send requests' }).click()

  await expect(page).toHaveURL('/login?redirect=/lab')
  await expect(page.getByText('Your session has ended')).toBeVisible()
  await expect(page.getByRole('status').filter({ hasText: 'Your session has ended' })).toHaveCount(
    1,
  )
  expect(navigations).toEqual(['/login'])
  const refused = await mock.log('/api/auth/refresh')
  expect(refused.filter(({ status }) => status === 401)).toHaveLength(1)

  await submitSignIn(page)
  await expect(page).toHaveURL('/lab')
  await expect(page.getByText('Your session has ended')).toHaveCount(0)
})

test('a session that ended while the page was closed leads to the sign-in, and back', async ({
  page,
  mock,
}) => {
  await signIn(page)
  await mock.control('revoke-sessions')
  await page.goto('/dashboard?tab=2#top')
  await expect(page.getByText('Your session has ended')).toBeVisible()
  await submitSignIn(page)
  await expect(page).toHaveURL('/dashboard?tab=2#top')
})

test('a role that is missing leads to "Access denied"', async ({ page }) => {
  await signIn(page, 'demo')
  await expect(page.getByRole('link', { name: 'Admin' })).toHaveCount(0)
  await page.goto('/admin')
  await expectHeading(page, 'Access denied')
  await expect(page).toHaveURL('/forbidden')
  await page.getByRole('button', { name: 'Sign out' }).click()

  await signIn(page, 'admin')
  await page.getByRole('link', { name: 'Admin' }).click()
  await expectHeading(page, 'Admin')
  await expect(page.getByRole('cell', { name: 'demo' }).first()).toBeVisible()
})

for (const redirect of [
  'https://evil.example/',
  '//evil.example/',
  '/\\evil.example/',
  '%2F%2Fevil.example%2F',
  '/%09/evil.example/',
  'javascript:alert(document.domain)',
  '%252F%252Fevil.example',
  '/no/such/page',
]) {
  test(`a redirect that leads to no page of the app is not followed: ${redirect}`, async ({
    page,
  }) => {
    await page.goto(`/login?redirect=${redirect}`)
    await submitSignIn(page)
    await expectDashboard(page)
    await expect(page).toHaveURL('/dashboard')
  })
}

test('a new page starts at its top, and a step back leads to where one was', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 320 })
  await page.goto('/')
  await expectHeading(page, 'Vue Silent Refresh')
  const scrolled = () => page.evaluate(() => Math.round(window.scrollY))
  await page.getByRole('heading', { level: 2 }).evaluate((heading) => heading.scrollIntoView())
  const before = await scrolled()
  expect(before).toBeGreaterThan(0)

  await page.evaluate(() => document.querySelector<HTMLElement>('nav a')!.click())
  await expectHeading(page, 'Sign in')
  await expect.poll(scrolled).toBe(0)

  await page.goBack()
  await expectHeading(page, 'Vue Silent Refresh')
  await expect.poll(scrolled).toBe(before)
})

test('a link to a part of a page leads to that part', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 320 })
  await page.goto('/#pattern')
  await expect(page.getByRole('heading', { level: 2 })).toBeInViewport()
})

test('an address that is none', async ({ page }) => {
  await page.goto('/no/such/page')
  await expectHeading(page, 'Page not found')
})

test('R7: offline at load: the page is kept, and comes when the network does', async ({ page }) => {
  await signIn(page)
  const offline = '**/api/**'
  await page.route(offline, (route) => route.abort('internetdisconnected'))
  await page.goto('/dashboard?tab=2')
  await expectHeading(page, 'Cannot reach the server')
  await expect(page).toHaveURL('/dashboard?tab=2')

  await page.unroute(offline)
  await tryAgainUntil(page, 'Dashboard')
  await expectDashboard(page)
  await expect(page).toHaveURL('/dashboard?tab=2')
})

test('a chunk that is gone after a deployment: the page is reloaded', async ({ page }) => {
  await signIn(page)
  let missing = 1
  await page.route(/LabView-.*\.js$/, (route) =>
    missing-- > 0 ? route.fulfill({ status: 404, body: '' }) : route.continue(),
  )
  await page.getByRole('link', { name: 'Lab' }).click()
  await expectHeading(page, 'Refresh lab')
  await expect(page).toHaveURL('/lab')
})

test('a chunk that never comes: the page says so, once', async ({ page }) => {
  await signIn(page)
  let loads = 0
  page.on('domcontentloaded', () => (loads += 1))
  await page.route(/LabView-.*\.js$/, (route) => route.fulfill({ status: 404, body: '' }))
  await page.getByRole('link', { name: 'Lab' }).click()
  await expectHeading(page, 'Cannot reach the server')
  expect(loads).toBe(1)

  await page.unroute(/LabView-.*\.js$/)
  await tryAgainUntil(page, 'Refresh lab')
})

test('offline, a page whose code is not there yet: the page says so, and opens later', async ({
  page,
}) => {
  await signIn(page)
  await page.context().setOffline(true)
  await page.getByRole('link', { name: 'Lab' }).click()
  await expectHeading(page, 'Cannot reach the server')
  await expect(page).toHaveURL('/lab')
  await page.getByRole('button', { name: 'Try again' }).click()
  await expect(page.getByRole('alert')).toContainText('Still no luck')

  await page.context().setOffline(false)
  await tryAgainUntil(page, 'Refresh lab')
})

/** As a person does. The page may also come by itself, when the browser is online again. */
async function tryAgainUntil(page: Page, heading: string) {
  const retry = page.getByRole('button', { name: 'Try again' })
  await expect(async () => {
    if (await retry.isVisible()) await retry.click({ timeout: 500 })
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(heading, { timeout: 500 })
  }).toPass()
}
