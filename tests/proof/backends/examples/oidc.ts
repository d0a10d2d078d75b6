/** OpenID Connect for a public client: code flow with PKCE, checked by oauth4webapi; the refresh is ours. */
import * as oauth from 'oauth4webapi'
import { browserStorage, createRequest, createStoredValue, isRefusal } from '@/auth/index.ts'
import type { AuthBackend, CallOptions } from '@/auth/index.ts'

type Storage = ReturnType<typeof browserStorage>

export interface OidcOptions {
  issuer: string
  clientId: string
  /** Default: `/callback` of this origin. */
  redirectUri?: string
  /** Where the provider leads to after a sign-out. Default: `/login` of this origin. */
  signedOutUri?: string
  /** Refresh token and id_token. Default localStorage. */
  storage?: Storage
  /** What a sign-in needs when it comes back. Default sessionStorage: it belongs to this tab. */
  tabStorage?: Storage
  /** Leaves the page for the provider's sign-out. Default `location.assign`. */
  leave?: (url: string) => void
}

export interface OidcCredentials {
  /** The address that the provider has led back to, whole. */
  callback: string
}

/** No sign-in of this tab has this `state`: started elsewhere, finished already, or forged. */
export class UnknownStateError extends Error {
  override readonly name = 'UnknownStateError'
}

export function createOidcBackend(options: OidcOptions) {
  const { issuer, clientId: client_id, storage = browserStorage() } = options
  const { redirectUri = `${location.origin}/callback` } = options
  const { signedOutUri = `${location.origin}/login`, tabStorage = window.sessionStorage } = options
  const { leave = (url: string) => window.location.assign(url) } = options
  const kept = createStoredValue('auth.refresh-token', storage)
  const idToken = createStoredValue('auth.id-token', storage)
  const pending = createStoredValue('auth.sign-in', tabStorage)

  function keep(refresh: string | null = null, id: string | null = null): void {
    kept.set(refresh)
    idToken.set(id)
  }

  // The nonce says that an id_token is new: a browser whose clock is wrong can sign in.
  const client = { client_id, [oauth.clockTolerance]: 86_400 }
  /** A provider on http is for development. */
  const http = { [oauth.allowInsecureRequests]: issuer.startsWith('http:') }

  let discovery: Promise<oauth.AuthorizationServer> | undefined
  /** Read once in a page, or again after it failed. */
  function discover(): Promise<oauth.AuthorizationServer> {
    const url = new URL(issuer)
    discovery ??= oauth
      .discoveryRequest(url, http)
      .then((response) => oauth.processDiscoveryResponse(url, response))
      .catch((error) => {
        discovery = undefined
        // Its failure is temporary, whatever the status: it refuses no refresh token.
        throw new Error(`The provider's discovery document cannot be read: ${error.message}`)
      })
    return discovery
  }

  /** A provider allows every origin, and so must not be sent cookies. */
  const request = createRequest({ credentials: 'same-origin' })

  /** OAuth takes forms, not JSON. */
  function post(url: string, form: Record<string, string>, { signal }: CallOptions = {}) {
    return request('POST', url, { body: new URLSearchParams({ client_id, ...form }), signal })
  }

  async function userOf(accessToken: string, { signal }: CallOptions = {}) {
    const { userinfo_endpoint } = await discover()
    const claims = await request('GET', userinfo_endpoint!, { accessToken, signal })
    const { sub, preferred_username: username = sub, name = username, roles = [] } = claims
    return { id: sub, username, name, roles }
  }

  /** After a refusal, unless somebody has signed in in another tab. */
  const forget = (token: string | null) => (error: unknown) => {
    if (isRefusal(error) && kept.get() === token) keep()
    throw error
  }

  const backend: AuthBackend<OidcCredentials> = {
    async login({ callback }, { signal } = {}) {
      const url = new URL(callback)
      const started = JSON.parse(pending.get() ?? '{}')
      const state = url.searchParams.get('state')
      if (!state || state !== started.state) throw new UnknownStateError('The state is unknown.')
      pending.set(null)
      const server = await discover()
      const answer = oauth.validateAuthResponse(server, client, url, state)
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        oauth.None(),
        answer,
        redirectUri,
        started.verifier,
        { ...http, signal },
      )
      const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
        expectedNonce: started.nonce,
        requireIdToken: true,
      })
      const { access_token: accessToken, expires_in, refresh_token, id_token } = tokens
      // Asked first: if it fails, whoever was signed in before still is, with their own token.
      const user = await userOf(accessToken, { signal })
      signal?.throwIfAborted() // The person has signed out meanwhile.
      keep(refresh_token, id_token)
      return { accessToken, expiresIn: expires_in!, user }
    },
    async refresh(call) {
      const { token_endpoint } = await discover()
      const token = kept.get()
      const form = { grant_type: 'refresh_token', refresh_token: token ?? '' }
      const answer = await post(token_endpoint!, form, call).catch(forget(token))
      call?.signal?.throwIfAborted()
      // Rotation: the old one is dead.
      keep(answer.refresh_token ?? token, answer.id_token ?? idToken.get())
      return { accessToken: answer.access_token, expiresIn: answer.expires_in }
    },
    getUser: (accessToken, call) => userOf(accessToken, call).catch(forget(kept.get())),
    async logout(call) {
      const [token, id_token_hint] = [kept.get(), idToken.get()]
      keep()
      if (!token) return
      const { revocation_endpoint, end_session_endpoint } = await discover()
      if (revocation_endpoint) await post(revocation_endpoint, { token }, call)
      if (!end_session_endpoint) return
      // The provider's own session: without this, the next sign-in asks for no password.
      const form = { client_id, post_logout_redirect_uri: signedOutUri }
      const query = new URLSearchParams(id_token_hint ? { ...form, id_token_hint } : form)
      leave(`${end_session_endpoint}?${query}`)
    },
  }

  return {
    ...backend,
    /** The provider's sign-in page. `returnTo`: the page of this app to open afterwards. */
    async signInUrl(returnTo?: string): Promise<string> {
      const { authorization_endpoint } = await discover()
      const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
      const verifier = oauth.generateRandomCodeVerifier()
      pending.set(JSON.stringify({ state, nonce, verifier, returnTo }))
      const query = new URLSearchParams({
        client_id,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: 'openid profile offline_access',
        prompt: 'consent', // OpenID Connect §11 asks for it with offline_access.
        state,
        nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
      return `${authorization_endpoint}?${query}`
    },
    /** What `signInUrl` was given, until the sign-in is done. */
    returnTo: (): string | undefined => JSON.parse(pending.get() ?? '{}').returnTo,
  }
}
