/** The example resource: list, search, pages, details, a form and a dialog. */
import type { Page } from '@playwright/test'
import { expect, expectHeading, openPage, REFRESH, signIn, test } from './fixtures.ts'

const rows = (page: Page) => page.getByRole('row').locator('th[scope=row]')

async function openProjects(page: Page) {
  await signIn(page)
  await openPage(page, 'Projects')
  await expectHeading(page, 'Projects')
  await expect(rows(page)).toHaveCount(10)
}

/** Holds a script back until the function that this returns is called. */
async function holdCode(page: Page, path: RegExp): Promise<() => void> {
  let arrive = () => {}
  const arrived = new Promise<void>((resolve) => (arrive = resolve))
  await page.route(path, async (route) => {
    await arrived
    await route.continue()
  })
  return arrive
}

test('search and pages are in the address, and a step back leads to them', async ({ page }) => {
  const arrive = await holdCode(page, /ProjectsView-.*\.js$/)
  await signIn(page)
  await openPage(page, 'Projects')
  const bar = page.getByRole('progressbar', { name: 'Loading the page' })
  await expect(bar).toBeVisible()
  await expect(bar, 'not for a page that comes at once').toHaveCSS('animation-delay', /^0\.15s/)
  arrive()
  await expectHeading(page, 'Projects')
  await expect(bar).toHaveCount(0)
  await page.getByRole('link', { name: 'Next' }).click()
  await expect(page).toHaveURL('/projects?page=2')
  await expect(page.getByText('11–20 of 23')).toBeVisible()

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
  await expect(page.getByText('11–20 of 23')).toBeVisible()
})

test('a project is edited, through an expiry and with errors at its fields', async ({
  page,
  mock,
}) => {
  await openProjects(page)
  await page.getByRole('link', { name: 'Mobile app' }).click()
  const inHeader = page.getByRole('banner').getByRole('link', { name: 'Projects' })
  await expect(inHeader).toHaveAttribute('aria-current', 'true')
  await mock.control('expire-access')
  await page.getByLabel('Due on').fill('2001-01-01')
  await page.getByRole('button', { name: 'Save' }).click()

  const dueOn = page.getByLabel('Due on')
  await expect(page.getByRole('alert')).toHaveText('Check the fields that are marked.')
  await expect(dueOn).toHaveAccessibleDescription('The project began after this date')
  await expect(dueOn).toHaveAttribute('aria-invalid', 'true')
  await expect(dueOn).toBeFocused()

  await dueOn.fill('2040-12-31')
  await page.getByLabel('Name').fill('Mobile apps')
  await page.getByLabel('Description').fill('Two of them')
  await page.getByLabel('Status').selectOption('Done')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('status').filter({ hasText: 'Saved.' })).toBeVisible()
  await expect(dueOn).not.toHaveAttribute('aria-invalid')
  await expectHeading(page, 'Mobile apps')
  expect(await mock.count(REFRESH)).toBe(1)

  await openPage(page, 'Projects')
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
