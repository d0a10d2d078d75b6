// @vitest-environment node
/** What a grant is held as: its times. */
import { expect, it } from 'vitest'
import { grantFor, httpError } from '../../support/backend.ts'
import type { User } from '@/auth/index.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'
import { createWorld, credentials } from '../../support/world.ts'

useFakeClock()

it('R2: the lifetime of a token counts from its receipt, however long getUser takes', async () => {
  const { backend, openTab } = createWorld()
  const getUser = () => new Promise<User>((resolve) => setTimeout(resolve, 5_000, grantFor().user))
  const auth = openTab({ backend: { ...backend, getUser } })
  const signedIn = auth.login(credentials)
  await elapse()
  backend.latest('login').grant({ accessToken: 'first', expiresIn: 900 })
  await elapse(5_000)
  await signedIn
  await elapse(895_000)
  const token = outcome(auth.getAccessToken())
  await elapse()
  expect(token.state).toBe('pending')
  backend.latest('refresh').fail(httpError(503))
  await elapse()
  expect(token.reason).toMatchObject({ status: 503 })
})
