/** The app's one client for its API. Every resource in this folder is a few functions on it. */
import type { FetchOptions } from 'ofetch'
import { baseURL } from '@/api/backend.ts'
import { createApiClient } from '@/auth/index.ts'
import { useAuthStore } from '@/stores/auth.ts'

export const api = createApiClient({
  baseURL,
  auth: () => useAuthStore(),
  readTimeout: 30_000,
})

/**
 * `api` for an answer that has to be data, a list or an object: ofetch hands on as text what is no
 * JSON. Not by its `parseResponse`, which would fail on an error page, and hide its status.
 *
 * @throws SyntaxError where the answer is anything else, or what `api` throws
 */
export async function json<T extends object>(
  path: string,
  options: FetchOptions<'json'> = {},
): Promise<T> {
  const data: unknown = await api(path, { ...options, responseType: 'json' })
  if (typeof data !== 'object' || !data) throw new SyntaxError(`${path}: the answer is no JSON.`)
  return data as T
}
