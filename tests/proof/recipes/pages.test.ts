// @vitest-environment happy-dom
/** The recipes that are pages, or live in one: in the whole app, before an API that the test answers for. */
import { useQuery, useQueryCache } from '@pinia/colada'
import { createPinia, setActivePinia } from 'pinia'
import { effectScope } from 'vue'
import type { EffectScope } from 'vue'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RouteRecordRaw } from 'vue-router'
import { installAuthGuard } from '@/auth/index.ts'
import { projectById } from '@/queries/projects.ts'
import { routes } from '@/router/routes.ts'
import { useAuthStore } from '@/stores/auth.ts'
import { ada, bob, grantFor } from '../../support/backend.ts'
import { projectNamed, projectPage } from '../../support/projects.ts'
import {
  click,
  openApp,
  problem,
  screen,
  settled,
  show,
  signedInAs,
  type,
  useScreen,
  words,
} from '../../support/screen.ts'
import { elapse } from '../../support/time.ts'
import { accountRoutes } from './accountRoutes.ts'
import { useIdleSignOut } from './idle.ts'
import { useSetStatus } from './optimistic.ts'
import { usePolling } from './polling.ts'
import { createPrepare, useMenuStore } from './prepare.ts'
import { until } from './test-world.ts'
import { usersRoute } from './usersRoute.ts'

const api = useScreen()
const done = () => new Response(null, { status: 204 })
const pagesOfTheApp = [...routes]
let scope: EffectScope

beforeEach(() => {
  scope = effectScope()
  api.on('POST /api/auth/logout', done)
  api.on('GET /api/projects', projectPage())
})
afterEach(() => {
  scope.stop()
  routes.splice(0, routes.length, ...pagesOfTheApp)
  vi.useRealTimers()
})

/** The app with these pages more. */
async function openAppWith(path: string, ...pages: RouteRecordRaw[]) {
  routes.push(...pages)
  return openApp(path)
}

const heading = () => words(screen.heading())
const sentTo = (what: string) => api.sent.filter((sent) => sent.what === what)

describe('registration', () => {
  const REGISTER = 'POST /api/auth/register'

  async function register() {
    await type('Name', 'Ada')
    await type('Username', 'ada')
    await type('Password', 'secret')
    await click(screen.button('Create account'))
  }

  it('creates an account, signs in and leads to where the person wanted to go', async () => {
    api.on(REGISTER, done)
    api.on('POST /api/auth/login', grantFor(ada))
    const router = await openAppWith('/register?redirect=/projects', ...accountRoutes)
    expect(heading()).toBe('Create an account')
    await register()
    expect(router.currentRoute.value.fullPath).toBe('/projects')
    expect(sentTo(REGISTER)).toMatchObject([
      { body: { name: 'Ada', username: 'ada', password: 'secret' }, token: null },
    ])
  })

  it.each([
    ['this mock', 400, { data: { fields: { username: 'It is taken' } } }],
    ['Laravel', 422, { message: 'Invalid', errors: { username: ['It is taken'] } }],
    ['FastAPI', 422, { detail: [{ loc: ['body', 'username'], msg: 'It is taken' }] }],
  ])('says at its field what is wrong, as %s answers it', async (_, status, body) => {
    api.on(REGISTER, () => Response.json(body, { status }))
    await openAppWith('/register', ...accountRoutes)
    await register()
    expect(screen.problemOf('Username')).toBe('It is taken')
    expect(screen.problemOf('Name')).toBe('')
  })

  it('leads to the sign-in if that fails, because the account is there', async () => {
    api.on(REGISTER, done)
    api.on('POST /api/auth/login', () => problem(503))
    const router = await openAppWith('/register?redirect=/projects', ...accountRoutes)
    await register()
    expect(router.currentRoute.value.fullPath).toBe('/login?redirect=/projects')
  })

  it('is for guests: a signed-in person is sent on', async () => {
    await signedInAs(ada)
    await openAppWith('/register?redirect=/projects', ...accountRoutes)
    expect(heading()).toBe('Projects')
  })
})

describe('a forgotten password', () => {
  const FORGOT = 'POST /api/auth/forgot-password'
  const RESET = 'POST /api/auth/reset-password'

  it('is asked for without a session, and the answer tells nothing', async () => {
    api.on(FORGOT, done)
    await openAppWith('/forgot-password', ...accountRoutes)
    await type('Username', ' ada ')
    await click(screen.button('Send me a link'))
    expect(screen.has('If there is such an account, a link is on its way.')).toBe(true)
    expect(sentTo(FORGOT)).toMatchObject([{ body: { username: 'ada' }, token: null }])
  })

  it('is replaced by the link of the email, whose token does not stay in the address', async () => {
    api.on(RESET, done)
    await signedInAs(bob)
    const router = await openAppWith('/reset-password#secret', ...accountRoutes)
    expect(router.currentRoute.value.fullPath).toBe('/reset-password')
    await type('New password', 'better')
    await click(screen.button('Set the password'))
    expect(sentTo(RESET)).toMatchObject([
      { body: { token: 'secret', password: 'better' }, token: null },
    ])
    expect(router.currentRoute.value.fullPath).toBe('/login')
    expect(useAuthStore().isAuthenticated).toBe(false)
  })

  it('says why the link does not help, and signs nobody out', async () => {
    api.on(RESET, () => problem(400))
    await signedInAs(bob)
    await openAppWith('/reset-password#secret', ...accountRoutes)
    await type('New password', 'better')
    await click(screen.button('Set the password'))
    expect(words(screen.alert())).toBe('Problem 400')
    expect(useAuthStore().isAuthenticated).toBe(true)
  })
})

describe('a page by role', () => {
  const USERS = 'GET /api/admin/users'

  it('is open to those who have the role', async () => {
    api.on(USERS, [ada, bob])
    await signedInAs(ada)
    await openAppWith('/users', usersRoute)
    expect(words(screen.region('All users'))).toContain('Bob')
  })

  it('is closed to others, and asks the API for nothing', async () => {
    await signedInAs(bob)
    await openAppWith('/users', usersRoute)
    expect(heading()).toBe('Access denied')
    expect(api.count(USERS)).toBe(0)
  })

  it('asks a visitor to sign in', async () => {
    const router = await openAppWith('/users', usersRoute)
    expect(router.currentRoute.value.fullPath).toBe('/login?redirect=/users')
  })
})

describe('menus and routes by person', () => {
  const MENU = 'GET /api/menu'
  const people = [{ path: '/people', title: 'People', view: 'UsersView' }]

  async function openPrepared() {
    const router = await openApp('/', { guarded: false })
    installAuthGuard(router, { auth: useAuthStore(), prepare: createPrepare(router) })
    return router
  }

  beforeEach(() => api.on('GET /api/admin/users', [ada]))

  it('are there before the page is entered, also at its own address', async () => {
    api.on(MENU, people)
    await signedInAs(ada)
    const router = await openPrepared()
    await router.push('/people')
    await settled()
    expect(heading()).toBe('Users')
    expect(router.currentRoute.value.meta.title).toBe('People')
    expect(useMenuStore().pages).toEqual(people)
  })

  it('R18: are gone when the next person signs in', async () => {
    api.on(MENU, people)
    await signedInAs(ada)
    const router = await openPrepared()
    await router.push('/projects')
    expect(useMenuStore().pages).toEqual(people)

    api.on(MENU, [])
    await signedInAs(bob)
    await settled()
    expect(useMenuStore().pages).toEqual([])
    await router.push('/people')
    await settled()
    expect(heading()).toBe('Page not found')
  })

  it('of a person who has gone meanwhile are not added', async () => {
    const answer = api.hold(MENU)
    const router = await openPrepared()
    await signedInAs(ada)
    void router.push('/projects')
    await settled()
    await signedInAs(bob)
    await answer(people)
    await answer([])
    await settled()
    expect(heading()).toBe('Projects')
    expect(router.resolve('/people').name).toBe('not-found')
    expect(useMenuStore().pages).toEqual([])
  })
})

describe('an optimistic change', () => {
  const apollo = projectNamed('Apollo', { id: '1002', status: 'planned' })
  const { id } = apollo
  const GET = 'GET /api/projects/1002'
  const PATCH = 'PATCH /api/projects/1002'
  let project: ReturnType<typeof useQuery<typeof apollo>>
  let saving: ReturnType<typeof useSetStatus>

  beforeEach(async () => {
    api.on(GET, apollo)
    await signedInAs(ada)
    show({
      setup() {
        project = useQuery(() => projectById(id))
        saving = useSetStatus()
        return () => null
      },
    })
    await settled()
  })

  it('is shown before the API has answered, and stays', async () => {
    const answer = api.hold(PATCH)
    saving.mutate({ id, status: 'done' })
    await settled()
    expect(project.data.value!.status).toBe('done')
    api.on(GET, { ...apollo, status: 'done' })
    await answer({ ...apollo, status: 'done' })
    expect(project.data.value!.status).toBe('done')
  })

  it('is taken back if the API refuses it, even if the project cannot be loaded again', async () => {
    const answer = api.hold(PATCH)
    saving.mutate({ id, status: 'done' })
    await settled()
    api.on(GET, () => problem(400))
    await answer(problem(400))
    expect(saving.status.value).toBe('error')
    expect(project.data.value!.status).toBe('planned')
  })

  it('is not undone by an answer that was on its way', async () => {
    const answerGet = api.hold(GET)
    void project.refetch().catch(() => {})
    await settled()
    api.hold(PATCH)
    saving.mutate({ id, status: 'done' })
    await answerGet(apollo)
    expect(project.data.value!.status).toBe('done')
  })

  it('that fails does not undo a later one', async () => {
    const answer = api.hold(PATCH)
    saving.mutate({ id, status: 'done' })
    await settled()
    saving.mutate({ id, status: 'active' })
    await settled()
    api.hold(GET)
    await answer(problem(400))
    expect(project.data.value!.status).toBe('active')
  })

  it('R18: of a person who has left brings nothing back', async () => {
    api.hold(PATCH)
    saving.mutate({ id, status: 'done' })
    await settled()
    api.on(GET, () => problem(401))
    void useAuthStore().logout()
    await settled()
    const cached = useQueryCache()
      .getEntries()
      .map(({ state }) => state.value.data)
    expect(cached.filter((data) => data !== undefined)).toEqual([])
  })
})

describe('polling', () => {
  const poll = vi.fn<() => Promise<void>>()
  let isHidden = false

  beforeEach(async () => {
    await signedInAs(ada)
    isHidden = false
    poll.mockReset().mockResolvedValue()
    vi.spyOn(document, 'hidden', 'get').mockImplementation(() => isHidden)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    scope.run(() => usePolling(poll, 1000))
  })

  function hide(hidden: boolean) {
    isHidden = hidden
    document.dispatchEvent(new Event('visibilitychange'))
  }

  it('goes on, also after a failure, and never twice at once', async () => {
    await elapse(999)
    expect(poll).not.toHaveBeenCalled()
    poll.mockRejectedValueOnce(new Error('503'))
    await elapse(1)
    expect(poll).toHaveBeenCalledTimes(1)
    let answer!: () => void
    poll.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)))
    await elapse(1000)
    expect(poll).toHaveBeenCalledTimes(2)
    await elapse(60_000)
    expect(poll).toHaveBeenCalledTimes(2)
    answer()
    await elapse(1000)
    expect(poll).toHaveBeenCalledTimes(3)
  })

  it('rests in a hidden tab, and asks at once when the tab is seen again', async () => {
    hide(true)
    await elapse(60_000)
    expect(poll).not.toHaveBeenCalled()
    hide(false)
    await elapse()
    expect(poll).toHaveBeenCalledTimes(1)
  })

  it('ends with the session, also in a hidden tab, and begins with the next', async () => {
    hide(true)
    await elapse(1000)
    void useAuthStore().logout()
    hide(false)
    await elapse(60_000)
    expect(poll).not.toHaveBeenCalled()
    await signedInAs(bob)
    await elapse(1000)
    expect(poll).toHaveBeenCalledTimes(1)
  })

  it('ends with its component', async () => {
    scope.stop()
    await elapse(60_000)
    expect(poll).not.toHaveBeenCalled()
  })
})

describe('a sign-out after 10 idle minutes', () => {
  const MINUTE = 60_000
  const LIMIT = 10 * MINUTE
  const pages: EffectScope[] = []

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
  })
  afterEach(() => {
    for (const page of pages.splice(0)) page.stop()
  })

  /** A page of this browser, with a store of its own. */
  function openPage() {
    const pinia = createPinia()
    setActivePinia(pinia)
    const page = effectScope()
    pages.push(page)
    const listen = vi.spyOn(window, 'addEventListener')
    page.run(() => useIdleSignOut(10))
    const [, press] = listen.mock.calls.find(([name]) => name === 'keydown')!
    listen.mockRestore()
    const auth = useAuthStore(pinia)
    const end = () => [auth.status, auth.endReason]
    /** A key, in this page alone. */
    return { auth, end, press: press as () => void, close: () => page.stop() }
  }

  it('comes with the notice and the way back of an expiry', async () => {
    await signedInAs(ada)
    scope.run(() => useIdleSignOut(10))
    const router = await openApp('/projects?q=apollo')
    expect(heading()).toBe('Projects')
    await elapse(LIMIT)
    await settled()
    expect(router.currentRoute.value.fullPath).toBe('/login?redirect=/projects?q=apollo')
    expect(screen.has('Your session has ended. Sign in to pick up where you left off.')).toBe(true)
    expect(api.count('POST /api/auth/logout')).toBe(1)
    expect(localStorage.getItem('silent-refresh.session')).toBe('expired')
  })

  it('does not come while somebody works', async () => {
    const { auth } = openPage()
    const press = () => window.dispatchEvent(new Event('keydown'))
    await signedInAs(ada)
    for (let minute = 0; minute < 30; minute += 1) {
      await elapse(MINUTE)
      press()
    }
    expect(auth.isAuthenticated).toBe(true)
  })

  it('comes before the key that ends a night of sleep counts', async () => {
    const { end, press } = openPage()
    await signedInAs(ada)
    vi.setSystemTime(Date.now() + LIMIT) // The timers slept as well.
    press()
    expect(end()).toEqual(['anonymous', 'expired'])
  })

  it('comes when the browser is opened after that time', async () => {
    const first = openPage()
    await signedInAs(ada)
    first.close()
    vi.setSystemTime(Date.now() + LIMIT)
    expect(openPage().end()).toEqual(['anonymous', 'expired'])
  })

  it('does not come when it is opened before that, or to whoever has just signed in', async () => {
    const first = openPage()
    await signedInAs(ada)
    first.close()
    vi.setSystemTime(Date.now() + LIMIT - 1)
    const second = openPage()
    expect(second.end()).toEqual(['restoring', null])
    await second.auth.logout()
    vi.setSystemTime(Date.now() + LIMIT)
    await signedInAs(bob)
    await elapse(MINUTE)
    expect(second.auth.isAuthenticated).toBe(true)
  })

  it('leaves a visitor alone', async () => {
    openPage()
    await elapse(3 * LIMIT)
    expect(api.sent).toEqual([])
  })

  it('counts what is done in any tab, and comes to all of them', async () => {
    const { BroadcastChannel } = process.getBuiltinModule('node:worker_threads')
    vi.stubGlobal('BroadcastChannel', BroadcastChannel)
    const [first, second] = [openPage(), openPage()]
    await signedInAs(ada) // In the second.
    await until(() => first.auth.isAuthenticated)

    await elapse(LIMIT - MINUTE)
    first.press()
    await elapse(LIMIT - MINUTE)
    expect([first.auth.isAuthenticated, second.auth.isAuthenticated]).toEqual([true, true])
    await elapse(2 * MINUTE)
    await until(() => !first.auth.isAuthenticated && !second.auth.isAuthenticated)
    expect([first.auth.endReason, second.auth.endReason]).toEqual(['expired', 'expired'])
  })
})
