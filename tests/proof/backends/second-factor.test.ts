import { H3, HTTPError } from 'h3'
import { expect, it } from 'vitest'
import { createAuth } from '@/auth/index.ts'
import { ada, grantFor } from '../../support/backend.ts'
import { CodeNeededError, createTwoStepBackend } from './examples/second-factor.ts'

function open() {
  const app = new H3()
  app.post('/api/auth/login', () => Response.json({ ticket: 'ticket-1' }, { status: 401 }))
  app.post('/api/auth/login/code', async (event) => {
    const { ticket, code } = (await event.req.json()) as Record<string, unknown>
    if (ticket !== 'ticket-1' || code !== '123456') throw new HTTPError({ status: 401 })
    return grantFor(ada)
  })
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const { redirect: _, ...rest } = init!
    return app.fetch(new Request(new URL(String(input), 'http://localhost'), rest))
  }
  return createAuth({ backend: createTwoStepBackend({ fetch }), tabs: null })
}

const password = { username: 'ada', password: 'password' }

it('a password alone is no session: it gets a ticket', async () => {
  const auth = open()
  await expect(auth.login(password)).rejects.toMatchObject({ ticket: 'ticket-1' })
  await expect(auth.login(password)).rejects.toBeInstanceOf(CodeNeededError)
  expect(auth.isAuthenticated.value).toBe(false)
})

it('ticket and code sign in', async () => {
  const auth = open()
  await auth.login({ ticket: 'ticket-1', code: '123456' })
  expect(auth.user.value).toEqual(ada)
})

it('a wrong code is refused as a wrong password is', async () => {
  const auth = open()
  const attempt = auth.login({ ticket: 'ticket-1', code: '000000' })
  await expect(attempt).rejects.toMatchObject({ status: 401 })
  expect(auth.isAuthenticated.value).toBe(false)
})
