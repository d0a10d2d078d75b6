interface TokenGrant {
  accessToken: string
}

export function createAuth(onEnd: () => void) {
  let accessToken = ''

  async function api(path: string, init?: RequestInit): Promise<Response> {
    const response = await send(path, accessToken, init)
    if (response.status !== 401) return response
    return send(path, await nextToken(), init) // R4
  }

  async function nextToken(): Promise<string> {
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
  }

  function logout(): void {
    accessToken = ''
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
