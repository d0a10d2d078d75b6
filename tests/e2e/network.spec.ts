/** What lies between the page and the server: a connection that goes, and another script's worker. */
import { rm, writeFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'
import { expect, expectDashboard, expectHeading, signIn, test } from './fixtures.ts'

const REFRESH = '/api/auth/refresh'

test('R7: offline and back: the page says so, and loads by itself with one refresh', async ({
  page,
  mock,
  context,
}) => {
  await signIn(page)
  await page.getByRole('link', { name: 'Projects' }).click()
  await expectHeading(page, 'Projects')
  const main = page.getByRole('main')
  await mock.control('expire-access')
  await context.setOffline(true)
  await main.getByRole('searchbox').fill('a')
  await expect(main.getByText('Cannot reach the server')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible()

  await context.setOffline(false)
  await expect(main.getByText('Cannot reach the server')).toHaveCount(0)
  await expect(main.getByRole('table')).toBeVisible()
  expect((await mock.log(REFRESH)).map(({ status }) => status)).toEqual([200])
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

  test('a POST is replayed after one refresh, and a reload keeps the session', async ({
    page,
    mock,
  }) => {
    await register(page)
    await signIn(page)
    await mock.control('expire-access')
    await page.getByLabel('Name').fill('Sent through a worker')
    await page.getByRole('button', { name: 'Add project' }).click()
    const projects = page.getByRole('region', { name: 'Projects' })
    await expect(projects).toContainText('Sent through a worker')
    expect((await mock.log(REFRESH)).map(({ status }) => status)).toEqual([200])

    await page.reload()
    await expectDashboard(page)
    await expect(projects.getByText('Sent through a worker')).toHaveCount(1)
    expect((await mock.log(REFRESH)).map(({ status }) => status)).toEqual([200, 200])
  })

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
