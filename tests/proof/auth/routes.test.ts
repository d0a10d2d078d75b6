// @vitest-environment node
/** Routes that refuse even fresh tokens (R4): which are closed, for how long, and what opens them. */
import { beforeEach, expect, it } from 'vitest'
import { Routes } from '@/auth/routes.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'
import { createApiClient } from '@/auth/index.ts'
import { createStubApi, ok, unauthorized } from '../../support/api.ts'
import { grantFor, httpError } from '../../support/backend.ts'
import { baseURL, createWorld, openClient } from '../../support/world.ts'

useFakeClock()

let { backend, openTab, signIn, grantAll } = createWorld()

beforeEach(() => {
  ;({ backend, openTab, signIn, grantAll } = createWorld())
})

const refused = expect.objectContaining({ status: 401 })
const isBroken = (path: string) => path.endsWith('/broken')

it('a route that accepts the new token is refreshed for again when that dies', async () => {
  const auth = await signIn()
  const refresh = grantAll()
  const { api, kill } = openClient(auth)
  for (let round = 1; round <= 3; round += 1) {
    kill()
    await expect(api('/notes')).resolves.toEqual({ ok: true })
    expect(refresh).toHaveBeenCalledTimes(round)
  }
})

it('a route that accepted a replay is not held back where others refuse', async () => {
  const auth = await signIn()
  const refresh = grantAll()
  const { api, kill } = openClient(auth, isBroken)
  kill()
  await api('/notes')
  await expect(api('/broken')).rejects.toEqual(refused)
  kill()
  await expect(api('/notes')).resolves.toEqual({ ok: true })
  expect(refresh).toHaveBeenCalledTimes(3)
})

it('a route that always refuses costs ever fewer refreshes, over all tokens', async () => {
  const auth = await signIn()
  const refresh = grantAll()
  const { api } = openClient(auth, isBroken)
  const refreshedAt: number[] = []
  for (let second = 0; second < 600; second += 1) {
    const before = refresh.mock.calls.length
    await expect(api('/broken')).rejects.toEqual(refused)
    if (refresh.mock.calls.length > before) refreshedAt.push(second)
    await elapse(1_000)
  }
  expect(refreshedAt).toEqual([0, 1, 3, 7, 15, 31, 63, 127, 255, 511])
})

it('a route that was repaired is refreshed for again when the token dies', async () => {
  const auth = await signIn()
  const refresh = grantAll()
  let isDown = true
  const { api, kill } = openClient(auth, () => isDown)
  await expect(api('/notes')).rejects.toEqual(refused)
  isDown = false
  await expect(api('/notes')).resolves.toEqual({ ok: true })
  kill()
  await expect(api('/notes')).resolves.toEqual({ ok: true })
  expect(refresh).toHaveBeenCalledTimes(2)
})

it('a route whose token died between refresh and replay recovers within a second', async () => {
  const auth = await signIn()
  const refresh = grantAll()
  const { fetch, sent, arrived } = createStubApi()
  const api = createApiClient({ baseURL, auth, fetch })
  const unlucky = outcome(api('/notes'))
  await arrived(1)
  sent[0]!.answer(unauthorized())
  await arrived(2)
  sent[1]!.answer(unauthorized()) // As when the keys are rotated right then.
  await elapse()
  expect(unlucky.reason).toEqual(refused)
  await elapse(1_000)
  const next = outcome(api('/notes'))
  await arrived(3)
  sent[2]!.answer(unauthorized())
  await arrived(4)
  sent[3]!.answer(ok())
  await elapse()
  expect(next.value).toEqual({ ok: true })
  expect(refresh).toHaveBeenCalledTimes(2)
})

it('an answer to another query of the same path does not open a route', async () => {
  const auth = await signIn()
  const refresh = grantAll()
  const { api } = openClient(auth, (_, search) => search === '?all=1')
  for (let load = 0; load < 10; load += 1) {
    const page = [api('/notes?mine=1'), api('/notes?all=1')]
    expect((await Promise.allSettled(page)).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
    ])
  }
  expect(refresh).toHaveBeenCalledOnce()
})

it('ten loads of three routes that have begun to refuse cost three refreshes', async () => {
  const auth = await signIn()
  const refresh = grantAll()
  let isDown = false
  const { api } = openClient(auth, () => isDown)
  const load = async () => {
    for (const path of ['/a', '/b', '/c']) await api(path).catch(() => {})
    await elapse(1_500)
  }
  await load()
  isDown = true
  await load()
  expect(refresh).toHaveBeenCalledTimes(3)
  for (let n = 0; n < 9; n += 1) await load()
  expect(refresh.mock.calls.length).toBeLessThan(10)
})

it('a call of a broken route costs no second refresh while its replays are unanswered', async () => {
  const auth = await signIn()
  const { fetch, sent, arrived } = createStubApi()
  const api = createApiClient({ baseURL, auth, fetch })
  const calls = [outcome(api('/broken'))]
  await arrived(1)
  sent[0]!.answer(unauthorized())
  await elapse()
  backend.latest('refresh').grant()
  await arrived(2)
  calls.push(outcome(api('/broken')))
  await arrived(3)
  sent[2]!.answer(unauthorized())
  await elapse()
  sent[1]!.answer(unauthorized())
  await elapse()
  expect(calls.map(({ state }) => state)).toEqual(['rejected', 'rejected'])
  expect(backend.count('refresh')).toBe(1)
})

it.each([503, 429])(
  'while refreshes fail with %i, other routes go on with a live token',
  async (status) => {
    const auth = await signIn()
    const { api } = openClient(auth, isBroken)
    const broken = outcome(api('/broken'))
    await elapse()
    const meanwhile = outcome(api('/notes')) // R2: it waits for the refresh.
    await elapse()
    expect(meanwhile.state).toBe('pending')
    backend.latest('refresh').fail(httpError(status))
    await elapse()
    expect(broken.reason).toMatchObject({ status })
    expect(meanwhile.value).toEqual({ ok: true })
    await expect(api('/notes')).resolves.toEqual({ ok: true })
    await expect(api('/broken')).rejects.toMatchObject({ status })
    expect(backend.count('refresh')).toBe(1)
  },
)

it('R3: an API that returns the same token each time costs one refresh for six late 401s', async () => {
  const same = () => ({ ...grantFor(), accessToken: 'constant' })
  const auth = await signIn(undefined, same())
  const { fetch, sent, arrived } = createStubApi()
  const api = createApiClient({ baseURL, auth, fetch })
  const calls = [1, 2, 3, 4, 5, 6].map((n) => outcome(api(`/${n}`)))
  await arrived(6)
  for (const [n, { answer }] of sent.slice(0, 6).entries()) {
    answer(unauthorized())
    await elapse(1)
    if (n === 0) backend.latest('refresh').grant(same())
    await arrived(7 + n)
    sent[6 + n]!.answer(ok())
    await elapse()
  }
  expect(calls.map(({ state }) => state)).toEqual(Array.from({ length: 6 }, () => 'fulfilled'))
  expect(backend.count('refresh')).toBe(1)
})

it('R2: while refreshes fail, a route that rejected the token is sent nothing more with it', async () => {
  const auth = await signIn()
  const { api, paths, kill } = openClient(auth)
  kill()
  const first = outcome(api('/notes'))
  await elapse()
  backend.latest('refresh').fail(httpError(503))
  await elapse()
  expect(first.reason).toMatchObject({ status: 503 })
  await expect(api('/notes')).rejects.toMatchObject({ status: 503 })
  expect(paths).toHaveLength(1)

  await elapse(1_000)
  const next = outcome(api('/notes'))
  await elapse()
  expect(paths).toHaveLength(1)
  backend.latest('refresh').grant()
  await elapse()
  expect(next.value).toEqual({ ok: true })
  expect(paths).toHaveLength(2)
  expect(backend.count('refresh')).toBe(2)
})

it('while refreshes fail, no route goes on with a token past its lifetime', async () => {
  const auth = await signIn()
  const { api, paths } = openClient(auth)
  await elapse(900_000)
  const waiting = outcome(api('/notes'))
  await elapse()
  backend.latest('refresh').fail(httpError(503))
  await elapse()
  expect(waiting.reason).toMatchObject({ status: 503 })
  expect(paths).toEqual([])
})

it('a refresh that helps ends the spacing out', async () => {
  const auth = await signIn()
  const refresh = grantAll()
  let isWorking = false
  const { api, kill } = openClient(auth, () => !isWorking)
  for (let round = 1; round <= 5; round += 1) {
    await expect(api(`/${round}`)).rejects.toEqual(refused)
    await elapse(2 ** (round - 1) * 1_000)
  }
  expect(refresh).toHaveBeenCalledTimes(5)
  isWorking = true
  kill()
  await api('/notes')
  expect(refresh).toHaveBeenCalledTimes(6)

  isWorking = false
  await expect(api('/a')).rejects.toEqual(refused)
  await elapse(1_000)
  await expect(api('/b')).rejects.toEqual(refused)
  expect(refresh).toHaveBeenCalledTimes(8)
})

it('a clock that is set back ends the spacing out', async () => {
  let now = 1e12
  const auth = await signIn(openTab({ now: () => now }))
  const refresh = grantAll()
  const { api } = openClient(auth, () => true)
  await expect(api('/a')).rejects.toEqual(refused)
  now -= 500
  await expect(api('/b')).rejects.toEqual(refused)
  expect(refresh).toHaveBeenCalledTimes(2)
})

it('a replay that another tab saw succeed says nothing against its route', async () => {
  const first = await signIn()
  const second = openTab()
  const restored = second.restore()
  await elapse()
  backend.latest('refresh').grant()
  await restored
  await elapse()
  const refresh = grantAll()
  for (const auth of [first, second]) {
    const { api, kill } = openClient(auth)
    kill()
    await expect(api('/notes')).resolves.toEqual({ ok: true })
    await elapse()
  }
  expect(refresh).toHaveBeenCalledTimes(2)
})

it('R15: two hundred routes are remembered, and the one used longest ago is forgotten', () => {
  let now = 1e12
  const routes = new Routes({ now: () => now, random: () => 0 })
  const refuse = (route: string) => {
    for (let token = 1; token <= 12; token += 1) {
      routes.refreshedFor(route, `token ${token}`)
      routes.answered(route, `token ${token}`, 401)
    }
  }
  for (let n = 1; n <= 200; n += 1) refuse(`GET /${n}`)
  refuse('GET /1') // Known already.
  refuse('GET /201')
  now += 60_000 // Longer than refreshes are spaced out.
  const closed = ['/1', '/2', '/3', '/201'].map((path) => routes.isClosed(`GET ${path}`))
  expect(closed).toEqual([true, false, true, true])
})
