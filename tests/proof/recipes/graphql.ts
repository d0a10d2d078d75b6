import { createAuthFetch } from '@/auth/index.ts'
import { useAuthStore } from '@/stores/auth.ts'

const fetch = createAuthFetch({ auth: () => useAuthStore(), baseURL: '/api' })

/** Clients such as urql, Apollo and graphql-request take the same `fetch`. */
export async function query<T>(document: string, variables: object = {}): Promise<T> {
  const response = await fetch('/api/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: document, variables }),
  })
  const { data, errors } = await response.json()
  if (errors) throw new Error(errors[0].message)
  return data
}
