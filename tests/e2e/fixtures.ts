/** What every journey starts from: a mock as at its start, and a console that is watched. */
import { test as base, expect } from '@playwright/test'
import type { APIRequestContext, BrowserContext, Page } from '@playwright/test'
import type { LogEntry } from '../../mock-server/log.ts'

export { expect } from '@playwright/test'

/** The controls of the mock, and its log. */
export class Mock {
  readonly #request: APIRequestContext

  constructor(request: APIRequestContext) {
    this.#request = request
  }

  async control(name: string, data?: object): Promise<void> {
    const response = await this.#request.post(`/api/__mock/${name}`, { data })
    expect(response.ok()).toBe(true)
  }

  /** The entries of the log for a path, or all. */
  async log(path?: string): Promise<LogEntry[]> {
    const response = await this.#request.get('/api/__mock/log')
    const entries = (await response.json()) as LogEntry[]
    return path ? entries.filter((entry) => entry.path === path) : entries
  }

  async count(path: string): Promise<number> {
    return (await this.log(path)).length
  }
}

export const test = base.extend<{ mock: Mock; watchedConsole: void }>({
  mock: [
    async ({ request }, use) => {
      const mock = new Mock(request)
      await mock.control('reset')
      await use(mock)
    },
    { auto: true },
  ],
  watchedConsole: [
    async ({ page }, use) => {
      const said = watchConsole(page.context())
      await use()
      expect(said, 'warnings and errors in the console').toEqual([])
    },
    { auto: true },
  ],
})

/** What all tabs of a context complain about: a list that grows. */
export function watchConsole(context: BrowserContext): string[] {
  const said: string[] = []
  context.on('weberror', (error) => said.push(String(error.error())))
  context.on('console', (message) => {
    const isOurs = !message.text().startsWith('Failed to load resource')
    if (['warning', 'error'].includes(message.type()) && isOurs) said.push(message.text())
  })
  return said
}

/** Fills in the sign-in page that the browser is on. */
export async function submitSignIn(page: Page, username = 'demo', password = 'password') {
  await page.getByLabel('Username').fill(username)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** Signs in and waits for the dashboard and all that it loads. */
export async function signIn(page: Page, username = 'demo') {
  await page.goto('/login')
  await submitSignIn(page, username)
  await expectDashboard(page)
}

/** Fills in a number. In a stock Firefox, `fill` alone adds to what is there. */
export async function fillNumber(page: Page, label: string, value: number) {
  const field = page.getByLabel(label)
  await field.evaluate((input: HTMLInputElement) => (input.value = ''))
  await field.fill(String(value))
}

/** The dashboard with all its regions loaded. */
export async function expectDashboard(page: Page) {
  const main = page.getByRole('main')
  await expect(main.getByRole('heading', { level: 1, name: 'Dashboard' })).toBeVisible()
  await expect(main.getByRole('region').first()).toBeVisible()
  await expect(main.getByText('Loading')).toHaveCount(0)
  await expect(main.getByRole('button', { name: 'Retry' })).toHaveCount(0)
}

/** The page that this heading is of. */
export async function expectHeading(page: Page, heading: string) {
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(heading)
}
