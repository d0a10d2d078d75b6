import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect, expectDashboard, expectHeading, signIn, submitSignIn, test } from './fixtures.ts'

const REFRESH = '/api/auth/refresh'

test('signs in and out', async ({ page, mock }) => {
  await page.goto('/')
  await page.getByRole('link', { name: 'Sign in' }).first().click()
  await submitSignIn(page)
  await expectDashboard(page)
  await expect(page.getByText('Welcome, Demo.')).toBeVisible()

  await page.getByRole('button', { name: 'account' }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page).toHaveURL('/login')
  await expect.poll(() => mock.count('/api/auth/logout')).toBe(1)

  // Nor does the cookie bring the session back.
  await page.goto('/dashboard')
  await expectHeading(page, 'Sign in')
  expect(await mock.count(REFRESH)).toBe(0)
})

test('a wrong password shows an error and causes no refresh', async ({ page, mock }) => {
  await page.goto('/login')
  await submitSignIn(page, 'demo', 'wrong')
  await expect(page.getByRole('alert')).toHaveText('Wrong username or password.')
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
  await openDashboard(page)
  await expectDashboard(page)
  expect(await mock.count(REFRESH)).toBe(1)
  expect((await mock.log('/api/auth/me')).map(({ status }) => status)).toEqual([200, 401, 200])
})

test('R8: a session that is refused leads to the sign-in, and back', async ({ page, mock }) => {
  await signIn(page)
  await goHome(page)
  await mock.control('expire-access')
  await mock.control('revoke-sessions')
  await openDashboard(page)
  await expect(page).toHaveURL('/login?redirect=/dashboard')
  await expect(page.getByRole('status')).toContainText('Your session has ended')

  await submitSignIn(page)
  await expectDashboard(page)
  await expect(page.getByText('Your session has ended')).toHaveCount(0)
})

for (const redirect of ['https://evil.example/', '//evil.example/', '/\\evil.example/']) {
  test(`an open redirect is not followed: ${redirect}`, async ({ page }) => {
    await page.goto(`/login?redirect=${redirect}`)
    await submitSignIn(page)
    await expectDashboard(page)
    await expect(page).toHaveURL('/dashboard')
  })
}

test('a chunk that is gone after a deployment: the page is reloaded', async ({ page }) => {
  await signIn(page)
  await page.goto('/')
  let missing = 1
  await page.route(/DashboardView-.*\.js$/, (route) =>
    missing-- > 0 ? route.fulfill({ status: 404, body: '' }) : route.continue(),
  )
  await openDashboard(page)
  await expectDashboard(page)
})

for (const path of ['/', '/login', '/forbidden', '/no/such/page']) {
  test(`axe finds nothing on ${path}`, async ({ page }) => {
    await page.goto(path)
    await expectNoViolation(page)
  })
}

test('axe finds nothing on /dashboard', async ({ page }) => {
  await signIn(page)
  await expectNoViolation(page)
})

async function expectNoViolation(page: Page) {
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await page.emulateMedia({ reducedMotion: 'reduce' })
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
}

/** Within the app, so that nothing has to be restored. */
async function goHome(page: Page) {
  await page.getByRole('banner').getByRole('link').first().click()
  await expect(page).toHaveURL('/')
}

async function openDashboard(page: Page) {
  await page.getByRole('navigation').getByRole('link', { name: 'Dashboard' }).click()
}
