import { baseURL } from '@/api/backend.ts'
import { createAuthFetch } from '@/auth/index.ts'
import { useAuthStore } from '@/stores/auth.ts'

/** GraphQL answers 200 where it rejects a token. As a 401 it leads to a refresh. */
async function fetchGraphql(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const response = await globalThis.fetch(input, init)
  if (!/json/.test(response.headers.get('content-type') ?? '')) return response
  const { data, errors = [] } = Object(await response.clone().json())
  const isRejected = errors.some((error: GraphqlError) => {
    return error.extensions?.code === 'UNAUTHENTICATED'
  })
  // A mutation that was carried out in part is not sent again.
  const isDone = Object.values(data ?? {}).some((value) => value !== null)
  if (!isRejected || (isDone && /\bmutation\b/.test(String(init?.body)))) return response
  return new Response(response.body, { status: 401, headers: response.headers })
}

interface GraphqlError {
  message: string
  extensions?: { code?: string }
}

/** Clients such as urql, Apollo and graphql-request take the same `fetch`. */
const fetch = createAuthFetch({ auth: () => useAuthStore(), baseURL, fetch: fetchGraphql })

export async function query<T>(document: string, variables: object = {}): Promise<T> {
  const response = await fetch(`${baseURL}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: document, variables }),
  })
  const { data, errors } = await response.json()
  if (errors) throw new Error(errors[0].message)
  return data
}
