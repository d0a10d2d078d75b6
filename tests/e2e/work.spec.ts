/** Nothing that a person typed is lost, and nothing of it is left for the next one. */
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import {
  everyEngine,
  expect,
  expectDashboard,
  expectHeading,
  signIn,
  signOut,
  submitSignIn,
  test,
} from './fixtures.ts'

const description = (page: Page) => page.getByLabel('Description')
const stored = (page: Page) => page.evaluate(() => JSON.stringify({ ...sessionStorage }))
const question = (page: Page) => page.getByRole('dialog', { name: 'Discard unsaved changes?' })

/** A project in whose form something is typed. */
async function openTyped(page: Page) {
  await signIn(page)
  await page.getByRole('navigation').getByRole('link', { name: 'Projects' }).click()
  await page.getByRole('link', { name: 'Mobile app' }).click()
  await expectHeading(page, 'Mobile app')
  await description(page).fill('Half a sen')
}

test(
  'R19: what is typed is back after a reload, before which the browser asks',
  everyEngine,
  async ({ page }) => {
    await openTyped(page)
    const asked: string[] = []
    page.on('dialog', (dialog) => {
      asked.push(dialog.type())
      void dialog.accept()
    })

    await page.reload()

    await expect(description(page)).toHaveValue('Half a sen')
    await expect(page.getByText('Your unsaved changes are back.')).toBeVisible()
    expect(asked).toEqual(['beforeunload'])
    await page.getByRole('button', { name: 'Save' }).click()
    await expect(page.getByText('Saved.')).toBeVisible()
    await page.reload()
    await expect(description(page)).toHaveValue('Half a sen')
    await expect(page.getByText('Your unsaved changes are back.')).toHaveCount(0)
    expect(asked).toHaveLength(1)
    expect(await stored(page)).not.toContain('Half a sen')
  },
)

test('R19: what is typed is back after the tab crashes', async ({ page }) => {
  await openTyped(page)
  const crashed = page.waitForEvent('crash')
  const devtools = await page.context().newCDPSession(page)
  devtools.send('Page.crash').catch(() => {}) // Nobody is left to answer.
  await crashed

  // As by the button of the page that the browser shows in its place. Playwright's own page is lost.
  await devtools.send('Page.reload')
  const expression = `document.querySelector('textarea')?.value`
  const typed = async () => (await devtools.send('Runtime.evaluate', { expression })).result.value
  await expect.poll(typed).toBe('Half a sen')
})

test('R19: what is typed when the session ends is back for the same person', async ({
  page,
  mock,
}) => {
  await openTyped(page)
  await mock.control('revoke-sessions')
  await mock.control('expire-access')
  await page.getByRole('button', { name: 'Save' }).click()
  await expectHeading(page, 'Sign in')
  await expect(page.getByText('Sign in to pick up where you left off.')).toBeVisible()

  await submitSignIn(page)

  await expectHeading(page, 'Mobile app')
  await expect(description(page)).toHaveValue('Half a sen')
})

test('R18: what is typed when the session ends is gone for anybody else', async ({
  page,
  mock,
}) => {
  await openTyped(page)
  await mock.control('revoke-sessions')
  await mock.control('expire-access')
  await page.getByRole('button', { name: 'Save' }).click()
  await expectHeading(page, 'Sign in')

  await submitSignIn(page, 'admin')

  await expect(page.getByRole('main').getByRole('heading').first()).not.toHaveText('Sign in')
  expect(await stored(page)).not.toContain('Half a sen')
})

test(
  'R19: a sign-out asks first, by keyboard, and leaves nothing',
  everyEngine,
  async ({ page, mock }) => {
    await openTyped(page)
    await signOut(page)
    await expect(question(page).getByRole('button', { name: 'Keep editing' })).toBeFocused()
    await page.emulateMedia({ reducedMotion: 'reduce' })
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations).toEqual([])
    await page.keyboard.press('Escape')
    await expect(question(page)).toHaveCount(0)
    await expect(description(page)).toHaveValue('Half a sen')
    expect(await mock.count('/api/auth/logout')).toBe(0)

    await signOut(page)
    await question(page).getByRole('button', { name: 'Discard' }).click()
    await expectHeading(page, 'Sign in')
    expect(await mock.count('/api/auth/logout')).toBe(1)
    expect(await stored(page)).not.toContain('Half a sen')
  },
)

test('R19: a step back asks first, and the address is that of the page', async ({ page }) => {
  await openTyped(page)
  const address = page.url()

  await page.goBack()
  await question(page).getByRole('button', { name: 'Keep editing' }).click()
  await expect(page).toHaveURL(address)
  await expect(description(page)).toHaveValue('Half a sen')

  await page.goBack()
  await question(page).getByRole('button', { name: 'Discard' }).click()
  await expectHeading(page, 'Projects')
})

test('R19: what is typed stays in view without a network', async ({ page, context }) => {
  await openTyped(page)
  await context.setOffline(true)
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('alert')).toContainText('Cannot reach the server.')
  await expect(page.getByRole('button', { name: 'Retry' })).toBeVisible()
  await expect(description(page)).toHaveValue('Half a sen')

  await context.setOffline(false)
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Saved.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Retry' })).toHaveCount(0)
})

test(
  'R19: a sign-out in another tab leads to the sign-in without a question',
  everyEngine,
  async ({ page, context }) => {
    await openTyped(page)
    const other = await context.newPage()
    await other.goto('/dashboard')
    await expectDashboard(other)

    await signOut(other)

    await expectHeading(page, 'Sign in')
    await expect(question(page)).toHaveCount(0)
    expect(await stored(page)).not.toContain('Half a sen')
  },
)

test('R18: no address of a person is left in storage after they sign out', async ({ page }) => {
  await signIn(page)
  await page.getByRole('navigation').getByRole('link', { name: 'Projects' }).click()
  await page.getByLabel('Search').fill('website')
  await expect(page).toHaveURL('/projects?q=website')
  await page.getByRole('link', { name: 'Website in French' }).click()
  await expectHeading(page, 'Website in French')
  expect(await stored(page)).toContain('website')

  await signOut(page)
  await expectHeading(page, 'Sign in')
  expect(await stored(page)).not.toContain('website')
  await page.reload()
  await expectHeading(page, 'Sign in')
  expect(await stored(page)).not.toContain('website')
})

test('one person who signs in in two tabs at a slow API sees all of the dashboard in both', async ({
  page,
  context,
  mock,
}) => {
  const other = await context.newPage()
  for (const tab of [page, other]) await tab.goto('/login')
  for (const path of ['/api/stats', '/api/notifications', '/api/projects']) {
    await mock.control('faults', { path, times: 4, delayMs: 2000 })
  }
  await mock.control('faults', { path: '/api/auth/login', times: 1, delayMs: 1000 })

  // The second one waits for the first, and cuts off what that has begun to load.
  await submitSignIn(page)
  await submitSignIn(other)

  for (const tab of [page, other]) await expectDashboard(tab)
  expect(await mock.count('/api/auth/login')).toBe(2)
})
