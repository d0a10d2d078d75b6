/** One tab: in and out, a reload, where a link leads, and code that does not come. */
import {
  everyEngine,
  expect,
  expectDashboard,
  expectHeading,
  expectNobody,
  expectPerson,
  names,
  openPage,
  REFRESH,
  signIn,
  signOut,
  submitSignIn,
  test,
  tryAgainUntil,
} from './fixtures.ts'

test(
  'signs in and out; no step back shows what was protected',
  everyEngine,
  async ({ page, mock }) => {
    await page.goto('/')
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    expect(await mock.log(), 'what a first visit asks the API').toEqual([])
    await page.getByRole('link', { name: names.signIn }).first().click()
    await submitSignIn(page)
    await expectDashboard(page)
    await expectPerson(page, 'Demo')
    await openPage(page, 'Lab')
    await expectHeading(page, 'Refresh lab')

    await signOut(page)
    await expect(page).toHaveURL('/login')
    await expectNobody(page)
    await expect.poll(() => mock.count('/api/auth/logout')).toBe(1)

    // Back and forward show nothing protected.
    await page.goBack()
    await expect(page).toHaveURL('/login?redirect=/dashboard')
    await expect(page.getByRole('region')).toHaveCount(0)
    await page.goForward()
    await expectHeading(page, 'Sign in')
    await expect(page.getByRole('region')).toHaveCount(0)

    // And the way back leads out, past what was protected.
    for (const url of ['/login?redirect=/dashboard', '/']) {
      await page.goBack()
      await expect(page).toHaveURL(url)
    }

    // Nor does the cookie bring the session back: a link asks to sign in, and leads on from there.
    await page.goto('/lab?from=mail#top')
    await expectHeading(page, 'Sign in')
    await expect(page.getByRole('status')).not.toContainText('session has ended')
    expect(await mock.count(REFRESH)).toBe(0)
    await submitSignIn(page)
    await expectHeading(page, 'Refresh lab')
    await expect(page).toHaveURL('/lab?from=mail#top')
  },
)

test(
  'R14: a reload keeps the session, and web storage holds no token',
  everyEngine,
  async ({ page, baseURL, mock }) => {
    await signIn(page)
    await mock.control('faults', { path: REFRESH, times: 1, delayMs: 1_000 })
    const order: string[] = []
    page.on('requestfinished', (request) => {
      const { pathname } = new URL(request.url())
      if (/DashboardView.*\.js$/.test(pathname)) order.push('chunk')
      if (pathname === REFRESH) order.push('refresh')
    })
    await page.reload()
    await expectDashboard(page)
    expect(await mock.count(REFRESH)).toBe(1)
    expect(order, 'the chunk of the page does not wait for the refresh').toEqual([
      'chunk',
      'refresh',
    ])

    const [stored, cookies] = await page.evaluate(() => [
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }]),
      document.cookie,
    ])
    expect(stored).not.toContain('eyJ')
    expect(cookies).toBe('')
    const name = `refresh_token_${new URL(baseURL!).port}`
    const cookie = (await page.context().cookies()).find((cookie) => cookie.name === name)
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/api/auth' })
  },
)

test(
  'R16: F5 in mid-refresh keeps the session on a server without a leeway',
  everyEngine,
  async ({ page, mock }) => {
    await signIn(page)
    await mock.control('conditions', { leeway: 0 })
    await mock.control('faults', { path: REFRESH, times: 1, delayMs: 2_500 })
    await Promise.all([page.waitForRequest(`**${REFRESH}`), page.reload({ waitUntil: 'commit' })])
    await page.reload()
    await expectDashboard(page)

    // Neither the answer to the first page nor a token used twice has ended it.
    await page.reload()
    await expectDashboard(page)
    expect(await mock.statuses(REFRESH)).toEqual([200, 200, 200])
  },
)

test('a redirect that leads to no page of the app is not followed', async ({ page }) => {
  // As the browser reads an address. All others are in tests/proof/auth/guard.test.ts.
  for (const redirect of ['//evil.example/', '/%09/evil.example/', 'javascript:alert(1)']) {
    await page.goto(`/login?redirect=${redirect}`)
    await submitSignIn(page)
    await expectDashboard(page)
    await expect(page).toHaveURL('/dashboard')
    await signOut(page)
    await expectHeading(page, 'Sign in')
  }
})

test('a new page starts at its top, a step back where one was, a link at its part', async ({
  page,
}) => {
  await page.setViewportSize({ width: 320, height: 320 })
  await page.goto('/#pattern')
  await expect(page.getByRole('heading', { level: 2 })).toBeInViewport()
  const scrolled = () => page.evaluate(() => Math.round(window.scrollY))
  await expect.poll(scrolled).toBeGreaterThan(0)
  const before = await scrolled()

  await page.evaluate(() => document.querySelector<HTMLElement>('nav a')!.click())
  await expectHeading(page, 'Sign in')
  await expect.poll(scrolled).toBe(0)

  await page.goBack()
  await expectHeading(page, 'Vue Silent Refresh')
  await expect.poll(scrolled).toBe(before)
})

test('a chunk that is gone after a deployment: the page is reloaded, and never twice', async ({
  page,
}) => {
  await signIn(page)
  let missing = 1
  await page.route(/LabView-.*\.js$/, (route) =>
    missing-- > 0 ? route.fulfill({ status: 404, body: '' }) : route.continue(),
  )
  await openPage(page, 'Lab')
  await expectHeading(page, 'Refresh lab')
  await expect(page).toHaveURL('/lab')

  let loads = 0
  page.on('domcontentloaded', () => (loads += 1))
  await page.route(/ProjectsView-.*\.js$/, (route) => route.fulfill({ status: 404, body: '' }))
  await openPage(page, 'Projects')
  await expectHeading(page, 'Cannot reach the server')
  expect(loads).toBe(1)

  await page.unroute(/ProjectsView-.*\.js$/)
  await tryAgainUntil(page, 'Projects')
})
