/**
 * What the mock server answers beside the auth routes: to whom, and what is not there.
 */
import { describe, expect, it } from 'vitest'
import { createHarness, outcome } from '../../support/mock-server.ts'

async function setUp() {
  const harness = createHarness()
  const { accessToken: token } = await harness.signIn('demo')
  const { accessToken: adminToken } = await harness.signIn('admin')
  return { ...harness, token, adminToken }
}

describe('without a token', () => {
  it.each([
    ['GET', '/api/auth/me'],
    ['GET', '/api/protected-resource'],
    ['POST', '/api/protected-resource'],
  ])('%s %s is closed', async (method, path) => {
    const { call } = createHarness()
    expect(await outcome(call(path, { method }))).toBe('401 access_token_missing')
  })

  it('health is open', async () => {
    const { call } = createHarness()
    expect(await (await call('/api/health')).json()).toEqual({ status: 'ok' })
  })
})

describe('the echo', () => {
  it('says who, how, and how many requests were accepted up to it', async () => {
    const { adminToken, call, post, token } = await setUp()
    const path = '/api/protected-resource'
    const json = { a: 1 }

    const first = await (await call(path, { token })).json()
    expect(first).toMatchObject({ method: 'GET', user: 'demo', body: null, sequence: 1 })
    await call(path, { token: 'x' })
    await post(path, { token, body: '{', headers: { 'content-type': 'application/json' } })
    const second = await (await post(path, { token: adminToken, json })).json()
    expect(second).toMatchObject({ method: 'POST', user: 'admin', body: json, sequence: 2 })
  })
})

it('a project is one of a thousand for each user at most', async () => {
  const { post, token, adminToken } = await setUp()
  const add = (as = token) => post('/api/projects', { token: as, json: { name: 'Tea' } })
  for (let count = 23; count < 1000; count += 1) await add()

  expect(await outcome(add())).toBe('409 too_many_projects')
  expect(await outcome(add(adminToken))).toBe('201')
})

describe('what is not there', () => {
  it.each([
    ['GET', '/api/nothing'],
    ['GET', '/api'],
    ['GET', '/'],
    ['GET', '/api/auth/login'],
    ['DELETE', '/api/auth/me'],
    ['PUT', '/api/auth/refresh'],
    ['GET', '/api/__mock/reset'],
    ['POST', '/api/__mock/nothing'],
  ])('%s %s gets a 404 in the one shape of all errors', async (method, path) => {
    const { call } = createHarness()
    const response = await call(path, { method })

    expect(response.status).toBe(404)
    expect(await response.json()).toEqual({
      status: 404,
      message: `There is no ${method} ${path} here.`,
      data: { code: 'not_found' },
    })
  })

  it('a URL that cannot be read gets a 400', async () => {
    const { call } = createHarness()
    expect(await (await call('/api/%ZZ')).json()).toEqual({
      status: 400,
      message: expect.stringContaining('path'),
      data: { code: 'invalid_url' },
    })
  })
})
