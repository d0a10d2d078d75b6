/**
 * What NOT to do: the interceptor of most tutorials, as plainly as they write it. The lab runs it
 * beside the real client (src/auth/client.ts) to show what the numbered lines lead to.
 */

export interface ClassicOptions {
  baseURL: string
  /** As localStorage would keep them. */
  tokens: { access: string | null; refresh: string | null }
  onSignOut: () => void
}

export function createClassicClient({ baseURL, tokens, onSignOut }: ClassicOptions) {
  async function request(path: string, signal?: AbortSignal, isRetry = false): Promise<Response> {
    const response = await fetch(baseURL + path, {
      headers: { authorization: `Bearer ${tokens.access}` },
      credentials: 'omit',
      signal,
    })
    if (response.status !== 401 || isRetry) return response

    try {
      // 1. Each 401 refreshes for itself: ten at once are ten refreshes with the same token. To the
      //    server nine of them are a stolen token used again, so it ends the session.
      const answer = await refresh(signal)
      // 2. Whoever comes last is kept, be it an older token, or after the sign-out.
      tokens.access = answer.accessToken
      tokens.refresh = answer.refreshToken
    } catch (error) {
      // 3. Any failure signs out: a 503 or a lost connection too.
      tokens.access = tokens.refresh = null
      onSignOut()
      throw error
    }
    return request(path, signal, true)
  }

  async function refresh(signal?: AbortSignal) {
    const response = await fetch(`${baseURL}/auth/refresh`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      // Never without one: a cookie must not take its place.
      body: JSON.stringify({ refreshToken: tokens.refresh ?? 'none' }),
      credentials: 'omit',
      signal,
    })
    const answer = await response.json()
    if (!response.ok) throw new Error(answer.message)
    return answer
  }

  return { request }
}
