// @vitest-environment node
/** Routes that refuse every token (R4): which are remembered, for how long, and in which tabs. */
import { beforeEach, expect, it } from 'vitest'
import { Refusals } from '@/auth/refusals.ts'
import { elapse, useFakeClock } from '../../support/time.ts'
import { createWorld, openClient } from '../../support/world.ts'

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

it('each new token gives a route that refused another chance', async () => {
  const auth = await signIn()
  const refresh = grantAll()
  const { api } = openClient(auth, isBroken)
  await expect(api('/broken')).rejects.toEqual(refused)
  await elapse(60_000)
  await expect(api('/broken')).rejects.toEqual(refused)
  expect(refresh).toHaveBeenCalledOnce()
  await auth.refresh()
  await expect(api('/broken')).rejects.toEqual(refused)
  expect(refresh).toHaveBeenCalledTimes(3)
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
  now -= 3_600_000
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

it('R15: two hundred routes are remembered, then it begins again', () => {
  let now = 0
  const refusals = new Refusals({ now: () => now, random: () => 0 })
  const refuse = (route: string) => {
    refusals.refused(route)
    now += 60_000 // Longer than refreshes are spaced out.
  }
  for (let n = 1; n <= 200; n += 1) refuse(`GET /${n}`)
  refuse('GET /200') // Known already.
  expect(['GET /1', 'GET /200'].map((route) => refusals.isExpected(route))).toEqual([true, true])
  refuse('GET /201')
  expect(['GET /1', 'GET /201'].map((route) => refusals.isExpected(route))).toEqual([false, true])
})
