/** What a page loads, and in which order, over HTTP/1.1 and HTTP/2. By order and number, not by time. */
import process from 'node:process'
import type { Page } from '@playwright/test'
import { preview } from 'vite'
import { selfSigned } from '../proof/bench/certificate.ts'
import { expect, REFRESH, signIn, test as base } from './fixtures.ts'

const test = base.extend<object, { secureURL: string }>({
  secureURL: [
    // oxlint-disable-next-line no-empty-pattern -- By the pattern, Playwright knows that it needs nothing.
    async ({}, use) => {
      process.env.API_PROXY_TARGET = '' // Whatever a project's .env says.
      const server = await preview({ preview: { port: 0, https: selfSigned() }, logLevel: 'error' })
      await use(server.resolvedUrls!.local[0]!)
      await server.close()
    },
    { scope: 'worker' },
  ],
})

test.use({ ignoreHTTPSErrors: true })

test.describe('HTTP/1.1', () => {
  loadsInOrder('http/1.1')
})

test.describe('HTTP/2', () => {
  test.use({ baseURL: ({ secureURL }, use) => use(secureURL) })
  loadsInOrder('h2')
})

test('the code of a page waits for no other tab, which may hold the lock for long', async ({
  page,
}) => {
  await signIn(page)
  const other = await page.context().newPage()
  await other.goto('/login')
  await other.evaluate(() => {
    void navigator.locks.request('silent-refresh', () => new Promise(() => {}))
  })
  const asked = watchRequests(page)
  await page.goto('/projects')
  await expect.poll(asked).toContain('/assets/ProjectsView.js')

  expect(asked()).not.toContain(REFRESH) // R1
})

function loadsInOrder(protocol: string): void {
  test('/projects by its address: what every page needs, the refresh, one chunk, the data', async ({
    page,
  }) => {
    await signIn(page)
    const asked = watchRequests(page)
    // Answered when the chunk has been asked for: neither waits for the other.
    await page.route(`**${REFRESH}`, async (route) => {
      await expect.poll(asked).toContain('/assets/ProjectsView.js')
      await route.continue()
    })
    await page.goto('/projects')
    await expect(page.getByRole('row')).not.toHaveCount(0)

    const atOnce = asked().slice(1, 6)
    expect(asked()[0]).toBe('/projects')
    expect(
      atOnce
        .map((path) => path.split('.').at(-1))
        .sort()
        .join(' '),
    ).toBe('css js js js js')
    expect(atOnce).toContain('/assets/pages.js')
    expect(asked().slice(6)).toEqual([REFRESH, '/assets/ProjectsView.js', '/api/projects'])
    expect(await protocolsOf(page)).toEqual([protocol])
  })

  test('/login on a first visit: its chunk, and nothing of the API', async ({ page }) => {
    const asked = watchRequests(page)
    await page.goto('/login')
    await expect(page.getByRole('textbox').first()).toBeVisible()

    expect(asked()).toHaveLength(7)
    expect(asked().at(-1)).toBe('/assets/LoginView.js')
  })
}

/**
 * Returns the paths that the page asks for from now on, in order, without the hashes of the build. The
 * browser asks for the icon by itself, at any time.
 */
function watchRequests(page: Page): () => string[] {
  const paths: string[] = []
  page.on('request', (request) => {
    const path = new URL(request.url()).pathname.replace(/-[\w-]{8}\./, '.')
    if (path !== '/favicon.svg') paths.push(path)
  })
  return () => paths
}

async function protocolsOf(page: Page): Promise<string[]> {
  const all = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .map((entry) => (entry as PerformanceResourceTiming).nextHopProtocol),
  )
  return [...new Set(all)]
}
