import { expect, expectDashboard, fillNumber, signIn, test } from './fixtures.ts'

const RESOURCE = '/api/protected-resource'
const REFRESH = '/api/auth/refresh'

test('ten calls with a dead token: one refresh, ten successes', async ({ page, mock }) => {
  await signIn(page)
  await page.getByRole('link', { name: 'Lab' }).click()
  await fillNumber(page, 'Requests', 10)
  await page.getByRole('button', { name: 'Expire access token' }).click()
  await expect(page.getByRole('status').last()).not.toBeEmpty()
  await page.getByRole('button', { name: 'Send requests' }).click()

  await expect(page.getByTestId('lab-sent')).toHaveText('20')
  await expect(page.getByTestId('lab-rejected')).toHaveText('10')
  await expect(page.getByTestId('lab-refreshes')).toHaveText('1')
  await expect(page.getByTestId('lab-replayed')).toHaveText('10')

  const statuses = (await mock.log(RESOURCE)).map(({ status }) => status)
  expect(statuses.filter((status) => status === 401)).toHaveLength(10)
  expect(statuses.filter((status) => status === 200)).toHaveLength(10)
  expect((await mock.log(REFRESH)).map(({ status }) => status)).toEqual([200])
  await expect(page).toHaveURL('/lab')
})

test('the dashboard loads through an expiry that nobody notices', async ({ page, mock }) => {
  await signIn(page)
  await page.getByRole('link', { name: 'Lab' }).click()
  await mock.control('expire-access')
  await page.getByRole('link', { name: 'Dashboard' }).click()
  await expectDashboard(page)
  expect(await mock.count(REFRESH)).toBe(1)
})

test('R2: a token dead by the clock: no 401 on the wire at all', async ({ page, mock }) => {
  await page.clock.install()
  await signIn(page)
  await page.getByRole('link', { name: 'Lab' }).click()
  await page.clock.fastForward('16:00')
  await page.getByRole('link', { name: 'Dashboard' }).click()
  await expectDashboard(page)
  expect(await mock.count(REFRESH)).toBe(1)
  expect((await mock.log()).filter(({ status }) => status === 401)).toEqual([])
})

test('in the last stretch of its life the token is sent, and the next one fetched beside', async ({
  page,
  mock,
}) => {
  await page.clock.install()
  await signIn(page)
  await page.getByRole('link', { name: 'Lab' }).click()
  await mock.control('faults', { path: REFRESH, times: 1, kind: 'hang' })
  await page.clock.fastForward('14:30')
  await page.getByRole('link', { name: 'Dashboard' }).click()
  await expectDashboard(page)
  await expect.poll(() => mock.count(REFRESH)).toBe(1)
})

test('R4: a POST is replayed once and stored once', async ({ page, mock }) => {
  await signIn(page)
  await mock.control('expire-access')
  await page.getByLabel('Name').fill('Once only')
  await page.getByRole('button', { name: 'Add project' }).click()
  await expect(page.getByRole('region', { name: 'Projects' })).toContainText('Once only')

  const posts = (await mock.log('/api/projects')).filter(({ method }) => method === 'POST')
  expect(posts.map(({ status }) => status)).toEqual([401, 201])
  await page.reload()
  await expectDashboard(page)
  const stored = page.getByRole('region', { name: 'Projects' }).getByText('Once only')
  await expect(stored).toHaveCount(1)
})

test('R7: a server in trouble is not a sign-out', async ({ page, mock }) => {
  await signIn(page)
  await page.getByRole('link', { name: 'Lab' }).click()
  await mock.control('expire-access')
  await mock.control('faults', { path: REFRESH, times: 1, status: 503 })
  await page.getByRole('link', { name: 'Dashboard' }).click()
  const retry = page.getByRole('button', { name: 'Retry' })
  await expect(retry).toHaveCount(3)
  await expect(page).toHaveURL('/dashboard')
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible()

  await expect(async () => {
    while (await retry.count()) await retry.first().click({ timeout: 500 })
    await expectDashboard(page)
  }).toPass()
  expect((await mock.log(REFRESH)).filter(({ status }) => status === 200)).toHaveLength(1)
})
