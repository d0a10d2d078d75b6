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
      if (isRefusal(error)) logout() // R8
      throw error // R7
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
  if (!response.ok) throw new ApiError(response)
  return response.json()
}

class ApiError extends Error {
  readonly status: number
  readonly headers: Headers

  constructor({ status, headers }: Response) {
    super(`The refresh was answered ${status}.`)
    this.status = status
    this.headers = headers
  }
}

const TEMPORARY = [408, 425, 429]

/** Whether the API rejected the refresh token: any other error may be temporary. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false
  const { status, headers } = error
  const isPage = headers.get('content-type')?.startsWith('text/html')
  return status >= 400 && status < 500 && !TEMPORARY.includes(status) && !isPage
}

function send(path: string, accessToken: string, init?: RequestInit): Promise<Response> {
  const headers = new Headers(init?.headers)
  headers.set('authorization', `Bearer ${accessToken}`)
  return fetch(`/api${path}`, { ...init, headers })
}
