/**
 * axios with axios-auth-refresh, in the mode in which it does better: without `deduplicateRefresh`
 * requests that wait still share a refresh, and the answers of those sent again are not lost. The lab
 * loads it on demand.
 *
 * @see https://github.com/Flyrell/axios-auth-refresh
 */
import axios from 'axios'
import { createAuthRefresh } from 'axios-auth-refresh'
import type { RivalClient, RivalOptions } from './classicClient.ts'

export function createLibraryClient({ baseURL, tokens, onSignOut }: RivalOptions): RivalClient {
  // `withCredentials: false` omits cookies with this adapter alone.
  const defaults = { baseURL, adapter: 'fetch', withCredentials: false } as const
  const client = axios.create(defaults)
  /** Without the interceptors, as the library asks for. */
  const plain = axios.create(defaults)

  client.interceptors.request.use((request) => {
    request.headers.set('authorization', `Bearer ${tokens.access}`)
    return request
  })
  createAuthRefresh(client, refresh, { deduplicateRefresh: false })

  async function refresh(): Promise<void> {
    try {
      const { data } = await plain.post('/auth/refresh', { refreshToken: tokens.refresh ?? 'none' })
      tokens.access = data.accessToken
      tokens.refresh = data.refreshToken
    } catch (error) {
      // What to do is left to the app. A careful one signs out for a refusal alone.
      if (axios.isAxiosError(error) && error.response?.status === 401) {
        tokens.access = tokens.refresh = null
        onSignOut()
      }
      throw error
    }
  }

  return { request: async (path, signal) => (await client.get(path, { signal })).status }
}
