import { expect, it } from 'vitest'
import { readGrant } from '@/auth/contract.ts'

it.each([
  ['a lifetime', 900, 900],
  ['a point in time in its place', 1_900_000_000, 31_536_000],
])('expiresIn: %s counts for a year at most', (_, expiresIn, counted) => {
  expect(readGrant({ accessToken: 'a', expiresIn }).expiresIn).toBe(counted)
})
