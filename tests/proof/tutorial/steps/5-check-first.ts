interface TokenGrant {
  accessToken: string
  expiresIn: number // seconds
}

export function createAuth(onEnd: () => void) {
  let accessToken = ''
  let expiresAt = 0
  let refresh: Promise<string> | null = null

  async function api(path: string, init?: RequestInit): Promise<Response> {
    const token = await tokenToSend()
    const response = await send(path, token, init)
    if (response.status !== 401) return response
    return send(path, await tokenAfter401(token), init) // R4
  }

  function tokenToSend(): string | Promise<string> {
    return Date.now() < expiresAt ? accessToken : nextToken() // R2
  }

  function tokenAfter401(rejected: string): string | Promise<string> {
    if (rejected === accessToken) expiresAt = 0 // R3
    return tokenToSend()
  }

  function nextToken(): Promise<string> {
    refresh ??= runRefresh().finally(() => (refresh = null)) // R1
    return refresh
  }

  async function runRefresh(): Promise<string> {
    try {
      login(await requestGrant())
    } catch (error) {
      logout()
      throw error
    }
    return accessToken
  }

  function login(grant: TokenGrant): void {
    accessToken = grant.accessToken
    expiresAt = Date.now() + grant.expiresIn * 1000
  }

  function logout(): void {
    accessToken = ''
    expiresAt = 0
    onEnd()
  }

  return { api, login, logout }
}

async function requestGrant(): Promise<TokenGrant> {
  const response = await fetch('/api/auth/refresh', { method: 'POST' })
  if (!response.ok) throw new Error(`The refresh was answered ${response.status}.`)
  return response.json()
}

function send(path: string, accessToken: string, init?: RequestInit): Promise<Response> {
  const headers = new Headers(init?.headers)
  headers.set('authorization', `Bearer ${accessToken}`)
  return fetch(`/api${path}`, { ...init, headers })
}
