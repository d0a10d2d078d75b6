// @vitest-environment node
/** What a call does with a token that is suspect, old or gone, and when a refresh may be sent. */
import { beforeEach, expect, it } from 'vitest'
import { SessionEndedError, createApiClient } from '@/auth/index.ts'
import { createStubApi, ok, unauthorized } from '../../support/api.ts'
import { grantFor, httpError } from '../../support/backend.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'
import { baseURL, createWorld, openClient } from '../../support/world.ts'

useFakeClock()

let { backend, openTab, signIn, grantAll } = createWorld()

beforeEach(() => {
  ;({ backend, openTab, signIn, grantAll } = createWorld())
})

const isBroken = (path: string) => path.endsWith('/broken')

it('R2, R4: a rejected token is held back while it is replaced, and sent if that fails', async () => {
  const auth = await signIn()
  const { api, paths } = openClient(auth, isBroken)
  const broken = outcome(api('/broken'))
  await elapse()
  const healthy = outcome(api('/healthy'))
  await elapse()
  expect(paths).toEqual(['/v1/broken'])
  backend.latest('refresh').fail(httpError(503))
  await elapse()
  expect(broken.reason).toMatchObject({ status: 503 })
  expect(healthy.value).toEqual({ ok: true })
})

it('in the last stretch of its life a token is sent while the next one is fetched', async () => {
  const auth = await signIn()
  const { api } = openClient(auth)
  await elapse(839_999)
  await api('/notes')
  expect(backend.count('refresh')).toBe(0)
  await elapse(1)
  await api('/notes') // Nobody waits.
  expect(backend.count('refresh')).toBe(1)
  const { user } = auth
  const before = user.value
  backend.latest('refresh').grant()
  await elapse()
  expect(user.value).toBe(before) // No watcher fires for the same person.
  await elapse(839_999)
  await api('/notes')
  expect(backend.count('refresh')).toBe(1)
})

it('R7: the last stretch is another for each client, and short in a short life', async () => {
  const renewsAfter = async (random: number, expiresIn: number) => {
    const auth = openTab({ random: () => random })
    await signIn(auth, grantFor(undefined, expiresIn))
    return (auth.accessTokenRenewsAt.value! - Date.now()) / 1000
  }
  expect(await renewsAfter(0, 900)).toBe(840)
  expect(await renewsAfter(1, 900)).toBe(720)
  expect(await renewsAfter(1, 60)).toBe(48)
})

it.each([
  [{ 'retry-after': '120' }, [120_000, 120_000]],
  [{ 'retry-after': '86400' }, [3_600_000]],
  [
    { date: 'Thu, 01 Jan 2026 00:00:00 GMT', 'retry-after': 'Thu, 01 Jan 2026 00:02:00 GMT' },
    [120_000],
  ],
  [{}, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]],
])('R7: after failures with the headers %j refreshes pause for %j ms', async (headers, pauses) => {
  const auth = await signIn()
  const { api } = openClient(auth)
  await elapse(900_000)
  for (const [n, pause] of (pauses as number[]).entries()) {
    const failed = outcome(api('/notes'))
    await elapse()
    expect(backend.count('refresh')).toBe(n + 1)
    backend.latest('refresh').fail(httpError(503, headers as Record<string, string>))
    await elapse()
    expect(failed.reason).toMatchObject({ status: 503 })
    await elapse(pause - 1)
    await expect(api('/notes')).rejects.toMatchObject({ status: 503 })
    expect(backend.count('refresh')).toBe(n + 1)
    await elapse(1)
  }
})

it('R7: a success forgets the failures before it', async () => {
  const auth = await signIn()
  for (const outcomeOf of ['failure', 'success', 'failure']) {
    const refreshed = outcome(auth.refresh())
    await elapse()
    if (outcomeOf === 'success') backend.latest('refresh').grant()
    else backend.latest('refresh').fail(httpError(503))
    await elapse(1)
    expect(refreshed.state).not.toBe('pending')
  }
  await elapse(999)
  expect(auth.sessions.current()!.isPaused()).toBe(false)
})

it('a clock that was set back ends the life of a token, and a pause', async () => {
  let now = 1e12
  const auth = await signIn(openTab({ now: () => now }))
  void outcome(auth.refresh())
  await elapse()
  backend.latest('refresh').fail(httpError(503))
  await elapse()
  now -= 3_600_000
  void outcome(auth.getAccessToken())
  await elapse()
  expect(backend.count('refresh')).toBe(2)
})

it('R3: a 401 that is late twice costs no refresh, and leaves the next call its own', async () => {
  const auth = await signIn()
  const refresh = grantAll()
  const { fetch, sent, arrived } = createStubApi()
  const api = createApiClient({ baseURL, auth, fetch })
  const late = outcome(api('/notes'))
  await arrived(1)
  await auth.refresh()
  sent[0]!.answer(unauthorized())
  await arrived(2)
  expect(refresh).toHaveBeenCalledOnce()
  sent[1]!.answer(unauthorized())
  await elapse()
  expect(late.reason).toMatchObject({ status: 401 })
  const next = outcome(api('/notes'))
  await arrived(3)
  sent[2]!.answer(unauthorized())
  await arrived(4)
  sent[3]!.answer(ok())
  await elapse()
  expect(next.value).toEqual({ ok: true })
  expect(refresh).toHaveBeenCalledTimes(2)
})

it('R1: ten 401s at once cause one, and each call is sent once more', async () => {
  const auth = await signIn()
  const { api, paths, kill } = openClient(auth)
  kill()
  const answers = Promise.all(Array.from({ length: 10 }, (_, n) => api(`/${n}`)))
  await elapse()
  backend.latest('refresh').grant()
  await expect(answers).resolves.toHaveLength(10)
  expect([backend.count('refresh'), paths.length]).toEqual([1, 20])
})

it('R2: a token past its lifetime is not sent', async () => {
  const auth = await signIn()
  const { api, paths } = openClient(auth)
  await elapse(900_000)
  const answer = api('/notes')
  await elapse()
  expect(paths).toEqual([])
  backend.latest('refresh').grant()
  await answer
  expect(paths).toEqual(['/v1/notes'])
})

it('R3: a late 401 is replayed without a second refresh', async () => {
  const auth = await signIn()
  const { fetch, sent, arrived } = createStubApi()
  const api = createApiClient({ baseURL, auth, fetch })
  const late = outcome(api('/slow'))
  await arrived(1)
  const refreshed = auth.refresh()
  await elapse()
  backend.latest('refresh').grant()
  await refreshed
  sent[0]!.answer(unauthorized())
  await arrived(2)
  sent[1]!.answer(ok())
  await elapse()
  expect(late.value).toEqual({ ok: true })
  expect(backend.count('refresh')).toBe(1)
})

it.each([
  ['a firewall', 403],
  ['a gateway', 404],
  ['a single-sign-on proxy', 401],
])('R7: an HTML page of %s with %i keeps the session', async (_, status) => {
  const auth = await signIn()
  const { api, kill } = openClient(auth)
  kill()
  const answer = outcome(api('/a'))
  await elapse()
  const page = httpError(status, { 'content-type': 'text/html' })
  backend.latest('refresh').fail(page)
  await elapse()
  expect(answer.reason).toBe(page)
  expect(auth.status.value).toBe('authenticated')
})

it.each([400, 401, 403, 404, 419, 422])(
  'R8: %i ends the session, for all who wait',
  async (status) => {
    const auth = await signIn()
    const { api, kill } = openClient(auth)
    kill()
    const answers = [outcome(api('/a')), outcome(api('/b'))]
    await elapse()
    backend.latest('refresh').fail(httpError(status))
    await elapse()
    for (const { reason } of answers) expect(reason).toBeInstanceOf(SessionEndedError)
    expect([auth.status.value, auth.endReason.value]).toEqual(['anonymous', 'expired'])
    expect(auth.accessToken.value).toBeNull()
  },
)

it('R11: a refresh that hangs is given up after 10 s', async () => {
  const auth = await signIn()
  const refreshed = outcome(auth.refresh())
  await elapse(10_000)
  expect(refreshed.reason).toMatchObject({ name: 'TimeoutError' })
  expect(auth.status.value).toBe('authenticated')
})

it('R12: a refresh that answers after sign-out changes nothing', async () => {
  const auth = await signIn()
  const refreshed = outcome(auth.refresh())
  await elapse()
  void auth.logout()
  backend.latest('refresh').grant()
  await elapse()
  expect(refreshed.reason).toBeInstanceOf(SessionEndedError)
  expect([auth.status.value, auth.accessToken.value]).toEqual(['anonymous', null])
})

it('R12: also if the sign-out comes while the answer makes its way', async () => {
  for (let turns = 0; turns < 40; turns += 1) {
    const auth = await signIn()
    void auth.refresh().catch(() => {})
    await elapse()
    backend.latest('refresh').grant()
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
    void auth.logout()
    await elapse()
    backend.latest('logout').done()
    await elapse()
    expect([turns, auth.status.value]).toEqual([turns, 'anonymous'])
  }
})
