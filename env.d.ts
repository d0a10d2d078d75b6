/// <reference types="vite/client" />

interface ImportMetaEnv {
  /** Where the API is: a path on this origin or an absolute URL. Default `/api`. */
  readonly VITE_API_BASE_URL?: string
  /** Who keeps the refresh token: an HttpOnly cookie (default) or this app, in localStorage. */
  readonly VITE_REFRESH_TOKEN_MODE?: 'cookie' | 'json'
  /** Whether the mock answers, and no API of `API_PROXY_TARGET` (vite.config.ts). */
  readonly HAS_MOCK: boolean
}
