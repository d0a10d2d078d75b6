/** The refresh lab as journeys use it: what it is told to send, and what it reports. */
import type { Page } from '@playwright/test'
import { expect, expectHeading, openPage } from './fixtures.ts'

export const RESOURCE = '/api/protected-resource'

/** What the lab calls its fields and buttons. */
export const labNames = {
  requests: 'Requests',
  latency: 'API (ms)',
  scenario: 'What goes wrong',
  classic: 'One refresh per 401',
  shared: 'One shared refresh',
  library: 'axios-auth-refresh',
  send: 'Send requests',
  save: 'Save as SVG',
  secondTab: 'Open a second tab',
}

export const NOTHING = 'Nothing: the token as it is'
export const REFUSED = 'Token refused by the server'

export interface Choice {
  scenario?: string
  requests?: number
  /** Whether the client without sharing, the first of the switches, takes part. */
  compare?: boolean
}

/** Opens the lab by the header, as somebody who is signed in. */
export async function openLab(page: Page): Promise<void> {
  await openPage(page, 'Lab')
  await expectHeading(page, 'Refresh lab')
}

export async function choose(page: Page, choice: Choice): Promise<void> {
  const { scenario = NOTHING, requests, compare = false } = choice
  if (requests) await fillNumber(page, labNames.requests, requests)
  await page.getByLabel(labNames.scenario).selectOption(scenario)
  await rival(page, labNames.classic).setChecked(compare)
}

/** The switch of a client that ours is compared with. */
export function rival(page: Page, name: string) {
  return page.getByRole('switch', { name })
}

/** Presses the button, also in a tab that is not in front, and returns at once. */
export async function press(page: Page): Promise<void> {
  await page.getByRole('button', { name: labNames.send }).dispatchEvent('click')
}

export async function send(page: Page, choice: Choice): Promise<void> {
  await choose(page, choice)
  await page.getByRole('button', { name: labNames.send }).click()
}

/** What the lab says of its last run. */
export function report(page: Page) {
  return page.getByRole('main').getByRole('status')
}

export async function expectCounts(page: Page, counts: Record<string, number>): Promise<void> {
  for (const [name, count] of Object.entries(counts)) {
    await expect(page.getByTestId(`lab-${name}`)).toHaveText(String(count))
  }
}

/** Fills in a number. In a stock Firefox, `fill` alone adds to what is there. */
export async function fillNumber(page: Page, label: string, value: number): Promise<void> {
  const field = page.getByLabel(label)
  await field.evaluate((input: HTMLInputElement) => (input.value = ''))
  await field.fill(String(value))
}
