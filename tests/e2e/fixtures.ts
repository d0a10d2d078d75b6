/**
 * What every journey starts from: a mock as at its start, and a console that is watched. And the one
 * place that knows how the screens are laid out, and what their buttons and fields are called.
 */
import { test as base, expect } from '@playwright/test'
import type { APIRequestContext, BrowserContext, Page } from '@playwright/test'
import type { LogEntry } from '../../mock-server/log.ts'

export { expect } from '@playwright/test'

export const names = {
  signIn: 'Sign in',
  signOut: 'Sign out',
  newProject: 'New project',
  username: 'Username',
  password: 'Password',
  retry: 'Retry',
  // demo:start
  tryAgain: 'Try again',
  projectName: 'Name',
  addProject: 'Add project',
  // demo:end
}

export const REFRESH = '/api/auth/refresh'

// demo:start
/** What an engine may do differently: the Firefox project runs these journeys and no others. */
export const everyEngine = { tag: '@every-engine' }
// demo:end

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

  async statuses(path: string): Promise<number[]> {
    return (await this.log(path)).map(({ status }) => status)
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

/** What a browser itself says of a response, and Firefox of a cookie that stays behind. */
const OF_THE_BROWSER = /^(Failed to load resource|Cookie “)/

/** What all tabs of a context complain about: a list that grows. */
export function watchConsole(context: BrowserContext): string[] {
  const said: string[] = []
  const note = (text: string) => {
    if (!OF_THE_BROWSER.test(text)) said.push(text)
  }
  context.on('weberror', (error) => note(String(error.error())))
  context.on('console', (message) => {
    if (['warning', 'error'].includes(message.type())) note(message.text())
  })
  return said
}

/** Fills in the sign-in page that the browser is on. */
export async function submitSignIn(page: Page, username = 'demo', password = 'password') {
  await page.getByLabel(names.username).fill(username)
  await page.getByLabel(names.password).fill(password)
  await page.getByRole('button', { name: names.signIn }).click()
}

/** Signs in and waits for the dashboard and all that it loads. */
export async function signIn(page: Page, username = 'demo') {
  await page.goto('/login')
  await submitSignIn(page, username)
  await expectDashboard(page)
}

/** Signs out by the header, where the button may be in the account menu. */
export async function signOut(page: Page) {
  const menu = accountMenu(page)
  if (await menu.isVisible()) await menu.click()
  await page.getByRole('button', { name: names.signOut }).click()
}

const accountMenu = (page: Page) =>
  page.getByRole('banner').getByRole('button', { name: /account/i })

/** Opens a page by the link in the header. */
export async function openPage(page: Page, name: string) {
  await page.getByRole('banner').getByRole('link', { name, exact: true }).click()
}

/** Opens the start within the app, so that nothing has to be restored. */
export async function goHome(page: Page) {
  await page.getByRole('banner').getByRole('link').first().click()
  await expect(page).toHaveURL('/')
}

// demo:start
/** Adds a project to the dashboard or the list that the browser is on. */
export async function addProject(page: Page, name: string) {
  await page.getByRole('button', { name: names.newProject }).click()
  await page.getByLabel(names.projectName).fill(name)
  await page.getByRole('button', { name: names.addProject }).click()
}

// demo:end
/** The dashboard with all its regions loaded. */
export async function expectDashboard(page: Page) {
  const main = page.getByRole('main')
  await expect(main.getByRole('heading', { level: 1, name: 'Dashboard' })).toBeVisible()
  await expect(main.getByRole('region').first()).toBeVisible()
  await expect(main.getByText('Loading')).toHaveCount(0)
  await expect(main.getByRole('button', { name: names.retry })).toHaveCount(0)
}

/** The page that this heading is of. */
export async function expectHeading(page: Page, heading: string) {
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(heading)
}

// demo:start
/** Tries again as a person does. The page may also come by itself, when the browser is online. */
export async function tryAgainUntil(page: Page, heading: string) {
  const button = page.getByRole('button', { name: names.tryAgain })
  await expect(async () => {
    if (await button.isVisible()) await button.click({ timeout: 500 })
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(heading, { timeout: 500 })
  }).toPass()
}

/** Where the header says who is signed in. */
export const personIn = (page: Page) =>
  page.getByRole('banner').locator('.person').or(accountMenu(page)).first()

/** The header shows this person. */
export async function expectPerson(page: Page, name: string) {
  await expect(personIn(page)).toContainText(name)
}

/** The header shows that nobody is signed in. */
export async function expectNobody(page: Page) {
  await expect(page.getByRole('banner').getByRole('button', { name: 'Theme' })).toBeVisible()
  await expect(personIn(page)).toHaveCount(0)
}
// demo:end
