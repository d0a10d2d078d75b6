import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect, signIn, test } from './fixtures.ts'
import { screens } from './screens.ts'

for (const { name, open } of screens) {
  test(`axe finds nothing on ${name}, light or dark, and nothing sticks out at 320 px`, async ({
    page,
    mock,
  }) => {
    await open(page, mock)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      const { violations } = await new AxeBuilder({ page }).analyze()
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
    }
    await page.setViewportSize({ width: 320, height: 640 })
    const width = () => page.evaluate(() => document.documentElement.scrollWidth)
    await expect.poll(width).toBeLessThanOrEqual(320)
  })
}

test('a long name sticks out nowhere', async ({ page }) => {
  await signIn(page)
  const name = 'W'.repeat(100)
  await page.getByLabel('Name').fill(name)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('status').filter({ hasText: name })).toBeVisible()

  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 640 })
    const shown = () => page.evaluate(() => document.documentElement.scrollWidth)
    await expect.poll(shown).toBeLessThanOrEqual(width)
  }
})

test('whoever is signed in stands beside the mark, however wide it is', async ({ page }) => {
  const name = 'Ada Augusta King, Countess of Lovelace'
  await page.route('**/api/auth/login', async (route) => {
    const response = await route.fetch()
    const grant = await response.json()
    await route.fulfill({ response, json: { ...grant, user: { ...grant.user, name } } })
  })
  await signIn(page, 'admin')
  await expect(page.getByText(name)).toBeVisible()

  const offsets: { width: number; offset: number }[] = []
  for (let width = 320; width <= 1040; width += 20) {
    await page.setViewportSize({ width, height: 640 })
    const [mark, person] = await Promise.all(
      ['.brand', '.person'].map((part) => page.locator(part).boundingBox()),
    )
    offsets.push({ width, offset: Math.round(mark!.y - person!.y) })
  }
  expect(offsets.filter(({ offset }) => offset !== 0)).toEqual([])
})

test('with forced colours, the switch of the lab shows whether it is on', async ({ page }) => {
  await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' })
  await signIn(page)
  await page.goto('/lab')
  const control = page.getByRole('switch').first()
  const colours = () =>
    control.evaluate((input) =>
      [null, '::before'].map((part) => getComputedStyle(input, part).backgroundColor),
    )
  await control.uncheck()
  const [off, knob] = await colours()
  await control.check()
  const [on, knobOn] = await colours()

  expect([off, knobOn]).not.toContain(on)
  expect(knob).not.toBe(off)
})

test('the first stop of the tab key skips to the content', async ({ page }) => {
  await page.goto('/')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('main')).toBeFocused()
  await expect(page).toHaveURL('/')
})

test('by keyboard alone: sign in, add a project, run the lab, sign out', async ({ page }) => {
  await page.goto('/')
  await page.keyboard.press('Tab')
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused()

  await tabTo(page, 'link', 'Sign in')
  await page.keyboard.press('Enter')
  // A new page is told by its heading.
  await expect(page.getByRole('heading', { level: 1, name: 'Sign in' })).toBeFocused()
  await page.keyboard.press('Tab')
  await page.keyboard.type('demo')
  await page.keyboard.press('Tab')
  await page.keyboard.type('password')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: 'Dashboard' })).toBeFocused()

  await tabTo(page, 'textbox', 'Name')
  await page.keyboard.type('By keyboard')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('region', { name: 'Projects' })).toContainText('By keyboard')

  await tabTo(page, 'link', 'Lab')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: 'Refresh lab' })).toBeFocused()
  await tabTo(page, 'button', 'Send requests')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('lab-sent')).toHaveText('20')

  await tabTo(page, 'button', 'Sign out')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: 'Sign in' })).toBeFocused()
})

/** Goes on by the tab key until it is there; a keyboard trap ends the search. */
async function tabTo(page: Page, role: 'link' | 'button' | 'textbox', name: string) {
  const target = page.getByRole(role, { name, exact: true }).first()
  for (let presses = 0; presses < 60; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`The tab key does not lead to ${role} ${name}.`)
}
