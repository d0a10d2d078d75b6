/** A session over several access tokens, as the person who uses the app sees it. */
import {
  addProject,
  everyEngine,
  expect,
  expectDashboard,
  openPage,
  REFRESH,
  signIn,
  test,
} from './fixtures.ts'
import { openLab } from './lab.ts'

test(
  'nobody notices an expiry, by whatever it comes to light',
  everyEngine,
  async ({ page, mock }) => {
    await page.clock.install()
    await signIn(page)
    await openLab(page)

    // R1: three calls at once are rejected.
    await mock.control('expire-access')
    await openPage(page, 'Dashboard')
    await expectDashboard(page)
    expect(await mock.statuses(REFRESH)).toEqual([200])

    // R4: a POST is rejected: it is sent once more, and stored once.
    await mock.control('expire-access')
    await addProject(page, 'Once only')
    const stored = page.getByRole('link', { name: 'Once only' })
    await expect(stored).toBeVisible()
    const posts = (await mock.log('/api/projects')).filter(({ method }) => method === 'POST')
    expect(posts.map(({ status }) => status)).toEqual([401, 201])
    await page.reload()
    await expectDashboard(page)
    await expect(stored).toHaveCount(1)
    expect(await mock.statuses(REFRESH)).toEqual([200, 200, 200])

    // R2: dead by the clock: no call is rejected.
    await openLab(page)
    const before = await mock.log()
    await page.clock.fastForward('16:00')
    await openPage(page, 'Dashboard')
    await expectDashboard(page)
    const sent = (await mock.log()).slice(before.length)
    expect(sent.filter(({ path }) => path === REFRESH)).toHaveLength(1)
    expect(sent.filter(({ status }) => status === 401)).toEqual([])

    // In its last stretch: the token is sent, and nobody waits for the next one.
    await openLab(page)
    await mock.control('faults', { path: REFRESH, times: 1, kind: 'hang' })
    await page.clock.fastForward('14:30')
    await openPage(page, 'Dashboard')
    await expectDashboard(page)
    await expect.poll(() => mock.count(REFRESH)).toBe(5)
  },
)
