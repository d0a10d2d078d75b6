interface Grant {
  accessToken: string
  expiresIn: number // seconds
}

interface Session {
  id: string
  accessToken: string
  expiresAt: number
  flight?: Promise<void> | null
}

interface Message {
  type: 'signed-in' | 'refreshed' | 'ended'
  session: Session
}

export class SessionEndedError extends Error {}

export function createApi(onEnd: () => void) {
  let current: Session | null = null
  const channel = new BroadcastChannel('auth')

  channel.onmessage = ({ data: { type, session } }: MessageEvent<Message>) => {
    if (type === 'signed-in') current = session // R13
    if (session.id !== current?.id) return // R6
    if (type === 'refreshed') Object.assign(current, session) // R1
    if (type === 'ended') end() // R13
  }

  function tell(type: Message['type'], { id, accessToken, expiresAt }: Session): void {
    channel.postMessage({ type, session: { id, accessToken, expiresAt } })
  }

  async function api(path: string, init?: RequestInit): Promise<Response> {
    const session = current // R6
    if (!session) throw new SessionEndedError()
    const sent = await authorize(session)
    const response = await within(session, send(path, sent, init))
    if (response.status !== 401) return response
    if (sent === session.accessToken) session.expiresAt = 0 // R3
    return within(session, send(path, await authorize(session), init)) // R4
  }

  async function authorize(session: Session): Promise<string> {
    if (Date.now() >= session.expiresAt) await refresh(session) // R2
    return session.accessToken
  }

  function refresh(session: Session): Promise<void> {
    session.flight ??= within(session, alone(session)).finally(() => (session.flight = null)) // R1
    return session.flight
  }

  function alone(session: Session): Promise<void> {
    const { accessToken } = session
    return navigator.locks.request('auth', async () => {
      if (session === current && session.accessToken === accessToken) await fly(session) // R1
    })
  }

  async function fly(session: Session): Promise<void> {
    const response = await fetch('/api/auth/refresh', { method: 'POST' })
    const isRefusal = [400, 401, 403].includes(response.status)
    if (isRefusal && session === current) signOut() // R8
    if (!response.ok) throw new Error(`The refresh was answered ${response.status}.`) // R7
    Object.assign(session, held(await response.json())) // R12
    tell('refreshed', session)
  }

  /** As `work`, unless the session has ended meanwhile. */
  function within<T>(session: Session, work: Promise<T>): Promise<T> {
    return work.finally(() => {
      if (session !== current) throw new SessionEndedError() // R6
    })
  }

  function signIn(grant: Grant): void {
    current = { id: crypto.randomUUID(), ...held(grant) }
    tell('signed-in', current)
  }

  function signOut(): void {
    if (current) tell('ended', current)
    end()
  }

  function end(): void {
    current = null
    onEnd()
  }

  return { api, signIn, signOut }
}

function held({ accessToken, expiresIn }: Grant) {
  return { accessToken, expiresAt: Date.now() + expiresIn * 1000 }
}

function send(path: string, accessToken: string, init?: RequestInit): Promise<Response> {
  const headers = new Headers(init?.headers)
  headers.set('authorization', `Bearer ${accessToken}`)
  return fetch(`/api${path}`, { ...init, headers })
}
