/** The demo as a visitor meets it: nothing installed, no server but one of files, the whole template. */
import { test } from '@playwright/test'
import type { Page } from '@playwright/test'
import { expect, expectDashboard, expectHeading, REFRESH } from '../../e2e/fixtures.ts'
import { signOut, submitSignIn, watchConsole } from '../../e2e/fixtures.ts'
import { choose, NOTHING, openLab, press, report } from '../../e2e/lab.ts'
import type { LogEntry } from '../../../mock-server/log.ts'

test('sign in, reload, expire the token, share one refresh between two tabs, sign out of both', async ({
  page,
  context,
}) => {
  const said = watchConsole(context)
  // A deep link, to which the server answers with its page for 404.
  await page.goto('login')
  const banner = page.getByRole('complementary', { name: 'About this demo' })
  await expect(banner).toContainText('its HttpOnly cookie is imitated')
  await submitSignIn(page)
  await expectDashboard(page)
  const stored = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))
  expect(stored).not.toContain('eyJ')

  await page.reload()
  await expectDashboard(page)
  expect(await refreshesIn(page)).toEqual([200])

  const tabs = [page, await context.newPage()]
  await tabs[1]!.goto('projects?q=push')
  await expect(tabs[1]!.getByRole('link', { name: 'Mobile push messages' })).toBeVisible()
  const before = (await refreshesIn(page)).length
  for (const tab of tabs) {
    await openLab(tab)
    await choose(tab, { scenario: NOTHING })
  }
  await page.getByRole('button', { name: 'Expire access token' }).click()
  await expect(report(page)).toContainText('refuses the access token')
  for (const tab of tabs) await press(tab)
  for (const tab of tabs) await expect(report(tab)).toContainText('10 of 10 requests')
  expect((await refreshesIn(page)).length - before).toBe(1)

  await signOut(tabs[1]!)
  for (const tab of tabs) await expectHeading(tab, 'Sign in')
  await page.reload()
  await expectHeading(page, 'Sign in')
  expect(said, 'warnings and errors in the console').toEqual([])
})

test('chromium: a worker that the browser has stopped still knows the session and the projects', async ({
  page,
  context,
}) => {
  await page.goto('login')
  await submitSignIn(page)
  await expectDashboard(page)
  const { name } = await page.evaluate(async () => {
    const refreshed = await fetch('/api/auth/refresh', { method: 'POST' })
    const { accessToken } = await refreshed.json()
    const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ name: 'Kept' })
    return (await fetch('/api/projects', { method: 'POST', headers, body })).json()
  })
  const devtools = await context.newCDPSession(page)
  await devtools.send('ServiceWorker.enable')
  await devtools.send('ServiceWorker.stopAllWorkers')

  await page.goto('projects')
  await expect(page.getByRole('link', { name })).toBeVisible()
  expect(await refreshesIn(page), 'the log is a new one').toEqual([200])
})

/** How the worker answered the refreshes so far: its log is reached from a page alone. */
async function refreshesIn(page: Page): Promise<number[]> {
  const log: LogEntry[] = await page.evaluate(async () => (await fetch('/api/__mock/log')).json())
  return log.filter(({ path }) => path === REFRESH).map(({ status }) => status)
}
