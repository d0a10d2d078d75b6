/** The example resource: list, search, pages, details, and what goes wrong with them. */
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect, expectHeading, signIn, test } from './fixtures.ts'

const rows = (page: Page) => page.getByRole('row').locator('th[scope=row]')

async function expectNoViolation(page: Page) {
  await page.emulateMedia({ reducedMotion: 'reduce' })
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
}

async function openProjects(page: Page) {
  await signIn(page)
  await page.getByRole('navigation').getByRole('link', { name: 'Projects' }).click()
  await expectHeading(page, 'Projects')
  await expect(rows(page)).toHaveCount(10)
}

test('search and pages are in the address, and a step back leads to them', async ({ page }) => {
  await openProjects(page)
  await expectNoViolation(page)
  await page.getByRole('link', { name: 'Next' }).click()
  await expect(page).toHaveURL('/projects?page=2')
  await expect(page.getByText('Page 2 of 3')).toBeVisible()

  await page.getByLabel('Search').fill('website')
  await expect(page).toHaveURL('/projects?q=website')
  await expect(rows(page)).toHaveText(['Website relaunch', 'Website in French'])
  await expect(page.getByText('2 projects found')).toBeVisible()

  await page.getByRole('link', { name: 'Website in French' }).click()
  await expectHeading(page, 'Website in French')
  await expect(page).toHaveTitle('Website in French · Vue Silent Refresh')
  await page.goBack()
  await expect(page).toHaveURL('/projects?q=website')
  await expect(page.getByLabel('Search')).toHaveValue('website')
  await expect(rows(page)).toHaveCount(2)
  await page.goBack()
  await expect(page).toHaveURL('/projects?page=2')
  await expect(page.getByLabel('Search')).toHaveValue('')
  await page.reload()
  await expect(page.getByText('Page 2 of 3')).toBeVisible()
})

test('a new project is in the list', async ({ page }) => {
  await openProjects(page)
  await page.getByLabel('Name').fill('Tea')
  await page.keyboard.press('Enter')
  await expect(rows(page).first()).toHaveText('Tea')
  await expect(page.getByText('24 projects')).toBeVisible()
})

test('a project is edited, through an expiry and with errors at its fields', async ({
  page,
  mock,
}) => {
  await openProjects(page)
  await page.getByRole('link', { name: 'Mobile app' }).click()
  await expect(page.getByRole('link', { name: 'Projects' })).toHaveAttribute('aria-current', 'true')
  await mock.control('expire-access')
  await page.getByLabel('Due on').fill('2001-01-01')
  await page.getByRole('button', { name: 'Save' }).click()

  const dueOn = page.getByLabel('Due on')
  await expect(page.getByRole('alert')).toHaveText('Check the fields that are marked.')
  await expect(dueOn).toHaveAccessibleDescription('The project began after this date')
  await expect(dueOn).toHaveAttribute('aria-invalid', 'true')
  await expect(dueOn).toBeFocused()
  await expectNoViolation(page)

  await dueOn.fill('2040-12-31')
  await page.getByLabel('Name').fill('Mobile apps')
  await page.getByLabel('Description').fill('Two of them')
  await page.getByLabel('Status').selectOption('Done')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('status').filter({ hasText: 'Saved.' })).toBeVisible()
  await expect(dueOn).not.toHaveAttribute('aria-invalid')
  await expectHeading(page, 'Mobile apps')
  expect(await mock.count('/api/auth/refresh')).toBe(1)

  await page.getByRole('navigation').getByRole('link', { name: 'Projects' }).click()
  const row = page.getByRole('row', { name: 'Mobile apps' })
  await expect(row).toContainText('Done')
  await expect(row).toContainText('Dec 31, 2040')
})

test('a project is deleted by keyboard, after a question', async ({ page, mock }) => {
  await signIn(page)
  await page.goto('/projects/1002')
  const deleteButton = page.getByRole('button', { name: 'Delete…' })
  await deleteButton.focus()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Delete “Mobile app”?' })
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused()
  await expectNoViolation(page)
  await page.keyboard.press('Escape')
  await expect(dialog).toBeHidden()
  await expect(deleteButton).toBeFocused()
  expect((await mock.log()).filter(({ method }) => method === 'DELETE')).toEqual([])

  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await expect(dialog.getByRole('button', { name: 'Delete' })).toBeFocused()
  await page.keyboard.press('Enter')
  await expectHeading(page, 'Projects')
  await expect(page.getByText('22 projects')).toBeVisible()
  await expect(page.getByRole('link', { name: 'Mobile app', exact: true })).toHaveCount(0)
  await page.goto('/projects/1002')
  await expectHeading(page, 'Project not found')
})

test('a project that is not there says so, without a Retry', async ({ page }) => {
  await signIn(page)
  await page.goto('/projects/none')
  await expectHeading(page, 'Project not found')
  await expect(page).toHaveTitle('Project not found · Vue Silent Refresh')
  await expect(page.getByRole('button', { name: 'Retry' })).toHaveCount(0)
  await expectNoViolation(page)
  await page.getByRole('link', { name: 'All projects' }).click()
  await expectHeading(page, 'Projects')
})

test('another person never sees the list of the last one', async ({ page, mock }) => {
  await openProjects(page)
  await page.getByLabel('Name').fill('Only of demo')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('link', { name: 'Only of demo' })).toBeVisible()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expectHeading(page, 'Sign in')
  await page.getByLabel('Username').fill('admin')
  await page.getByLabel('Password').fill('password')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expectHeading(page, 'Dashboard')
  await mock.control('faults', { path: '/api/projects', times: 5, kind: 'hang' })
  await page.getByRole('navigation').getByRole('link', { name: 'Projects' }).click()
  await expectHeading(page, 'Projects')
  await expect(page.getByText('Only of demo')).toHaveCount(0)
})

test('a page that breaks says so, with a way on, and tells the error tracker', async ({ page }) => {
  await page.addInitScript(() => {
    const heard: unknown[] = []
    Object.assign(globalThis, { heard })
    console.error = (error) => heard.push(String(error))
  })
  await signIn(page)
  await page.route('**/api/projects?*', (route) =>
    route.fulfill({ json: { items: [null], total: 1, page: 1 } }),
  )
  await page.goto('/projects')
  await expectHeading(page, 'Something went wrong')
  await expectNoViolation(page)
  expect(await page.evaluate('heard')).toEqual([expect.stringContaining('TypeError')])

  await page.getByRole('link', { name: 'Back to the start' }).click()
  await expectHeading(page, 'Vue Silent Refresh')
})

test('a page that is slow to come shows a bar after 150 ms', async ({ page }) => {
  await signIn(page)
  let go = () => {}
  const released = new Promise<void>((resolve) => (go = resolve))
  await page.route(/ProjectsView-.*\.js$/, async (route) => {
    await released
    await route.continue()
  })
  await page.getByRole('navigation').getByRole('link', { name: 'Projects' }).click()
  const bar = page.getByRole('progressbar', { name: 'Loading the page' })
  await expect(bar).toBeVisible()
  await expect(bar).toHaveCSS('animation-delay', /^0\.15s/)
  await expectNoViolation(page)
  go()
  await expectHeading(page, 'Projects')
  await expect(bar).toHaveCount(0)
})
