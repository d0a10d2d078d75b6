/** A browser, a back end, and what tests of `src/auth` do with them: open tabs, sign in, call the API. */
import { vi } from 'vitest'
import { createApiClient, createAuth } from '@/auth/index.ts'
import type { AuthOptions, PasswordCredentials } from '@/auth/index.ts'
import { ok, unauthorized } from './api.ts'
import { createManualBackend, grantFor } from './backend.ts'
import { FakeBrowser } from './browser.ts'
import type { BrowserOptions } from './browser.ts'
import { elapse } from './time.ts'

export const baseURL = 'https://api.example/v1'
export const credentials = { username: 'ada', password: 'secret' }

export type Auth = ReturnType<typeof createAuth<PasswordCredentials>>

export function createWorld(options?: BrowserOptions) {
  const backend = createManualBackend()
  const browser = new FakeBrowser(options)

  function openTab(options: Partial<AuthOptions> = {}): Auth {
    return createAuth({ backend, tabs: browser.openTab(), random: () => 0, ...options })
  }

  async function signIn(auth = openTab(), grant = grantFor()): Promise<Auth> {
    const signedIn = auth.login(credentials)
    await elapse()
    backend.latest('login').grant(grant)
    await signedIn
    await elapse()
    return auth
  }

  /** Answers every refresh at once. */
  function grantAll() {
    vi.spyOn(backend, 'refresh').mockImplementation(async () => grantFor())
    return vi.mocked(backend.refresh)
  }

  return { backend, browser, openTab, signIn, grantAll }
}

/** A client whose API answers 401 on the given routes, and to dead tokens. */
export function openClient(
  auth: Auth,
  refuses: (path: string, search: string) => boolean = () => false,
) {
  const dead = new Set<string | null>()
  const paths: string[] = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const { pathname, search } = new URL(String(input))
    paths.push(pathname)
    const isDead = dead.has(new Headers(init?.headers).get('authorization'))
    return refuses(pathname, search) || isDead ? unauthorized() : ok()
  }
  const api = createApiClient({ baseURL, auth, fetch })
  return { api, paths, kill: () => dead.add(`Bearer ${auth.accessToken.value}`) }
}
