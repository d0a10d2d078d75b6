/** The refresh token in JSON: where it is kept, sent and forgotten. */
import { describe, expect, it, vi } from 'vitest'
import { MissingRefreshTokenError } from '@/auth/errors.ts'
import { createAuth, createJsonBackend } from '@/auth/index.ts'
import { grantFor } from '../../support/backend.ts'
import { createMockBrowser } from '../../support/mock-client.ts'
import { json, stubFetch } from './stub-fetch.ts'

const getAccessToken = async () => 'access'
const credentials = { username: 'ada', password: 'secret' }

function memoryStorage(entries: Record<string, string> = {}) {
  const map = new Map(Object.entries(entries))
  return {
    map,
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
    removeItem: (key: string) => void map.delete(key),
  }
}

describe('createJsonBackend', () => {
  const key = 'auth.refresh-token'

  it('keeps the refresh token of a sign-in, and each that follows', async () => {
    const { fetch, sent } = stubFetch(
      json({ ...grantFor(), refreshToken: 'r1' }),
      json({ ...grantFor(), refreshToken: 'r2' }),
      json(grantFor()),
    )
    const storage = memoryStorage()
    const backend = createJsonBackend({ fetch, storage })

    await backend.login(credentials)
    expect(storage.map.get(key)).toBe('r1')
    await backend.refresh()
    expect(storage.map.get(key)).toBe('r2')
    await backend.refresh()
    expect(storage.map.get(key)).toBe('r2')
    expect(sent.map(({ body }) => body)).toEqual([
      { ...credentials, mode: 'json' },
      { refreshToken: 'r1' },
      { refreshToken: 'r2' },
    ])
  })

  it('R6: a sign-in that brings none takes away that of whoever was here before', async () => {
    const { fetch } = stubFetch(json(grantFor()))
    const storage = memoryStorage({ [key]: 'r1' })
    await createJsonBackend({ fetch, storage }).login(credentials)
    expect(storage.map.size).toBe(0)
  })

  it.each([null, {}])(
    'a sign-in that is answered %j, which is no grant, takes none away',
    async (it) => {
      const { fetch } = stubFetch(json(it))
      const storage = memoryStorage({ [key]: 'r1' })
      await createJsonBackend({ fetch, storage }).login(credentials)
      expect(storage.map.get(key)).toBe('r1')
    },
  )

  it('R8: forgets a refresh token that was refused, R7: and no other', async () => {
    const { fetch } = stubFetch(json({}, 503), json({}, 401))
    const storage = memoryStorage({ [key]: 'r1' })
    const backend = createJsonBackend({ fetch, storage })

    await expect(backend.refresh()).rejects.toMatchObject({ status: 503 })
    expect(storage.map.get(key)).toBe('r1')
    await expect(backend.refresh()).rejects.toMatchObject({ status: 401 })
    expect(storage.map.size).toBe(0)
  })

  it('keeps the refresh token that another tab has put there meanwhile', async () => {
    const storage = memoryStorage({ [key]: 'r1' })
    const fetch: typeof globalThis.fetch = async () => {
      storage.setItem(key, 'r2')
      return json({}, 401)
    }
    await expect(createJsonBackend({ fetch, storage }).refresh()).rejects.toMatchObject({
      status: 401,
    })
    expect(storage.map.get(key)).toBe('r2')
  })

  it.each([{}, 7, ''])('R7: keeps its refresh token when it gets %j for one', async (next) => {
    const { fetch } = stubFetch(json({ ...grantFor(), refreshToken: next }))
    const storage = memoryStorage({ [key]: 'r1' })
    await createJsonBackend({ fetch, storage }).refresh()
    expect(storage.map.get(key)).toBe('r1')
  })

  it('S2: sends no token that another tab may have replaced, once its storage fails', async () => {
    const { fetch, sent } = stubFetch(json({ ...grantFor(), refreshToken: 'r2' }))
    const storage = memoryStorage({ [key]: 'r1' })
    const backend = createJsonBackend({ fetch, storage })
    await backend.refresh()
    storage.getItem = () => {
      throw new DOMException('Denied', 'SecurityError')
    }
    for (let tries = 0; tries < 2; tries += 1) {
      await expect(backend.refresh()).rejects.toBeInstanceOf(MissingRefreshTokenError)
    }
    expect(sent).toHaveLength(1)
  })

  it('R12: does not keep what was answered after it was given up', async () => {
    const abort = new AbortController()
    const fetch: typeof globalThis.fetch = async () => {
      abort.abort()
      return json({ ...grantFor(), refreshToken: 'r2' })
    }
    const storage = memoryStorage({ [key]: 'r1' })
    const backend = createJsonBackend({ fetch, storage })
    await expect(backend.refresh({ signal: abort.signal })).rejects.toThrow('aborted')
    expect(storage.map.get(key)).toBe('r1')
  })

  it('keeps it in a variable where the browser denies storage', async () => {
    vi.stubGlobal('window', {
      get localStorage() {
        throw new DOMException('Denied', 'SecurityError')
      },
    })
    const { fetch, sent } = stubFetch(
      json({ ...grantFor(), refreshToken: 'r1' }),
      json({ ...grantFor(), refreshToken: 'r2' }),
    )
    const backend = createJsonBackend({ fetch })
    await backend.login(credentials)
    await backend.refresh()
    await backend.logout({ getAccessToken })
    await backend.logout({ getAccessToken })
    expect(sent.slice(1).map(({ body }) => body)).toEqual([
      { refreshToken: 'r1' },
      { refreshToken: 'r2' },
    ])
    // R8: the tab that has it must not be signed out by one that has not.
    await expect(backend.refresh()).rejects.toBeInstanceOf(MissingRefreshTokenError)
    expect(sent).toHaveLength(3)
  })

  it('signs out with the refresh token, and no longer refreshes with it while the API is asked', async () => {
    const storage = memoryStorage({ [key]: 'r1' })
    const { fetch, sent } = stubFetch(json(null))
    const backend = createJsonBackend({ fetch, storage })
    const signedOut = backend.logout({ getAccessToken })
    await expect(backend.refresh()).rejects.toBeInstanceOf(MissingRefreshTokenError)
    await signedOut

    expect(sent.map(({ body }) => body)).toEqual([{ refreshToken: 'r1' }])
    expect(storage.map.size).toBe(0)
  })

  describe('a sign-out that does not reach the API', () => {
    /** Signed out while the API was down. */
    async function signOutWhileDown() {
      const storage = memoryStorage({ [key]: 'r1' })
      const { fetch } = stubFetch(new TypeError('Failed to fetch'))
      const { logout } = createJsonBackend({ fetch, storage })
      await expect(logout({ getAccessToken })).rejects.toThrow('Failed to fetch')
      return storage
    }

    it('R13: is told by the next page, which never refreshes with that token', async () => {
      const storage = await signOutWhileDown()
      const { fetch, sent } = stubFetch(json(null))
      const backend = createJsonBackend({ fetch, storage })
      await expect(backend.refresh()).rejects.toBeInstanceOf(MissingRefreshTokenError)
      await backend.logout({ getAccessToken })

      expect(sent.map(({ body }) => body)).toEqual([{ refreshToken: 'r1' }])
      expect(storage.map.size).toBe(0)
    })

    it('R13: is told with the next sign-in, whose own token stays', async () => {
      const storage = await signOutWhileDown()
      const { fetch, sent } = stubFetch(json({ ...grantFor(), refreshToken: 'r2' }), json(null))
      await createJsonBackend({ fetch, storage }).login(credentials)
      await vi.waitFor(() => expect(storage.map).toEqual(new Map([[key, 'r2']])))
      expect(sent.at(-1)).toMatchObject({ body: { refreshToken: 'r1' } })
    })

    it('R13: ends the session at the API once that is back and the page reloads', async () => {
      const { browser, control, fetch } = createMockBrowser()
      const storage = memoryStorage()
      const open = () =>
        createAuth({ backend: createJsonBackend({ fetch, storage }), tabs: browser.openTab() })
      const auth = open()
      await auth.login({ username: 'demo', password: 'password' })
      const refreshToken = storage.map.get(key)
      await control('faults', { path: '/api/auth/logout', times: 1, status: 503 })
      await auth.logout()

      const reloaded = open()
      await reloaded.restore()
      expect(reloaded.status.value).toBe('anonymous')
      expect(storage.map.size).toBe(0)
      const refreshed = await fetch('/api/auth/refresh', {
        method: 'POST',
        body: JSON.stringify({ refreshToken }),
        headers: { 'content-type': 'application/json' },
      })
      expect(refreshed.status).toBe(401)
    })

    it('keeps no token that the API refuses', async () => {
      const storage = await signOutWhileDown()
      const { fetch } = stubFetch(json({}, 401))
      await expect(
        createJsonBackend({ fetch, storage }).logout({ getAccessToken }),
      ).rejects.toMatchObject({ status: 401 })
      expect(storage.map.size).toBe(0)
    })
  })
})
