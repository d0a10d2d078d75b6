import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { addProject, expect, expectPerson, names, personIn, signIn, test } from './fixtures.ts'
import { labNames } from './lab.ts'
import { arriveAs, people, screens } from './screens.ts'

for (const person of people) {
  test(`axe finds nothing on the screens of ${person}, and nothing sticks out at 320 px`, async ({
    page,
    context,
    mock,
  }) => {
    test.setTimeout(300_000) // Up to twenty screens.
    await arriveAs(page, person)
    await page.close()
    for (const { name, open } of screens.filter((screen) => screen.as === person)) {
      await test.step(name, async () => {
        await mock.control('conditions', {})
        const tab = await context.newPage()
        await open(tab, mock)
        await expectNoViolation(tab, name)
        await tab.close()
      })
    }
  })
}

/** Dark is light with other colours, so it is only these that are looked at twice. */
async function expectNoViolation(page: Page, name: string) {
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
  const light = await new AxeBuilder({ page }).analyze()
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
  const rules = ['color-contrast', 'link-in-text-block']
  const dark = await new AxeBuilder({ page }).withRules(rules).analyze()
  const violations = [...light.violations, ...dark.violations]
  const found = violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])
  expect.soft(found, `axe on ${name}`).toEqual([])

  await page.setViewportSize({ width: 320, height: 640 })
  const width = () => page.evaluate(() => document.documentElement.scrollWidth)
  await expect.soft.poll(width, `the width of ${name}`).toBeLessThanOrEqual(320)
}

test('long names of a project and a person stick out nowhere', async ({ page }) => {
  const name = 'Ada Augusta King, Countess of Lovelace'
  await page.route('**/api/auth/login', async (route) => {
    const response = await route.fetch()
    const grant = await response.json()
    await route.fulfill({ response, json: { ...grant, user: { ...grant.user, name } } })
  })
  await signIn(page, 'admin')
  await expectPerson(page, name)
  const project = 'W'.repeat(100)
  await addProject(page, project)
  await expect(page.getByRole('region', { name: 'Projects' })).toContainText(project)

  for (let width = 320; width <= 1280; width += 40) {
    await page.setViewportSize({ width, height: 640 })
    const shown = () => page.evaluate(() => document.documentElement.scrollWidth)
    await expect.poll(shown).toBeLessThanOrEqual(width)
    const [mark, who] = await Promise.all(
      [page.locator('.brand'), personIn(page)].map((part) => part.boundingBox()),
    )
    expect(Math.round(mark!.y - who!.y), `beside the mark at ${width} px`).toBe(0)
  }
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

test('by keyboard alone: sign in, add a project, run the lab, sign out', async ({ page }) => {
  await page.goto('/')
  await page.keyboard.press('Tab')
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('main')).toBeFocused()
  await expect(page).toHaveURL('/')
  await page.keyboard.press('Shift+Tab')

  await tabTo(page, 'link', names.signIn)
  await page.keyboard.press('Enter')
  // A new page is told by its heading, or by the field that it is there for.
  await expect(page.getByLabel(names.username)).toBeFocused()
  await page.keyboard.type('demo')
  await page.keyboard.press('Tab')
  await page.keyboard.type('password')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: 'Dashboard' })).toBeFocused()

  await tabTo(page, 'button', names.newProject)
  await page.keyboard.press('Enter')
  await expect(page.getByLabel(names.projectName)).toBeFocused()
  await page.keyboard.type('By keyboard')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('region', { name: 'Projects' })).toContainText('By keyboard')

  await tabTo(page, 'link', 'Lab')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: 'Refresh lab' })).toBeFocused()
  await tabTo(page, 'button', labNames.send)
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('lab-sent')).toHaveText('20')

  await tabTo(page, 'button', /^Demo.*account$/)
  await page.keyboard.press('Enter')
  await tabTo(page, 'button', names.signOut)
  await page.keyboard.press('Enter')
  await expect(page.getByLabel(names.username)).toBeFocused()
})

/** Goes on by the tab key until it is there; a keyboard trap ends the search. */
async function tabTo(page: Page, role: 'link' | 'button', name: string | RegExp) {
  const target = page.getByRole(role, { name, exact: true }).first()
  for (let presses = 0; presses < 60; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`The tab key does not lead to ${role} ${name}.`)
}
