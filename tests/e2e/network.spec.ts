/** What lies between the page and the server: a connection that goes, and another script's worker. */
import { rm, writeFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'
import {
  addProject,
  everyEngine,
  expect,
  expectDashboard,
  expectHeading,
  expectPerson,
  names,
  openPage,
  REFRESH,
  signIn,
  test,
  tryAgainUntil,
} from './fixtures.ts'

test(
  'R7: offline and back: a page says so, and loads by itself with one refresh',
  everyEngine,
  async ({ page, mock, context }) => {
    await signIn(page)
    await openPage(page, 'Projects')
    await expectHeading(page, 'Projects')
    const main = page.getByRole('main')
    await mock.control('expire-access')
    await context.setOffline(true)
    await main.getByRole('searchbox').fill('a')
    await expect(main.getByText('Cannot reach the server')).toBeVisible()
    await expectPerson(page, 'Demo')

    await context.setOffline(false)
    await expect(main.getByText('Cannot reach the server')).toHaveCount(0)
    await expect(main.getByRole('table')).toBeVisible()
    expect(await mock.statuses(REFRESH)).toEqual([200])
  },
)

test('R7: offline, a page whose code or session is not there yet says so, and comes later', async ({
  page,
  context,
}) => {
  await signIn(page)
  await context.setOffline(true)
  await openPage(page, 'Lab')
  await expectHeading(page, 'Cannot reach the server')
  await expect(page).toHaveURL('/lab')
  await page.getByRole('button', { name: names.tryAgain }).click()
  await expect(page.getByRole('alert')).toContainText('Still no luck')
  await context.setOffline(false)
  await tryAgainUntil(page, 'Refresh lab')

  await page.route('**/api/**', (route) => route.abort('internetdisconnected'))
  await page.goto('/dashboard?tab=2')
  await expectHeading(page, 'Cannot reach the server')
  await page.unroute('**/api/**')
  await tryAgainUntil(page, 'Dashboard')
  await expectDashboard(page)
  await expect(page).toHaveURL('/dashboard?tab=2')
})

test.describe('with a service worker of another app on this origin', () => {
  const FILE = 'dist/foreign-worker.js'

  test.beforeEach(async () => {
    await writeFile(
      FILE,
      `addEventListener('install', () => skipWaiting())
       addEventListener('activate', (event) => event.waitUntil(clients.claim()))
       addEventListener('fetch', (event) => event.respondWith(fetch(event.request)))`,
    )
  })

  test.afterEach(() => rm(FILE))

  test(
    'a POST is replayed after one refresh, and a reload keeps the session',
    everyEngine,
    async ({ page, mock }) => {
      await register(page)
      await signIn(page)
      await mock.control('expire-access')
      await addProject(page, 'Sent through a worker')
      const projects = page.getByRole('region', { name: 'Projects' })
      await expect(projects).toContainText('Sent through a worker')
      expect(await mock.statuses(REFRESH)).toEqual([200])

      await page.reload()
      await expectDashboard(page)
      await expect(projects.getByText('Sent through a worker')).toHaveCount(1)
      expect(await mock.statuses(REFRESH)).toEqual([200, 200])
    },
  )

  async function register(page: Page): Promise<void> {
    // The policy of this app lets no script do it.
    const html = { contentType: 'text/html', body: '<title>Another app</title>' }
    await page.route('/another-app', (route) => route.fulfill(html))
    await page.goto('/another-app')
    await page.evaluate(async () => {
      await navigator.serviceWorker.register('/foreign-worker.js')
      if (navigator.serviceWorker.controller) return
      await new Promise((resolve) => {
        navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true })
      })
    })
  }
})
