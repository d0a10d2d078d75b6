import { createCookieBackend, createRequest } from '@/auth/index.ts'
import type { AuthBackend, PasswordCredentials } from '@/auth/index.ts'

export const baseURL = import.meta.env.VITE_API_BASE_URL || '/api'

const api = createCookieBackend({ baseURL })
const request = createRequest({ baseURL })

type Credentials = PasswordCredentials | { organisation: string }

export const backend: AuthBackend<Credentials> = {
  ...api,
  async login(credentials, options = {}) {
    if (!('organisation' in credentials)) return named(await api.login(credentials, options))
    return named(await request('POST', '/auth/switch', { body: credentials, ...options }))
  },
  refresh: async (options) => named(await api.refresh(options)),
}

/** The same person in another organisation gets another id, and so is another person to the app. */
function named(grant: Awaited<ReturnType<typeof request>>) {
  const { user, organisation } = grant
  return { ...grant, user: { ...user, id: `${user.id}@${organisation}` } }
}
