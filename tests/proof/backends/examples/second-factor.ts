/** A sign-in in two steps, for an API that answers 401 with a ticket where it wants a code as well. */
import { ApiError, createCookieBackend, createRequest } from '@/auth/index.ts'
import type { AuthBackend, BackendOptions, PasswordCredentials } from '@/auth/index.ts'

export interface CodeCredentials {
  ticket: string
  code: string
}

/** The password was right. Ask for the code, and sign in with it and the ticket. */
export class CodeNeededError extends Error {
  override readonly name = 'CodeNeededError'

  constructor(readonly ticket: string) {
    super('A code is needed.')
  }
}

export function createTwoStepBackend(
  options?: BackendOptions,
): AuthBackend<PasswordCredentials | CodeCredentials> {
  const request = createRequest(options)
  return {
    ...createCookieBackend(options),
    login: async (credentials, { signal } = {}) => {
      const path = 'ticket' in credentials ? '/auth/login/code' : '/auth/login'
      return request('POST', path, { body: { ...credentials }, signal }).catch((error) => {
        const ticket = error instanceof ApiError && Object(error.data).ticket
        throw ticket ? new CodeNeededError(ticket) : error
      })
    },
  }
}
