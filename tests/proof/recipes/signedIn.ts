import { test as base } from '@playwright/test'
import type { BrowserContext } from '@playwright/test'

/** One for each worker: one person's tests may change what another's expect. */
const usernames = ['demo', 'admin']

interface Session {
  state: Awaited<ReturnType<BrowserContext['storageState']>>
}

/** A `test` whose pages are signed in. */
export const test = base.extend<object, { session: Session }>({
  session: [
    async ({ browser }, use, { parallelIndex, project }) => {
      const page = await browser.newPage({ baseURL: project.use.baseURL })
      await page.goto('/login')
      await page.getByLabel('Username').fill(usernames[parallelIndex]!)
      await page.getByLabel('Password').fill('password')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.waitForURL('/dashboard')
      const state = await page.context().storageState()
      await page.close()
      await use({ state })
    },
    { scope: 'worker' },
  ],
  storageState: ({ session }, use) => use(session.state),
  context: async ({ context, session }, use) => {
    await use(context)
    session.state = await context.storageState() // With the refresh token that is valid now.
  },
})
