/** Every screen, in every state that a person can meet it in. */
import type { Page } from '@playwright/test'
import { expect, expectDashboard, fillNumber, signIn, submitSignIn } from './fixtures.ts'
import type { Mock } from './fixtures.ts'

export interface Screen {
  name: string
  /** Brings the page there. */
  open: (page: Page, mock: Mock) => Promise<void>
}

const NO_PROJECTS = { items: [], total: 0, page: 1 }

const heading = (page: Page, text: string) =>
  expect(page.getByRole('heading', { level: 1, name: text })).toBeVisible()

export const screens: Screen[] = [
  {
    name: 'home',
    async open(page) {
      await page.goto('/')
      await heading(page, 'Vue Silent Refresh')
    },
  },
  {
    name: 'login',
    async open(page) {
      await page.goto('/login')
      await heading(page, 'Sign in')
    },
  },
  {
    name: 'login-refused',
    async open(page) {
      await page.goto('/login')
      await submitSignIn(page, 'demo', 'wrong')
      await expect(page.getByRole('alert')).not.toBeEmpty()
    },
  },
  {
    name: 'login-session-ended',
    async open(page, mock) {
      await signIn(page)
      await mock.control('revoke-sessions')
      await page.goto('/dashboard')
      await expect(page.getByText('Your session has ended')).toBeVisible()
    },
  },
  {
    name: 'dashboard',
    open: (page) => signIn(page, 'admin'),
  },
  {
    name: 'dashboard-loading',
    async open(page, mock) {
      await signIn(page)
      for (const path of ['/api/projects', '/api/notifications', '/api/stats']) {
        await mock.control('faults', { path, times: 1, kind: 'hang' })
      }
      await page.goto('/dashboard')
      await heading(page, 'Dashboard')
    },
  },
  {
    name: 'dashboard-errors',
    async open(page, mock) {
      await signIn(page)
      for (const path of ['/api/projects', '/api/notifications', '/api/stats']) {
        await mock.control('faults', { path, times: 2, status: 500 })
      }
      await page.goto('/dashboard')
      await expect(page.getByRole('button', { name: 'Retry' })).toHaveCount(3)
    },
  },
  {
    name: 'dashboard-empty',
    async open(page) {
      await page.route('**/api/projects?*', (route) => route.fulfill({ json: NO_PROJECTS }))
      await page.route('**/api/notifications', (route) => route.fulfill({ json: [] }))
      await page.goto('/login')
      await submitSignIn(page)
      await expectDashboard(page)
    },
  },
  {
    name: 'projects',
    async open(page) {
      await signIn(page)
      await page.goto('/projects?page=2')
      await expect(page.getByRole('navigation', { name: 'Pages' })).toBeVisible()
    },
  },
  {
    name: 'projects-search',
    async open(page) {
      await signIn(page)
      await page.goto('/projects?q=nothing')
      await expect(page.getByText('0 projects found')).toBeVisible()
    },
  },
  {
    name: 'projects-refused',
    async open(page) {
      await signIn(page)
      await page.goto('/projects')
      await page.route('**/api/projects', (route) =>
        route.fulfill({
          status: 400,
          json: { message: 'No', data: { fields: { name: 'You have one of this name' } } },
        }),
      )
      await page.getByLabel('Name').fill('Tea')
      await page.getByRole('button', { name: 'Add project' }).click()
      await expect(page.getByRole('alert')).not.toBeEmpty()
    },
  },
  {
    name: 'project',
    async open(page) {
      await signIn(page)
      await page.goto('/projects/1001')
      await expect(page.getByLabel('Due on')).toBeVisible()
    },
  },
  {
    name: 'project-errors',
    async open(page) {
      await signIn(page)
      await page.goto('/projects/1001')
      await page.getByLabel('Name').fill(' ')
      await page.getByLabel('Due on').fill('2001-01-01')
      await page.getByRole('button', { name: 'Save' }).click()
      await expect(page.getByRole('alert')).not.toBeEmpty()
    },
  },
  {
    name: 'project-dialog',
    async open(page) {
      await signIn(page)
      await page.goto('/projects/1001')
      await page.getByRole('button', { name: 'Delete…' }).click()
      await expect(page.getByRole('dialog')).toBeVisible()
    },
  },
  {
    name: 'project-missing',
    async open(page) {
      await signIn(page)
      await page.goto('/projects/none')
      await heading(page, 'Project not found')
    },
  },
  {
    name: 'broken',
    async open(page) {
      await page.addInitScript(() => (console.error = () => {}))
      await signIn(page)
      await page.route('**/api/projects?*', (route) =>
        route.fulfill({ json: { items: [null], total: 1, page: 1 } }),
      )
      await page.goto('/projects')
      await heading(page, 'Something went wrong')
    },
  },
  {
    name: 'slow-page',
    async open(page) {
      await signIn(page)
      await page.route(/LabView-.*\.js$/, () => {})
      await page.getByRole('link', { name: 'Lab' }).click()
      await expect(page.getByRole('progressbar')).toBeVisible()
    },
  },
  {
    name: 'admin',
    async open(page) {
      await signIn(page, 'admin')
      await page.goto('/admin')
      await expect(page.getByRole('cell', { name: 'demo' }).first()).toBeVisible()
    },
  },
  {
    name: 'lab',
    async open(page) {
      await signIn(page)
      await page.goto('/lab')
      await heading(page, 'Refresh lab')
    },
  },
  {
    name: 'lab-run',
    async open(page) {
      await signIn(page)
      await page.goto('/lab')
      await page.getByRole('button', { name: 'Expire access token' }).click()
      await expect(page.getByRole('status').last()).not.toBeEmpty()
      await page.getByRole('button', { name: 'Send requests' }).click()
      await expect(page.getByTestId('lab-refreshes')).toHaveText('1')
    },
  },
  {
    name: 'lab-compare',
    async open(page) {
      await signIn(page)
      await page.goto('/lab')
      // A case in which all clients differ.
      await page.getByLabel('What goes wrong').selectOption('Refresh answered 503, twice')
      await fillNumber(page, 'Requests', 5)
      for (const rival of await page.getByRole('switch').all()) await rival.check()
      await page.getByRole('button', { name: 'Send requests' }).click()
      await expect(page.getByTestId('lab-library-refreshes')).toHaveText('3')
    },
  },
  {
    name: 'forbidden',
    async open(page) {
      await signIn(page)
      await page.goto('/admin')
      await heading(page, 'Access denied')
    },
  },
  {
    name: 'not-found',
    async open(page) {
      await page.goto('/no/such/page')
      await heading(page, 'Page not found')
    },
  },
  {
    name: 'unavailable',
    async open(page) {
      await signIn(page)
      await page.route('**/api/auth/refresh', (route) => route.abort())
      await page.goto('/dashboard')
      await heading(page, 'Cannot reach the server')
    },
  },
]
