interface Grant {
  accessToken: string
}

export function createApi(onEnd: () => void) {
  let accessToken = ''

  async function api(path: string, init?: RequestInit): Promise<Response> {
    const response = await send(path, accessToken, init)
    if (response.status !== 401) return response
    await refresh()
    return send(path, accessToken, init) // R4
  }

  async function refresh(): Promise<void> {
    try {
      const response = await fetch('/api/auth/refresh', { method: 'POST' })
      if (!response.ok) throw new Error(`The refresh was answered ${response.status}.`)
      signIn(await response.json())
    } catch (error) {
      signOut()
      throw error
    }
  }

  function signIn(grant: Grant): void {
    accessToken = grant.accessToken
  }

  function signOut(): void {
    accessToken = ''
    onEnd()
  }

  return { api, signIn, signOut }
}

function send(path: string, accessToken: string, init?: RequestInit): Promise<Response> {
  const headers = new Headers(init?.headers)
  headers.set('authorization', `Bearer ${accessToken}`)
  return fetch(`/api${path}`, { ...init, headers })
}
