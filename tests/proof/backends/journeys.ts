/**
 * What a signed-in person lives through, told once for every API: the real client in a browser of
 * one or two tabs, a real server, and a clock for each of the two.
 */
import { inspect } from 'node:util'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createApiClient, createAuth, SessionEndedError } from '@/auth/index.ts'
import type { AuthBackend } from '@/auth/index.ts'
import { TIME_TO_LAND } from '@/auth/tabs/reload.ts'
import { FakeBrowser } from '../../support/browser.ts'
import { createWire } from './wire.ts'
import type { Sent } from './wire.ts'

/** Access tokens live for 15 minutes, refresh tokens for 7 days, by the API's clock. */
export interface JourneyApi {
  /** Where it is. It has `GET` and `POST /projects`, and the account `demo` with `password`. */
  baseURL: string
  /** The way there. Default: the network. */
  fetch?: typeof globalThis.fetch
  createBackend(baseURL: string, storage: Storage): AuthBackend
  /** What createApiClient is given for a fetch. Default: the global one. */
  clientFetch?: typeof globalThis.fetch
  /** `before`: what was sent before it, where that makes the difference. */
  isRefresh(sent: Sent, before?: Sent): boolean
  /** What is kept where scripts do not get at it. */
  cookies?: Map<string, string>
}

/** In what APIs differ, so that a journey ends differently. */
export interface Traits {
  /** Whether a refresh token that was just replaced is still answered, or never replaced. */
  leeway: boolean
  /** Whether an answer that the page does not get has set its cookie all the same. */
  keepsLostAnswers?: boolean
  /** Whether signing out ends the session for a copy of the refresh token too. */
  revokes: boolean
}

/** Starts an API that tells time by `now`. */
export type OpenApi = (now: () => number) => JourneyApi | Promise<JourneyApi>

export type Journey = Awaited<ReturnType<typeof createJourney>>

export const demo = { username: 'demo', password: 'password' }

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** The network, before a journey takes the place of it. */
const network = globalThis.fetch

/** A browser in front of an API. `latency`: milliseconds that messages between tabs take. */
export async function createJourney(
  open: OpenApi,
  options: { locks?: boolean; latency?: number } = {},
) {
  const clock = { client: Date.UTC(2030, 0, 1), server: Date.UTC(2030, 0, 1) }
  const api = await open(() => clock.server)
  const wire = createWire(api.fetch ?? network, api.isRefresh)
  const browser = new FakeBrowser(options)
  vi.stubGlobal('fetch', wire.fetch)

  function openTab() {
    const auth = createAuth({
      backend: api.createBackend(api.baseURL, storageOf(browser)),
      tabs: browser.openTab(),
      now: () => clock.client,
    })
    const { baseURL, clientFetch } = api
    return { auth, api: createApiClient({ baseURL, auth, fetch: clientFetch }) }
  }

  return {
    ...wire,
    api,
    browser,
    clock,
    openTab,
    async signIn() {
      const tab = openTab()
      await tab.auth.login(demo)
      await messages()
      return tab
    },
    /** Time passes for everybody. */
    elapse(milliseconds: number) {
      clock.client += milliseconds
      clock.server += milliseconds
    },
    /** The API's clock is ahead from now on: what looks alive here is dead there. */
    expireAccess: () => void (clock.server += 16 * MINUTE),
    expireAll: () => void (clock.server += 8 * DAY),
    /** What outlives the page: a copy of all that a thief or a reload would find. */
    rest: () => ({ storage: new Map(browser.storage), cookies: new Map(api.cookies) }),
    putBack({ storage, cookies }: { storage: Map<string, string>; cookies: Map<string, string> }) {
      for (const [key, value] of storage) browser.storage.set(key, value)
      for (const [key, value] of cookies) api.cookies?.set(key, value)
    },
    /** How many things outlive the page, but for the mark that a session has ended: no token, no id. */
    left: () => {
      const isMark = (value: string) => value === 'signed-out' || value === 'expired'
      const stored = [...browser.storage.values()].filter((value) => !isMark(value))
      return stored.length + (api.cookies?.size ?? 0)
    },
  }
}

/** What tabs have told each other so far arrives, and what follows from it happens. */
export async function messages(latency = 0): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, latency + 1))
}

/** localStorage, as all tabs of the profile share it. */
function storageOf({ storage }: FakeBrowser): Storage {
  return {
    getItem: (key: string) => storage.get(key) ?? null,
    setItem: (key: string, value: string) => void storage.set(key, value),
    removeItem: (key: string) => void storage.delete(key),
  } as Storage
}

export function describeJourneys(
  name: string,
  { leeway, keepsLostAnswers = leeway, revokes }: Traits,
  open: OpenApi,
): void {
  describe(`journeys on ${name}`, () => {
    let here: Journey

    beforeEach(async () => {
      here = await createJourney(open)
    })

    it('a person signs in and works', async () => {
      const { auth, api } = await here.signIn()
      expect(auth.user.value).toMatchObject({ username: 'demo' })
      await api('/projects', { method: 'POST', body: { name: 'Harbour' } })
      expect(await api('/projects')).toContainEqual(expect.objectContaining({ name: 'Harbour' }))
      expect(here.refreshes()).toEqual([])
    })

    it('a wrong password rejects, without session or refresh', async () => {
      const { auth } = here.openTab()
      const attempt = auth.login({ ...demo, password: 'wrong' })
      await expect(attempt).rejects.toMatchObject({ status: expect.toBeOneOf([400, 401, 403]) })
      expect(auth.status.value).toBe('anonymous')
      expect(here.refreshes()).toEqual([])
      expect(here.left()).toBe(0)
    })

    it('no error shows a password or a token', async () => {
      const { auth } = here.openTab()
      const errors: unknown[] = []
      const note = (error: unknown) => void errors.push(error)
      await auth.login({ ...demo, password: 'hunter2' }).catch(note)
      await auth.login(demo)
      const secrets = ['hunter2', auth.accessToken.value!, ...here.rest().storage.values()]
      here.breakRefresh(new TypeError('Failed to fetch'))
      await auth.refresh().catch(note)
      here.elapse(1_000)
      here.expireAll()
      await auth.refresh().catch(note)

      expect(errors).toHaveLength(3)
      const shown = inspect(errors, { depth: null, showHidden: true, getters: true })
      for (const secret of secrets) expect(shown).not.toContain(secret)
    })

    it('a wrong password in a session leaves the session as it is', async () => {
      const { auth, api } = await here.signIn()
      const attempt = auth.login({ ...demo, password: 'wrong' })
      await expect(attempt).rejects.toMatchObject({ status: expect.toBeOneOf([400, 401, 403]) })
      here.elapse(16 * MINUTE)
      await api('/projects')
      expect(auth.status.value).toBe('authenticated')
    })

    it('R1: ten calls with a dead token: one refresh, and every call succeeds', async () => {
      const { api } = await here.signIn()
      here.expireAccess()
      const names = Array.from({ length: 10 }, (_, n) => `Project ${n}`)
      const answers = await Promise.all(
        names.map((projectName) =>
          api('/projects', { method: 'POST', body: { name: projectName } }),
        ),
      )
      expect(answers.map(({ name }) => name)).toEqual(names)
      expect(here.refreshes()).toHaveLength(1)
      expect(here.count('POST', '/projects')).toBe(20)
    })

    it('R2: ten calls with a token past its lifetime: one refresh, and nothing is sent twice', async () => {
      const { api } = await here.signIn()
      here.elapse(16 * MINUTE)
      await Promise.all(Array.from({ length: 10 }, () => api('/projects')))
      expect(here.refreshes()).toHaveLength(1)
      expect(here.count('GET', '/projects')).toBe(10)
    })

    it.each([-HOUR, HOUR])(
      'R2: a clock that is wrong by %i ms counts lifetimes right',
      async (skew) => {
        here.clock.client += skew
        const { api } = await here.signIn()
        here.elapse(11 * MINUTE)
        await api('/projects')
        expect(here.refreshes()).toEqual([])
        here.elapse(5 * MINUTE)
        await api('/projects')
        expect(here.refreshes()).toHaveLength(1)
        expect(here.count('GET', '/projects')).toBe(2)
      },
    )

    it('R3: a 401 that comes late leads to no second refresh', async () => {
      const { api } = await here.signIn()
      here.expireAccess()
      const held = here.holdNext()
      const late = api('/projects')
      await held.answered
      await api('/projects')
      held.release()
      await late
      expect(here.refreshes()).toHaveLength(1)
    })

    it('R4: a POST is replayed once, and done once', async () => {
      const { api } = await here.signIn()
      here.expireAccess()
      await api('/projects', { method: 'POST', body: { name: 'Once' } })
      const projects: { name: string }[] = await api('/projects')
      expect(projects.filter(({ name }) => name === 'Once')).toHaveLength(1)
      expect(here.count('POST', '/projects')).toBe(2)
    })

    it('a session lives on over many access tokens', async () => {
      const { api } = await here.signIn()
      for (let hour = 0; hour < 8; hour += 1) {
        here.elapse(HOUR)
        await api('/projects')
      }
      expect(here.refreshes()).toHaveLength(8)
    })

    it.each([
      ['no connection', () => new TypeError('Failed to fetch')],
      ['503', () => new Response('busy', { status: 503 })],
      ['429', () => new Response('', { status: 429, headers: { 'retry-after': '20' } })],
      ['a page where JSON should be', () => new Response('<h1>Welcome</h1>')],
      ['JSON that is no grant', () => Response.json({ status: 'up' })],
    ])('R7: %s keeps the session', async (_, broken) => {
      const { auth, api } = await here.signIn()
      const before = here.rest()
      here.expireAccess()
      here.breakRefresh(broken())
      const failure = await api('/projects').catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(Error)
      expect(failure).not.toBeInstanceOf(SessionEndedError)
      expect(auth.status.value).toBe('authenticated')
      expect(here.rest()).toEqual(before)

      // Within the back-off no other is tried.
      await expect(api('/projects')).rejects.toBe(failure)
      here.elapse(20_000)
      await api('/projects')
      expect(here.refreshes()).toHaveLength(2)
    })

    it('R7: an answer that got lost after the API had replaced the token', async () => {
      const { auth, api } = await here.signIn()
      here.expireAccess()
      here.loseRefresh()
      await expect(api('/projects')).rejects.toThrow('Failed to fetch')
      here.elapse(1_000)
      await api('/projects').catch(() => {})
      expect(auth.status.value).toBe(keepsLostAnswers ? 'authenticated' : 'anonymous')
    })

    it('R8: a refusal ends the session, tells all who wait, and leaves nothing behind', async () => {
      const { auth, api } = await here.signIn()
      here.expireAll()
      const answers = await Promise.allSettled([api('/projects'), api('/projects')])
      for (const answer of answers) {
        expect(answer).toMatchObject({ reason: expect.any(SessionEndedError) })
      }
      expect(here.refreshes()).toHaveLength(1)
      expect(auth.endReason.value).toBe('expired')
      expect(auth.accessToken.value).toBeNull()
      expect(here.left()).toBe(0)
    })

    it('a reload finds the session again by one refresh', async () => {
      await here.signIn()
      const { auth, api } = here.openTab()
      await auth.restore()
      expect(auth.user.value).toMatchObject({ username: 'demo' })
      await api('/projects')
      expect(here.refreshes()).toHaveLength(1)
    })

    it('a visitor who never signed in costs nothing', async () => {
      await here.openTab().auth.restore()
      expect(here.sent).toEqual([])
    })

    it('signing out leaves nothing behind, and a copy is worth what the API makes it', async () => {
      const { auth } = await here.signIn()
      const copy = here.rest()
      await auth.logout()
      await messages()
      expect(auth.status.value).toBe('anonymous')
      expect(here.left()).toBe(0)

      here.putBack(copy)
      const thief = here.openTab()
      await thief.auth.restore()
      expect(thief.auth.isAuthenticated.value).toBe(!revokes)
    })

    it('R12: an answer that comes after sign-out changes nothing', async () => {
      const { auth } = await here.signIn()
      const held = here.holdRefresh()
      const refresh = auth.refresh().catch((error: unknown) => error)
      await held.answered
      await auth.logout()
      held.release()
      await messages()
      expect(await refresh).toBeInstanceOf(SessionEndedError)
      expect(auth.status.value).toBe('anonymous')
      expect(here.left()).toBe(0)
    })

    it('R12: a sign-in that is answered after sign-out leaves nothing behind', async () => {
      const { auth } = here.openTab()
      const held = here.holdNext()
      const signIn = auth.login(demo).catch((error: unknown) => error)
      await held.answered
      await auth.logout()
      held.release()
      await messages()
      expect(await signIn).toBeInstanceOf(SessionEndedError)
      expect(auth.status.value).toBe('anonymous')
      expect(here.left()).toBe(0)
    })

    it('R13: a refusal that comes late does not take the next session along', async () => {
      here = await createJourney(open, { locks: false })
      const [first, second] = [await here.signIn(), here.openTab()]
      await second.auth.restore()
      here.expireAll()
      const held = here.holdRefresh()
      const refused = first.auth.refresh().catch(() => {})
      await held.answered
      here.elapse(TIME_TO_LAND) // The second tab no longer waits for the first.
      await second.auth.login({ username: 'admin', password: 'password' })
      held.release()
      await refused
      await messages()

      here.elapse(16 * MINUTE)
      await second.api('/projects')
      expect(second.auth.user.value).toMatchObject({ username: 'admin' })
    })

    it('R13: two tabs share sign-in, refresh and sign-out', async () => {
      const second = here.openTab()
      const first = await here.signIn()
      expect(second.auth.user.value).toMatchObject({ username: 'demo' })

      here.expireAccess()
      const held = here.holdRefresh()
      const answers = Promise.all([first.api('/projects'), second.api('/projects')])
      const isRejected = ({ auth }: typeof first) => !auth.sessions.current()!.isGood()
      await vi.waitUntil(() => isRejected(first) && isRejected(second), 20_000)
      held.release()
      await answers
      expect(here.refreshes()).toHaveLength(1)

      await second.auth.logout()
      await messages()
      expect(first.auth.status.value).toBe('anonymous')
      expect(first.auth.accessToken.value).toBeNull()
    })

    it('R13: a tab goes on with the refresh token that another one got', async () => {
      const [first, second] = [await here.signIn(), here.openTab()]
      await second.auth.restore()
      for (const tab of [first, second, second, first]) {
        here.elapse(16 * MINUTE)
        await tab.api('/projects')
      }
      expect(here.refreshes()).toHaveLength(5)
      expect(second.auth.status.value).toBe('authenticated')
    })

    it('R13: signing in as somebody else in one tab switches the other', async () => {
      const [first, second] = [await here.signIn(), here.openTab()]
      await second.auth.login({ username: 'admin', password: 'password' })
      await messages()
      expect(first.auth.user.value).toMatchObject({ username: 'admin' })
      here.elapse(16 * MINUTE)
      await first.api('/projects')
      expect(first.auth.user.value).toMatchObject({ username: 'admin' })
    })

    it('R1: without Web Locks, a tab waits for the refresh that another has under way', async () => {
      here = await createJourney(open, { locks: false })
      const [first, second] = [await here.signIn(), here.openTab()]
      await second.auth.restore()
      here.elapse(16 * MINUTE)
      await Promise.all([first.api('/projects'), second.api('/projects')])
      expect(here.refreshes()).toHaveLength(2)
    })

    // With a strict API, only the lock keeps the second one back.
    if (!leeway) return
    it('R13: two tabs that refresh at once without Web Locks keep the session', async () => {
      here = await createJourney(open, { locks: false })
      const [first, second] = [await here.signIn(), here.openTab()]
      await second.auth.restore()
      here.elapse(16 * MINUTE)
      // In two processes, both may find that no refresh is under way.
      const set = vi.spyOn(here.browser.storage, 'set')
      set.mockImplementation(function (this: Map<string, string>, key, value) {
        if (key !== 'silent-refresh.refresh-sent-at') Map.prototype.set.call(this, key, value)
        return this
      })
      await Promise.all([first.api('/projects'), second.api('/projects')])
      expect(here.refreshes()).toHaveLength(3)

      for (const tab of [first, second]) {
        here.elapse(16 * MINUTE)
        await tab.api('/projects')
        await messages()
      }
      const reloaded = here.openTab()
      await reloaded.auth.restore()
      expect(reloaded.auth.isAuthenticated.value).toBe(true)
    })
  })
}
