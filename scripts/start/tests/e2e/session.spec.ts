import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import {
  expect,
  expectDashboard,
  expectHeading,
  goHome,
  names,
  openPage,
  REFRESH,
  signIn,
  signOut,
  submitSignIn,
  test,
} from './fixtures.ts'

test('signs in and out', async ({ page, mock }) => {
  await page.goto('/')
  await page.getByRole('link', { name: names.signIn }).first().click()
  await submitSignIn(page)
  await expectDashboard(page)
  await expect(page.getByText('Welcome, Demo.')).toBeVisible()

  await signOut(page)
  await expect(page).toHaveURL('/login')
  await expect.poll(() => mock.count('/api/auth/logout')).toBe(1)

  // Nor does the cookie bring the session back.
  await page.goto('/dashboard')
  await expectHeading(page, 'Sign in')
  expect(await mock.count(REFRESH)).toBe(0)
})

test('R14: a reload keeps the session, and web storage holds no token', async ({ page, mock }) => {
  await signIn(page)
  await page.reload()
  await expectDashboard(page)
  expect(await mock.count(REFRESH)).toBe(1)

  const stored = await page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
  )
  expect(stored).not.toContain('eyJ')
})

test('an expired access token costs one refresh, and nobody notices', async ({ page, mock }) => {
  await signIn(page)
  await goHome(page)
  await mock.control('expire-access')
  await openPage(page, 'Dashboard')
  await expectDashboard(page)
  expect(await mock.count(REFRESH)).toBe(1)
  expect(await mock.statuses('/api/auth/me')).toEqual([200, 401, 200])
})

test('R8: a session that is refused leads to the sign-in, and back', async ({ page, mock }) => {
  await signIn(page)
  await goHome(page)
  await mock.control('expire-access')
  await mock.control('revoke-sessions')
  await openPage(page, 'Dashboard')
  await expect(page).toHaveURL('/login?redirect=/dashboard')
  await expect(page.getByRole('status')).toContainText('Your session has ended')

  await submitSignIn(page)
  await expectDashboard(page)
  await expect(page.getByText('Your session has ended')).toHaveCount(0)
})

test('an open redirect is not followed', async ({ page }) => {
  await page.goto('/login?redirect=//evil.example/')
  await submitSignIn(page)
  await expectDashboard(page)
  await expect(page).toHaveURL('/dashboard')
})

test('a chunk that is gone after a deployment: the page is reloaded', async ({ page }) => {
  await signIn(page)
  await page.goto('/')
  let missing = 1
  await page.route(/DashboardView-.*\.js$/, (route) =>
    missing-- > 0 ? route.fulfill({ status: 404, body: '' }) : route.continue(),
  )
  await openPage(page, 'Dashboard')
  await expectDashboard(page)
})

test('axe finds nothing on any page', async ({ page }) => {
  for (const path of ['/', '/login', '/forbidden', '/no/such/page']) {
    await page.goto(path)
    await expectNoViolation(page)
  }
  await signIn(page)
  await expectNoViolation(page)
})

async function expectNoViolation(page: Page) {
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await page.emulateMedia({ reducedMotion: 'reduce' })
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
}
