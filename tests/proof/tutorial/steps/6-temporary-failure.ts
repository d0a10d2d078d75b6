interface Grant {
  accessToken: string
  expiresIn: number // seconds
}

export function createApi(onEnd: () => void) {
  let accessToken = ''
  let expiresAt = 0
  let flight: Promise<void> | null = null

  async function api(path: string, init?: RequestInit): Promise<Response> {
    const sent = await authorize()
    const response = await send(path, sent, init)
    if (response.status !== 401) return response
    if (sent === accessToken) expiresAt = 0 // R3
    return send(path, await authorize(), init) // R4
  }

  async function authorize(): Promise<string> {
    if (Date.now() >= expiresAt) await refresh() // R2
    return accessToken
  }

  function refresh(): Promise<void> {
    flight ??= fly().finally(() => (flight = null)) // R1
    return flight
  }

  async function fly(): Promise<void> {
    const response = await fetch('/api/auth/refresh', { method: 'POST' })
    if ([400, 401, 403].includes(response.status)) signOut() // R8
    if (!response.ok) throw new Error(`The refresh was answered ${response.status}.`) // R7
    signIn(await response.json())
  }

  function signIn(grant: Grant): void {
    accessToken = grant.accessToken
    expiresAt = Date.now() + grant.expiresIn * 1000
  }

  function signOut(): void {
    accessToken = ''
    expiresAt = 0
    onEnd()
  }

  return { api, signIn, signOut }
}

function send(path: string, accessToken: string, init?: RequestInit): Promise<Response> {
  const headers = new Headers(init?.headers)
  headers.set('authorization', `Bearer ${accessToken}`)
  return fetch(`/api${path}`, { ...init, headers })
}
