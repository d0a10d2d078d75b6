// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest'
import DashboardView from '@/views/DashboardView.vue'
import { ada } from '../../support/backend.ts'
import { projectNamed, projectPage } from '../../support/projects.ts'
import {
  click,
  problem,
  screen,
  settled,
  show,
  signedInAs,
  useScreen,
  words,
} from '../../support/screen.ts'

const ACCOUNT = 'GET /api/auth/me'

const api = useScreen()
const account = () => screen.region('Your account')

beforeEach(async () => {
  api.on(ACCOUNT, ada)
  api.on('GET /api/projects', projectPage(projectNamed('Apollo')))
  await signedInAs(ada)
})

describe('The dashboard', () => {
  it('greets by name, and shows the account', async () => {
    const arrive = api.hold(ACCOUNT)
    show(DashboardView)
    await settled()
    expect(screen.has('Welcome, Ada.')).toBe(true)
    expect(screen.has('Loading…', account())).toBe(true)

    await arrive(ada)

    expect(screen.has('user, admin', account())).toBe(true)
    expect(screen.links(screen.region('Projects'))).toEqual(['All projects', 'Apollo'])
  })

  it('says what went wrong, and tries again', async () => {
    api.on(ACCOUNT, () => problem(503))
    show(DashboardView)
    await settled()
    expect(words(screen.status(account()))).toMatch(/^The server has a problem/)
    api.on(ACCOUNT, ada)

    await click(screen.button('Retry'))

    expect(screen.has('user, admin', account())).toBe(true)
  })

  it.each([
    ['is cut off', '{"id":"cut o'],
    ['is no user', '{"sub":1,"username":"ada"}'],
  ])('says that it did not understand an answer that %s', async (_, body) => {
    const headers = { 'content-type': 'application/json' }
    api.on(ACCOUNT, () => new Response(body, { headers }))
    show(DashboardView)
    await settled()

    expect(words(screen.status(account()))).toMatch(/^The server’s answer was not understood/)
  })
})
