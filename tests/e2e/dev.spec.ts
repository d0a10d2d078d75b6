import { expect, expectDashboard, signIn, test } from './fixtures.ts'

test('the dev server serves app and mock: sign in, expire, go on, sign out', async ({
  page,
  mock,
}) => {
  await signIn(page)
  await page.getByRole('link', { name: 'Lab' }).click()
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Refresh lab')
  await mock.control('expire-access')
  await page.getByRole('link', { name: 'Dashboard' }).click()
  await expectDashboard(page)
  expect(await mock.count('/api/auth/refresh')).toBe(1)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page).toHaveURL('/login')
})
