import { expect, expectDashboard, signIn, test } from './fixtures.ts'

test('the dev server serves app and mock: sign in, expire, go on, sign out', async ({
  page,
  mock,
}) => {
  await signIn(page)
  await page.getByRole('banner').getByRole('link').first().click()
  await expect(page).toHaveURL('/')
  await mock.control('expire-access')
  await page.getByRole('navigation').getByRole('link', { name: 'Dashboard' }).click()
  await expectDashboard(page)
  expect(await mock.count('/api/auth/refresh')).toBe(1)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page).toHaveURL('/login')
})
