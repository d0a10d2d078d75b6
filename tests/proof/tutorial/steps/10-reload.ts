interface TokenGrant {
  accessToken: string
  expiresIn: number // seconds
}

interface Session {
  id: string
  accessToken: string
  expiresAt: number
  refresh: Promise<string> | null
}

export class SessionEndedError extends Error {}

export function createAuth(onEnd: () => void) {
  const id = localStorage.getItem('auth')
  let current = id ? open(id) : null // R14

  async function api(path: string, init?: RequestInit): Promise<Response> {
    const session = currentOrThrow() // R6
    const token = await tokenToSend(session)
    const response = await sendWith(token)
    if (response.status !== 401) return response
    return sendWith(await tokenAfter401(session, token)) // R4

    async function sendWith(token: string): Promise<Response> {
      const response = await send(path, token, init)
      throwIfEnded(session) // R6
      return response
    }
  }

  function tokenToSend(session: Session): string | Promise<string> {
    throwIfEnded(session) // R6
    return Date.now() < session.expiresAt ? session.accessToken : nextToken(session) // R2
  }

  function tokenAfter401(session: Session, rejected: string): string | Promise<string> {
    if (rejected === session.accessToken) session.expiresAt = 0 // R3
    return tokenToSend(session)
  }

  function nextToken(session: Session): Promise<string> {
    session.refresh ??= runRefresh(session).finally(() => (session.refresh = null)) // R1
    return session.refresh
  }

  async function runRefresh(session: Session): Promise<string> {
    try {
      const grant = await requestGrant()
      throwIfEnded(session) // R12
      hold(session, grant)
    } catch (error) {
      throwIfEnded(session) // R12
      if (isRefusal(error)) logout() // R8
      throw error // R7
    }
    return session.accessToken
  }

  function open(id: string): Session {
    return { id, accessToken: '', expiresAt: 0, refresh: null }
  }

  function currentOrThrow(): Session {
    if (!current) throw new SessionEndedError()
    return current
  }

  function throwIfEnded(session: Session): void {
    if (session !== current) throw new SessionEndedError()
  }

  function hold(session: Session, grant: TokenGrant): void {
    session.accessToken = grant.accessToken
    session.expiresAt = Date.now() + grant.expiresIn * 1000
  }

  function login(grant: TokenGrant): void {
    current = open(crypto.randomUUID())
    localStorage.setItem('auth', current.id)
    hold(current, grant)
  }

  function logout(): void {
    current = null
    localStorage.removeItem('auth')
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
