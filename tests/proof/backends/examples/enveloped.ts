/** An API that always answers 200 with `{ code, data, msg }`: its codes become statuses here. */
import { browserStorage, createJsonBackend } from '@/auth/index.ts'
import type { AuthBackend } from '@/auth/index.ts'

/** The API's codes in the words of HTTP. Every other one is a refusal that nobody retries: 422. */
const STATUS: Record<number, number> = { 0: 200, 1001: 401, 2001: 401, 2002: 401, 5000: 503 }

/**
 * A fetch that takes off the envelope, for the back end and for createApiClient. An answer without
 * one passes as it came: a file, a stream, an error page of the proxy.
 */
export const unwrap: typeof fetch = async (input, init) => {
  const response = await fetch(input, init)
  if (!/^application\/json *(;|$)/.test(response.headers.get('content-type') ?? '')) return response
  const { code, data = null, msg } = Object(await response.clone().json())
  if (typeof code !== 'number') return response
  const status = STATUS[code] ?? 422
  const { headers } = response
  if (status === 200) return Response.json(data, { headers })
  return Response.json({ message: msg, data: { code } }, { status, headers })
}

/** What is in the envelopes has the names that createJsonBackend knows; else write it out. */
export function createEnvelopedBackend(baseURL = '/api', storage = browserStorage()): AuthBackend {
  return createJsonBackend({ baseURL, storage, fetch: unwrap })
}
