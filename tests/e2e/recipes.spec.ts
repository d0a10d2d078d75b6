/** The recipe for signed-in tests, where the API lets no refresh token be used twice. */
import { request } from '@playwright/test'
import { expectDashboard, expectHeading, Mock } from './fixtures.ts'
import { test } from '../proof/recipes/signedIn.ts'

// By a context of its own: the fixture `request` is signed in as well. No reset, which would end the
// session: the worker has signed in before this runs.
test.beforeAll(async ({ baseURL }) => {
  const context = await request.newContext({ baseURL })
  await new Mock(context).control('conditions', { leeway: 0 })
  await context.dispose()
})

for (const which of ['first', 'second', 'third']) {
  test(`the ${which} signed-in test of a worker finds its session`, async ({ page }) => {
    await page.goto('/dashboard')
    await expectDashboard(page)
  })
}

// Last, because it ends the session.
test('two that start from one and the same state end the session', async ({
  browser,
  session,
  baseURL,
}) => {
  const { state: storageState } = session
  for (const heading of ['Dashboard', 'Sign in']) {
    const page = await browser.newPage({ storageState, baseURL })
    await page.goto('/dashboard')
    await expectHeading(page, heading)
    await page.close()
  }
})
