/** A session cookie and no tokens, as Laravel Sanctum has it. Django, Rails: other paths and names. */
import { createRequest } from '@/auth/index.ts'
import type { AuthBackend, CallOptions } from '@/auth/index.ts'

/** The API reads its own cookie in a header: a page of another site can send one, but not the other. */
const csrf = () => ({ 'x-xsrf-token': readCookie('XSRF-TOKEN') })

export function createSessionBackend(baseURL = '/api'): AuthBackend {
  const request = createRequest({ baseURL, headers: csrf })
  const setCsrfCookie = (call: CallOptions) => request('GET', '/sanctum/csrf-cookie', call)

  /** Asks who is signed in. A 401 says that nobody is, and ends the session. */
  async function refresh({ signal }: CallOptions = {}) {
    const { id, name, email } = await request('GET', '/user', { signal })
    const user = { id: String(id), username: email, name, roles: [] }
    // No token. It is another one each time, so that a late 401 costs no further request (R3).
    const accessToken = `${Date.now()}.${Math.random()}`
    return { accessToken, tokenType: 'cookie', expiresIn: 31_536_000, user }
  }

  return {
    async login({ username: email, password }, { signal } = {}) {
      await setCsrfCookie({ signal })
      await request('POST', '/login', { body: { email, password }, signal })
      return refresh({ signal })
    },
    refresh,
    async logout({ signal }) {
      await setCsrfCookie({ signal })
      await request('POST', '/logout', { signal })
    },
  }
}

/** The `fetch` of createApiClient: sends the cookie in the place of a token. */
export const sessionFetch: typeof fetch = async (input, init) => {
  const headers = new Headers(init?.headers)
  if (!headers.has('authorization')) return fetch(input, init) // Not to the API, or `auth: false`.
  headers.delete('authorization')
  headers.set('x-xsrf-token', csrf()['x-xsrf-token'])
  const response = await fetch(input, { ...init, headers, credentials: 'include' })
  // Laravel checks the CSRF token first: its 419 is how a POST learns that the session is over.
  return response.status === 419 ? new Response(null, { status: 401 }) : response
}

function readCookie(name: string): string {
  const pair = document.cookie.split('; ').find((one) => one.startsWith(`${name}=`))
  return decodeURIComponent(pair?.slice(name.length + 1) ?? '')
}
