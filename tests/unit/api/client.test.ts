// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest'
import { json } from '@/api/client.ts'
import { ada } from '../../support/backend.ts'
import { problem, signedInAs, useScreen } from '../../support/screen.ts'

const THINGS = 'GET /api/things'

const api = useScreen()

beforeEach(() => signedInAs(ada))

const answer = (body: string | null, type: string, status = 200) =>
  api.on(THINGS, () => new Response(body, { status, headers: { 'content-type': type } }))

describe('json', () => {
  it.each([[[1, 2]], [{ id: '1' }]])('gives the data %j', async (data) => {
    api.on(THINGS, data)

    await expect(json('/things')).resolves.toEqual(data)
  })

  it.each([
    ['JSON that breaks off', '[{"id":"1', 'application/json'],
    ['the page of a proxy', '<!doctype html>', 'text/html'],
    ['a file', 'PK', 'application/octet-stream'],
    ['null', 'null', 'application/json'],
    ['nothing', '', 'application/json'],
  ])('rejects %s', async (_, body, type) => {
    answer(body, type)

    await expect(json('/things')).rejects.toThrow(SyntaxError)
  })

  it('rejects an answer without a body', async () => {
    answer(null, 'application/json', 204)

    await expect(json('/things')).rejects.toThrow(SyntaxError)
  })

  it('keeps the status of a failure, whatever its body is', async () => {
    answer('<h1>Bad gateway</h1>', 'text/html', 502)
    await expect(json('/things')).rejects.toMatchObject({ status: 502 })

    api.on(THINGS, () => problem(404))
    await expect(json('/things')).rejects.toMatchObject({ data: { message: 'Problem 404' } })
  })
})
