/** Every screen, in every state that a person can meet it in. */
import type { Page } from '@playwright/test'
import { expect, expectDashboard, signIn, submitSignIn } from './fixtures.ts'
import type { Mock } from './fixtures.ts'

export interface Screen {
  name: string
  /** Brings the page there. */
  open: (page: Page, mock: Mock) => Promise<void>
}

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
      await page.route('**/api/{projects,notifications}', (route) => route.fulfill({ json: [] }))
      await page.goto('/login')
      await submitSignIn(page)
      await expectDashboard(page)
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
      await page.getByRole('button', { name: 'Send requests' }).click()
      await expect(page.getByTestId('lab-classic-refreshes')).toHaveText('10')
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
