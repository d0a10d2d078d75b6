/**
 * What NOT to do: the interceptors of most tutorials, as plainly as they write them. The lab runs them
 * beside the real client (src/auth/client.ts) to show what the numbered lines lead to.
 */

export interface RivalOptions {
  baseURL: string
  /** As localStorage would keep them. */
  tokens: { access: string | null; refresh: string | null }
  onSignOut: () => void
}

/** A client that the lab compares with the real one. */
export interface RivalClient {
  /** Resolves with the status of the answer. Rejects as the client does. */
  request(path: string, signal?: AbortSignal): Promise<number>
}

/** `shared`: requests that get a 401 while a refresh is under way wait for that one. */
export function createClassicClient(options: RivalOptions & { shared?: boolean }): RivalClient {
  const { baseURL, tokens, onSignOut, shared = false } = options
  let flight: Promise<void> | null = null

  async function request(path: string, signal?: AbortSignal, isRetry = false): Promise<number> {
    const response = await fetch(baseURL + path, {
      headers: { authorization: `Bearer ${tokens.access}` },
      credentials: 'omit',
      signal,
    })
    await response.arrayBuffer()
    if (response.status !== 401 || isRetry) return response.status

    // 1. Not shared, ten 401s are ten refreshes with the same token. To the server nine of them are a
    //    stolen token used again, so it ends the session. Shared, a 401 that comes after the refresh
    //    still leads to another one, though the new token is there.
    if (shared) await (flight ??= refresh().finally(() => (flight = null)))
    else await refresh()
    return request(path, signal, true)
  }

  async function refresh(): Promise<void> {
    try {
      const response = await fetch(`${baseURL}/auth/refresh`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        // Never without one: a cookie must not take its place.
        body: JSON.stringify({ refreshToken: tokens.refresh ?? 'none' }),
        credentials: 'omit',
      })
      const answer = await response.json()
      if (!response.ok) throw new Error(answer.message)
      // 2. Whoever comes last is kept, be it an older token, or after the sign-out.
      tokens.access = answer.accessToken
      tokens.refresh = answer.refreshToken
    } catch (error) {
      // 3. Any failure signs out: a 503 or a lost connection too.
      tokens.access = tokens.refresh = null
      onSignOut()
      throw error
    }
  }

  return { request }
}
