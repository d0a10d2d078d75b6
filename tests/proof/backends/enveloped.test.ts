import { describe, expect, it } from 'vitest'
import { createJourney, describeJourneys } from './journeys.ts'
import type { OpenApi } from './journeys.ts'
import { createEnvelopedBackend, unwrap } from './examples/enveloped.ts'
import { listen } from './servers/common.ts'
import { createEnvelopedServer } from './servers/enveloped.ts'

const open: OpenApi = async (now) => ({
  baseURL: await listen(createEnvelopedServer(now)),
  createBackend: createEnvelopedBackend,
  clientFetch: unwrap,
  isRefresh: ({ path }) => path === '/auth/refresh',
})

describeJourneys('an API with envelopes', { leeway: false, revokes: true }, open)

const enveloped = (code: number, msg: string) => Response.json({ code, data: null, msg })

it('every answer is a 200: only the code says that the token has expired', async () => {
  const here = await createJourney(open)
  const { api } = await here.signIn()
  here.expireAccess()
  const token = here.sent.at(-1)!.token
  const raw = await fetch(`${here.api.baseURL}/projects`, {
    headers: { authorization: `${token}` },
  })
  expect(raw.status).toBe(200)
  expect(await raw.json()).toMatchObject({ code: 2001 })
  expect(await api('/projects')).toEqual([])
})

it('R7: the code for a busy system is a temporary failure', async () => {
  const here = await createJourney(open)
  const { auth } = await here.signIn()
  here.breakRefresh(enveloped(5000, 'The system is busy'))
  await expect(auth.refresh()).rejects.toMatchObject({ status: 503 })
  expect(auth.status.value).toBe('authenticated')
})

it('a code of its own is an error with its words, and nobody repeats the call', async () => {
  const here = await createJourney(open)
  const { api } = await here.signIn()
  await expect(api('/projects/import', { method: 'POST' })).rejects.toMatchObject({
    status: 422,
    data: { message: 'There are too many projects', data: { code: 3007 } },
  })
  expect(here.count('POST', '/projects/import')).toBe(1)
  expect(here.refreshes()).toEqual([])
})

it('an empty envelope is null', async () => {
  const here = await createJourney(open)
  const { api } = await here.signIn()
  here.breakNext('/projects', Response.json({ code: 0, msg: 'ok' }))
  expect(await api('/projects')).toBeNull()
})

describe('an answer without an envelope passes unchanged', () => {
  it('a file, byte for byte', async () => {
    const { api } = await (await createJourney(open)).signIn()
    const file: Blob = await api('/export')
    expect(new Uint8Array(await file.arrayBuffer())).toEqual(Uint8Array.of(0, 255, 128, 10))
  })

  it('a stream, though it speaks of codes', async () => {
    const { api } = await (await createJourney(open)).signIn()
    const stream = await api('/events', { responseType: 'stream' })
    expect(await new Response(stream).text()).toBe('data: {"code":2001}\n\n')
  })

  it('other JSON', async () => {
    const { api } = await (await createJourney(open)).signIn()
    expect(await api('/manifest')).toEqual({ name: 'App' })
  })

  it('the error page of a proxy, with its status', async () => {
    const here = await createJourney(open)
    const { api } = await here.signIn()
    here.breakNext('/projects', new Response('<h1>Bad gateway</h1>', { status: 502 }))
    await expect(api('/projects', { retry: 0 })).rejects.toMatchObject({ status: 502 })
  })
})
