/** Runs of the lab in front of the real mock server: what they leave behind, and what is said of them. */
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import type { Plan } from '@/lab/plan.ts'
import { runPlan } from '@/lab/run.ts'
import { reportOf } from '@/lab/verdict.ts'
import { useAuthStore } from '@/stores/auth.ts'
import { createHarness } from '../../support/mock-server.ts'

beforeEach(async () => {
  serveMock()
  const page = new EventTarget()
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
  vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page))
  setActivePinia(createPinia())
  await useAuthStore().login({ username: 'demo', password: 'password' })
})

/** The mock's answers, with a browser's jar for its cookies. */
function serveMock(): void {
  const { app } = createHarness({ now: Date.now })
  const jar = new Map<string, string>()
  vi.stubGlobal('fetch', async (input: RequestInfo | URL, init: RequestInit = {}) => {
    const url = new URL(String(input), 'http://localhost:5173')
    const headers = new Headers(init.headers)
    const keepsCookies = init.credentials !== 'omit'
    if (keepsCookies) headers.set('cookie', [...jar].map((pair) => pair.join('=')).join('; '))
    const response = await app.fetch(new Request(url, { ...init, headers }))
    for (const cookie of keepsCookies ? response.headers.getSetCookie() : []) {
      const [name, value] = cookie.split(';', 1)[0]!.split('=') as [string, string]
      jar.set(name, value)
    }
    return response
  })
}

function run(plan: Partial<Plan>) {
  const fields: Plan = {
    requests: 10,
    apiMs: 0,
    refreshMs: 0,
    scenario: 'refused',
    rivals: ['classic'],
    ...plan,
  }
  const { signal } = new AbortController()
  return runPlan(fields, { tab: 'a', signal, onChange: () => {} })
}

it.each(['refused', 'dead'] as const)(
  'a comparison of “%s” leaves the app’s own token as it is',
  async (scenario) => {
    await run({ scenario })
    const [silent] = await run({ scenario: 'fine', rivals: [] })

    expect(silent!.counts).toMatchObject({ sent: 10, rejected: 0, asked: 0 })
  },
)

it('says of both that they were signed out, where both were', async () => {
  expect(reportOf(await run({ scenario: 'denied' }))).toBe(
    '0 of 10 requests succeeded, and the user was signed out. ' +
      'One refresh per 401: 0 of 10, and the user was signed out.',
  )
})

it('says so of the other one alone, where ours was not', async () => {
  expect(reportOf(await run({ scenario: 'refused' }))).toBe(
    '10 of 10 requests succeeded. ' + 'One refresh per 401: 0 of 10, and the user was signed out.',
  )
})
