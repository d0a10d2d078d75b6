/// <reference types="vite/client" />

interface ImportMetaEnv {
  /** In development: whether the mock server answers (mock-server/vite.ts). */
  readonly MOCK?: boolean
  /** Where the API is: a path on this origin or an absolute URL. Default `/api`. */
  readonly VITE_API_BASE_URL?: string
  /** Who keeps the refresh token: an HttpOnly cookie (default) or this app, in localStorage. */
  readonly VITE_REFRESH_TOKEN_MODE?: 'cookie' | 'json'
}
