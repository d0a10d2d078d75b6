/** Every screen, in every state that a person can meet it in. */
import type { Page } from '@playwright/test'
import {
  addProject,
  expect,
  expectDashboard,
  names,
  openPage,
  signIn,
  submitSignIn,
} from './fixtures.ts'
import type { Mock } from './fixtures.ts'
import { labNames, report, send } from './lab.ts'

export const people = ['nobody', 'demo', 'admin'] as const

type Person = (typeof people)[number]

export interface Screen {
  name: string
  /** Who is signed in already: `arriveAs`. */
  as: Person
  /** Brings the page there. */
  open: (page: Page, mock: Mock) => Promise<void>
}

export async function arriveAs(page: Page, person: Person): Promise<void> {
  if (person !== 'nobody') await signIn(page, person)
}

const NO_PROJECTS = { items: [], total: 0, page: 1 }

const heading = (page: Page, text: string) =>
  expect(page.getByRole('heading', { level: 1, name: text })).toBeVisible()

export const screens: Screen[] = [
  {
    name: 'home',
    as: 'nobody',
    async open(page) {
      await page.goto('/')
      await heading(page, 'Vue Silent Refresh')
    },
  },
  {
    name: 'login',
    as: 'nobody',
    async open(page) {
      await page.goto('/login')
      await heading(page, 'Sign in')
    },
  },
  {
    name: 'login-refused',
    as: 'nobody',
    async open(page) {
      await page.goto('/login')
      await submitSignIn(page, 'demo', 'wrong')
      await expect(page.getByRole('alert')).not.toBeEmpty()
    },
  },
  {
    name: 'login-session-ended',
    as: 'nobody',
    async open(page, mock) {
      await signIn(page)
      await mock.control('revoke-sessions')
      await page.goto('/dashboard')
      await expect(page.getByText('Your session has ended')).toBeVisible()
    },
  },
  {
    name: 'dashboard',
    as: 'admin',
    async open(page) {
      await page.goto('/dashboard')
      await expectDashboard(page)
    },
  },
  {
    name: 'dashboard-loading',
    as: 'demo',
    async open(page, mock) {
      for (const path of ['/api/projects', '/api/notifications', '/api/stats']) {
        await mock.control('faults', { path, times: 1, kind: 'hang' })
      }
      await page.goto('/dashboard')
      await heading(page, 'Dashboard')
    },
  },
  {
    name: 'dashboard-errors',
    as: 'demo',
    async open(page, mock) {
      for (const path of ['/api/projects', '/api/notifications', '/api/stats']) {
        await mock.control('faults', { path, times: 2, status: 500 })
      }
      await page.goto('/dashboard')
      await expect(page.getByRole('button', { name: names.retry })).toHaveCount(3)
    },
  },
  {
    name: 'dashboard-empty',
    as: 'demo',
    async open(page) {
      await page.route('**/api/projects?*', (route) => route.fulfill({ json: NO_PROJECTS }))
      await page.route('**/api/notifications', (route) => route.fulfill({ json: [] }))
      await page.goto('/dashboard')
      await expectDashboard(page)
    },
  },
  {
    name: 'projects',
    as: 'demo',
    async open(page) {
      await page.goto('/projects?page=2')
      await expect(page.getByRole('navigation', { name: 'Pages' })).toBeVisible()
    },
  },
  {
    name: 'projects-search',
    as: 'demo',
    async open(page) {
      await page.goto('/projects?q=nothing')
      await expect(page.getByText('0 projects found')).toBeVisible()
    },
  },
  {
    name: 'projects-refused',
    as: 'demo',
    async open(page) {
      await page.goto('/projects')
      await page.route('**/api/projects', (route) =>
        route.fulfill({
          status: 400,
          json: { message: 'No', data: { fields: { name: 'You have one of this name' } } },
        }),
      )
      await addProject(page, 'Tea')
      await expect(page.getByRole('alert')).not.toBeEmpty()
    },
  },
  {
    name: 'project',
    as: 'demo',
    async open(page) {
      await page.goto('/projects/1001')
      await expect(page.getByLabel('Due on')).toBeVisible()
    },
  },
  {
    name: 'project-errors',
    as: 'demo',
    async open(page) {
      await page.goto('/projects/1001')
      await page.getByLabel(names.projectName).fill(' ')
      await page.getByLabel('Due on').fill('2001-01-01')
      await page.getByRole('button', { name: 'Save' }).click()
      await expect(page.getByRole('alert')).not.toBeEmpty()
    },
  },
  {
    name: 'project-dialog',
    as: 'demo',
    async open(page) {
      await page.goto('/projects/1001')
      await page.getByRole('button', { name: 'Delete…' }).click()
      await expect(page.getByRole('dialog')).toBeVisible()
    },
  },
  {
    name: 'project-missing',
    as: 'demo',
    async open(page) {
      await page.goto('/projects/none')
      await heading(page, 'Project not found')
    },
  },
  {
    name: 'broken',
    as: 'demo',
    async open(page) {
      await page.addInitScript(() => (console.error = () => {}))
      await page.route('**/api/projects?*', (route) =>
        route.fulfill({ json: { items: [null], total: 1, page: 1 } }),
      )
      await page.goto('/projects')
      await heading(page, 'Something went wrong')
    },
  },
  {
    name: 'slow-page',
    as: 'demo',
    async open(page) {
      await page.goto('/')
      await page.route(/LabView-.*\.js$/, () => {})
      await openPage(page, 'Lab')
      await expect(page.getByRole('progressbar')).toBeVisible()
    },
  },
  {
    name: 'admin',
    as: 'admin',
    async open(page) {
      await page.goto('/admin')
      await expect(page.getByRole('cell', { name: 'demo' }).first()).toBeVisible()
    },
  },
  {
    name: 'lab',
    as: 'demo',
    async open(page) {
      await page.goto('/lab')
      await heading(page, 'Refresh lab')
    },
  },
  {
    name: 'lab-run',
    as: 'demo',
    async open(page) {
      await page.goto('/lab')
      await page.getByRole('button', { name: 'Expire access token' }).click()
      await expect(page.getByRole('status').last()).not.toBeEmpty()
      await page.getByRole('button', { name: labNames.send }).click()
      await expect(page.getByTestId('lab-refreshes')).toHaveText('1')
      await expect(report(page)).toContainText('succeeded')
    },
  },
  {
    name: 'lab-compare',
    as: 'demo',
    async open(page) {
      await page.goto('/lab')
      await page.getByRole('button', { name: labNames.send }).click()
      await expect(page.getByTestId('lab-classic-refreshes')).toHaveText('10')
      await expect(report(page)).toContainText('succeeded')
    },
  },
  {
    name: 'lab-rivals',
    as: 'demo',
    async open(page) {
      await page.goto('/lab')
      await heading(page, 'Refresh lab')
      // A case in which ours differs from all others.
      for (const rival of await page.getByRole('switch').all()) await rival.check()
      await send(page, { scenario: 'Three 401s come late', requests: 5, compare: true })
      // Four runs, one after the other.
      const last = page.getByTestId('lab-library-refreshes')
      await expect(last).toHaveText(/\d/, { timeout: 60_000 })
      await expect(report(page)).toContainText('succeeded')
    },
  },
  {
    name: 'forbidden',
    as: 'demo',
    async open(page) {
      await page.goto('/admin')
      await heading(page, 'Access denied')
    },
  },
  {
    name: 'not-found',
    as: 'nobody',
    async open(page) {
      await page.goto('/no/such/page')
      await heading(page, 'Page not found')
    },
  },
  {
    name: 'unavailable',
    as: 'demo',
    async open(page) {
      await page.route('**/api/auth/refresh', (route) => route.abort())
      await page.goto('/dashboard')
      await heading(page, 'Cannot reach the server')
    },
  },
]
