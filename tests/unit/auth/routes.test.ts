// @vitest-environment node
/** R4: which routes are closed, for how long, and what opens them. */
import { beforeEach, describe, expect, it } from 'vitest'
import { createApiClient } from '@/auth/index.ts'
import { Routes } from '@/auth/routes.ts'
import { createStubApi, ok, unauthorized } from '../../support/api.ts'
import { httpError } from '../../support/backend.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'
import { baseURL, createWorld, openClient } from '../../support/world.ts'

useFakeClock()

let { backend, signIn, grantAll } = createWorld()

beforeEach(() => {
  ;({ backend, signIn, grantAll } = createWorld())
})

const refused = { status: 401 }

it('R4: a route that always refuses costs ever fewer refreshes, and a neighbour does not open it', async () => {
  const auth = await signIn()
  const refresh = grantAll()
  const { api } = openClient(auth, (_, search) => search === '?all=1')
  const refreshedAt: number[] = []
  for (let second = 0; second < 130; second += 1) {
    const before = refresh.mock.calls.length
    await api('/notes?mine=1')
    await expect(api('/notes?all=1')).rejects.toMatchObject(refused)
    if (refresh.mock.calls.length > before) refreshedAt.push(second)
    await elapse(1_000)
  }
  expect(refreshedAt).toEqual([0, 1, 3, 7, 15, 31, 63, 127])
})

it('R4: a route that was repaired is refreshed for again when the token dies', async () => {
  const auth = await signIn()
  const refresh = grantAll()
  let isDown = true
  const { api, kill } = openClient(auth, () => isDown)
  await expect(api('/notes')).rejects.toMatchObject(refused)
  isDown = false
  await api('/notes')
  kill()
  await expect(api('/notes')).resolves.toEqual({ ok: true })
  expect(refresh).toHaveBeenCalledTimes(2)
})

it('R4: where all routes have begun to refuse, ten loads of three cost few refreshes', async () => {
  const auth = await signIn()
  const refresh = grantAll()
  let isDown = false
  const { api } = openClient(auth, () => isDown)
  for (let load = 0; load < 10; load += 1) {
    for (const path of ['/a', '/b', '/c']) await api(path).catch(() => {})
    isDown = true
    await elapse(1_500)
  }
  expect(refresh.mock.calls.length).toBeLessThan(10)
})

it('R4: a refresh that helps ends the spacing out', async () => {
  const auth = await signIn()
  const refresh = grantAll()
  let isDown = true
  const { api, kill } = openClient(auth, () => isDown)
  for (let n = 1; n <= 3; n += 1) {
    await expect(api(`/${n}`)).rejects.toMatchObject(refused)
    await elapse(2 ** (n - 1) * 1_000)
  }
  isDown = false
  kill()
  await api('/notes')
  isDown = true
  await expect(api('/a')).rejects.toMatchObject(refused)
  await elapse(1_000)
  await expect(api('/b')).rejects.toMatchObject(refused)
  expect(refresh).toHaveBeenCalledTimes(6)
})

it('R4: a route that needed no refresh does not end the spacing out', () => {
  const routes = new Routes({ now: () => 1e12, random: () => 0 })
  routes.refreshedFor('GET /a', 'token')
  routes.answered('GET /a', 'token', 401)
  routes.answered('GET /b', 'token', 200)
  const closed = ['GET /a', 'GET /b', 'GET /c'].map((route) => routes.isClosed(route))
  expect(closed).toEqual([true, false, true])
})

it('a clock that was set back opens a route', () => {
  let now = 1e12
  const routes = new Routes({ now: () => now, random: () => 0 })
  routes.refreshedFor('GET /notes', 'token')
  routes.answered('GET /notes', 'token', 401)
  expect(routes.isClosed('GET /notes')).toBe(true)
  now -= 1
  expect(routes.isClosed('GET /notes')).toBe(false)
})

it('R15: the route that was used longest ago is forgotten first', () => {
  let now = 1e12
  const routes = new Routes({ now: () => now, random: () => 0 })
  const refuse = (route: string) => {
    for (const token of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
      routes.refreshedFor(route, token)
      routes.answered(route, token, 401)
    }
  }
  for (let n = 1; n <= 200; n += 1) refuse(`GET /${n}`)
  refuse('GET /1')
  refuse('GET /201')
  now += 40_000 // Longer than all routes are closed.
  expect(['/1', '/2', '/3'].map((path) => routes.isClosed(`GET ${path}`))).toEqual([
    true,
    false,
    true,
  ])
})

describe('R4: a route that refuses every token', () => {
  it('costs one refresh, however often it is called', async () => {
    const auth = await signIn()
    const refresh = grantAll()
    const { api } = openClient(auth, (path) => path.endsWith('/broken'))
    for (let n = 0; n < 10; n += 1) {
      await expect(api('/broken')).rejects.toMatchObject({ status: 401 })
      await expect(api('/healthy')).resolves.toEqual({ ok: true })
    }
    expect(refresh).toHaveBeenCalledOnce()
  })

  it('does not make others fail when the refresh fails', async () => {
    const auth = await signIn()
    const refresh = grantAll()
    const { api } = openClient(auth, (path) => path.endsWith('/broken'))
    await expect(api('/broken')).rejects.toMatchObject({ status: 401 })
    refresh.mockRejectedValue(httpError(429))
    await expect(api('/broken')).rejects.toMatchObject({ status: 401 })
    await expect(api('/healthy')).resolves.toEqual({ ok: true })
  })

  it('leaves a token that really died to be refreshed', async () => {
    const auth = await signIn()
    const refresh = grantAll()
    const { api, kill } = openClient(auth, (path) => path.endsWith('/broken'))
    await api('/healthy')
    await expect(api('/broken')).rejects.toMatchObject({ status: 401 })
    kill()
    await expect(api('/healthy')).resolves.toEqual({ ok: true })
    expect(refresh).toHaveBeenCalledTimes(2)
  })

  it('spaces refreshes out where every route refuses', async () => {
    const auth = await signIn()
    const refresh = grantAll()
    const { api } = openClient(auth, () => true)
    for (let n = 0; n < 10; n += 1) {
      await expect(api(`/${n}`)).rejects.toMatchObject({ status: 401 })
    }
    expect(refresh).toHaveBeenCalledOnce()
    await elapse(1_000)
    await expect(api('/later')).rejects.toMatchObject({ status: 401 })
    expect(refresh).toHaveBeenCalledTimes(2)
    await elapse(1_999)
    await expect(api('/too-early')).rejects.toMatchObject({ status: 401 })
    expect(refresh).toHaveBeenCalledTimes(2)
  })

  it('is not blamed for the next token by an answer that comes late', async () => {
    const auth = await signIn()
    const refresh = grantAll()
    const { fetch, sent, arrived } = createStubApi()
    const api = createApiClient({ baseURL, auth, fetch })
    const late = outcome(api('/notes'))
    await arrived(1)
    sent[0]!.answer(unauthorized())
    await arrived(2) // The replay, with the second token.
    await auth.refresh()
    sent[1]!.answer(unauthorized())
    await elapse()
    expect(late.reason).toMatchObject({ status: 401 })

    const next = outcome(api('/notes'))
    await arrived(3)
    sent[2]!.answer(unauthorized()) // Now the third token has died.
    await elapse()
    await arrived(4)
    sent[3]!.answer(ok())
    await elapse()
    expect(next.value).toEqual({ ok: true })
    expect(refresh).toHaveBeenCalledTimes(3)
  })

  it('with refresh: false a 401 is the answer', async () => {
    const auth = await signIn()
    const { api, paths } = openClient(auth, () => true)
    const options = { method: 'POST', refresh: false } as const
    await expect(api('/change-password', options)).rejects.toMatchObject({ status: 401 })
    expect([paths, backend.count('refresh')]).toEqual([['/v1/change-password'], 0])
    expect(auth.sessions.current()!.isAlive()).toBe(true)
  })
})

it('another answer to the token that a route rejected shows that it is good', () => {
  const routes = new Routes({ now: () => 1e12, random: () => 0 })
  routes.refreshFailedFor('GET /notes', 'token')
  expect(routes.needsNewToken('GET /notes', 'token')).toBe(true)
  routes.answered('GET /notes', 'token', 200)
  expect(routes.needsNewToken('GET /notes', 'token')).toBe(false)
})
