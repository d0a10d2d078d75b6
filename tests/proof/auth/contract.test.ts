// @vitest-environment node
/** What a grant may say of the lifetime of its token. */
import { beforeEach, expect, it, vi } from 'vitest'
import { readGrant } from '@/auth/contract.ts'
import type { AuthEvent } from '@/auth/index.ts'
import { ada, grantFor } from '../../support/backend.ts'
import { useFakeClock } from '../../support/time.ts'
import { createWorld } from '../../support/world.ts'

useFakeClock()

let { openTab, signIn } = createWorld()

beforeEach(() => {
  ;({ openTab, signIn } = createWorld())
})

it.each([
  ['a lifetime', 900, 900],
  ['a point in time in its place', 1_900_000_000, 31_536_000],
])('expiresIn: %s counts for a year at most', (_, expiresIn, counted) => {
  expect(readGrant({ accessToken: 'a', expiresIn }).expiresIn).toBe(counted)
})

// By the claims of the token, it lives 900 seconds. The name needs the characters - and _.
it.each([
  [900_000, 'expiresIn is 900000, but the token lives 900 seconds (exp - iat)'],
  [15, 'expiresIn is 15, but the token lives 900 seconds (exp - iat)'],
  [9_000, undefined],
  [900, undefined],
  [90, undefined],
])('a lifetime of %i that cannot be seconds is reported', async (expiresIn, problem) => {
  const payload = Buffer.from(JSON.stringify({ iat: 1000, exp: 1900, name: '?>?>~~ÿ' }))
  const onEvent = vi.fn<(event: AuthEvent) => void>()
  const accessToken = `x.${payload.toString('base64url')}.y`
  expect(accessToken).toMatch(/-.*_|_.*-/)
  await signIn(openTab({ onEvent }), { ...grantFor(ada, expiresIn), accessToken })
  expect(onEvent.mock.calls[0]).toEqual([expect.objectContaining({ problem })])
})
