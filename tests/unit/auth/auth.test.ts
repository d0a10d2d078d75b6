// @vitest-environment node
/** Signing in and out, restoring, and the refresh token in JSON. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { SessionEndedError, createJsonBackend } from '@/auth/index.ts'
import type { AuthEvent, User } from '@/auth/index.ts'
import { ada, bob, grantFor, httpError } from '../../support/backend.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'
import { createWorld, credentials, openClient } from '../../support/world.ts'

useFakeClock()

const SESSION_KEY = 'silent-refresh.session'

let { backend, browser, openTab, signIn } = createWorld()

beforeEach(() => {
  ;({ backend, browser, openTab, signIn } = createWorld())
})

it('R12: a sign-in that is answered after a sign-out changes nothing', async () => {
  const auth = openTab()
  const signedIn = outcome(auth.login(credentials))
  await elapse()
  void auth.logout()
  backend.latest('login').grant()
  await elapse()
  expect(signedIn.reason).toBeInstanceOf(SessionEndedError)
  expect(auth.status.value).toBe('anonymous')
})

it('R13: a sign-out that the API does not know of is told by the next page', async () => {
  const auth = await signIn()
  const signedOut = outcome(auth.logout())
  await elapse()
  backend.latest('logout').fail(httpError(503))
  await elapse()
  expect(signedOut.state).toBe('fulfilled')
  void openTab().restore()
  await elapse()
  expect([backend.count('logout'), backend.count('refresh')]).toEqual([2, 0])
  backend.latest('logout').done()
  await elapse()
  await openTab().restore()
  expect(backend.count('logout')).toBe(2)
})

it('R6: a sign-out that waits for its turn leaves a session alone that has begun meanwhile', async () => {
  const auth = await signIn()
  const other = openTab()
  const signedIn = other.login({ username: 'bob', password: 'secret' })
  await elapse()
  void auth.logout()
  backend.latest('login').grant(grantFor(bob))
  await signedIn
  await elapse(1_000)
  expect([backend.count('logout'), other.user.value]).toEqual([0, bob])
})

it('R6: what a refresh brings of another person begins a session of theirs', async () => {
  const getUser = vi.fn<(token: string) => Promise<User>>(async () => bob)
  const auth = await signIn(openTab({ backend: { ...backend, getUser } }))
  const session = auth.sessions.current()!
  const lost = outcome(auth.login(credentials))
  await elapse()
  backend.latest('login').fail(new TypeError('Failed to fetch'))
  await elapse()
  expect(lost.state).toBe('rejected')
  void outcome(auth.sessions.current()!.nextToken('unauthorized'))
  await elapse()
  backend.latest('refresh').grant({ accessToken: 'of bob', expiresIn: 900 })
  await elapse()
  expect(auth.user.value).toEqual(bob)
  expect(session.ended).toMatchObject({ reason: 'replaced' })
  expect(auth.sessions.current()!.id).not.toBe(session.id)
})

it('a refresh without a user keeps the one that is known, and one with a user replaces it', async () => {
  const getUser = vi.fn<(token: string) => Promise<User>>()
  const auth = await signIn(openTab({ backend: { ...backend, getUser } }))
  const renamed = { ...ada, name: 'Ada L.' }
  for (const user of [undefined, renamed]) {
    void outcome(auth.sessions.current()!.nextToken('unauthorized'))
    await elapse()
    backend.latest('refresh').grant({ ...grantFor(), user })
    await elapse()
    expect(auth.user.value).toEqual(user ?? ada)
  }
  expect(getUser).not.toHaveBeenCalled()
})

it.each([
  { accessToken: 'line\nbreak', expiresIn: 900, user: ada },
  { accessToken: 'a', expiresIn: -1, user: ada },
  '<!doctype html>',
])('R7: %j is no grant, and keeps the session', async (answer) => {
  const auth = await signIn()
  const refreshed = outcome(auth.refresh())
  await elapse()
  backend.latest('refresh').grant(answer)
  await elapse()
  expect(refreshed.reason).toMatchObject({ name: 'InvalidGrantError' })
  expect(auth.status.value).toBe('authenticated')
})

it("restore: 'always' asks the API, and of a visitor no session has ended", async () => {
  const events: AuthEvent[] = []
  const auth = openTab({ restore: 'always', onEvent: (event) => events.push(event) })
  const restored = outcome(auth.restore())
  await elapse()
  backend.latest('refresh').fail(httpError(401))
  await elapse()
  expect([restored.state, auth.status.value, auth.endReason.value]).toEqual([
    'fulfilled',
    'anonymous',
    null,
  ])
  expect(events.map(({ type }) => type)).toEqual(['refresh'])
  expect(browser.storage.has(SESSION_KEY)).toBe(false)
})

it('R14: where nothing can be stored, a new page asks the API all the same', async () => {
  const auth = openTab({ tabs: null })
  void outcome(auth.restore())
  await elapse()
  expect(backend.count('refresh')).toBe(1)
})

it('json mode keeps each refresh token that comes, and none of another person', async () => {
  const stored = new Map<string, string>()
  const storage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
    removeItem: (key: string) => void stored.delete(key),
  }
  const answers: unknown[] = [
    { ...grantFor(), refreshToken: 'first' },
    { ...grantFor(), refreshToken: 'second' },
    { ...grantFor(), refreshToken: 7 },
    grantFor(bob),
  ]
  const fetch: typeof globalThis.fetch = async () => Response.json(answers.shift())
  const json = createJsonBackend({ fetch, storage })
  const kept: (string | undefined)[] = []
  for (const call of ['login', 'refresh', 'refresh', 'login'] as const) {
    if (call === 'login') await json.login(credentials)
    else await json.refresh()
    kept.push([...stored.values()][0])
  }
  expect(kept).toEqual(['first', 'second', 'second', undefined])
})

it('R14: web storage holds no token', async () => {
  const auth = await signIn()
  const stored = JSON.stringify([...browser.storage])
  expect(stored).not.toContain(auth.accessToken.value)
  expect(browser.storage.size).toBe(1)
})

describe('R17: a way out', () => {
  it('a person who is being restored can sign out, and in again', async () => {
    await signIn()
    const auth = openTab()
    const restored = outcome(auth.restore())
    await elapse()
    backend.latest('refresh').fail(httpError(500))
    await elapse()
    expect([restored.state, auth.status.value]).toEqual(['rejected', 'restoring'])
    void auth.logout()
    await elapse()
    expect(auth.status.value).toBe('anonymous')
    backend.latest('logout').fail(httpError(500))
    await elapse()
    await signIn(auth)
    expect(auth.status.value).toBe('authenticated')
  })

  it('a fresh token that getUser refuses ends the session', async () => {
    browser.storage.set(SESSION_KEY, 'x')
    const getUser = async () => Promise.reject(httpError(401))
    const auth = openTab({ backend: { ...backend, getUser } })
    const restored = outcome(auth.restore())
    await elapse()
    backend.latest('refresh').grant({ accessToken: 'a', expiresIn: 900 })
    await elapse()
    expect([restored.state, auth.status.value]).toEqual(['fulfilled', 'anonymous'])
    expect(auth.endReason.value).toBe('expired')
  })
})

describe('tabs: null', () => {
  it('everything works in one tab', async () => {
    const auth = openTab({ tabs: null, restore: 'known' })
    await signIn(auth)
    const first = auth.accessToken.value
    const { api, kill } = openClient(auth)
    kill()
    const answers = Promise.all([api('/a'), api('/b'), api('/c')])
    await elapse()
    backend.latest('refresh').grant()
    await answers
    expect(backend.count('refresh')).toBe(1)
    expect(auth.accessToken.value).not.toBe(first)

    void auth.logout()
    await elapse()
    expect(auth.status.value).toBe('anonymous')
    expect([backend.count('logout'), browser.storage.size]).toEqual([1, 0])
  })
})
