/** Which back end the app signs in to. Replace this file for another API (docs/backends.md). */
import { createCookieBackend, createJsonBackend, sharedName } from '@/auth/index.ts'

const { BASE_URL, VITE_API_BASE_URL, VITE_REFRESH_TOKEN_MODE } = import.meta.env

/** Where the API is. CI may set the variable to nothing. */
export const baseURL = VITE_API_BASE_URL || '/api'

export const backend =
  VITE_REFRESH_TOKEN_MODE === 'json'
    ? createJsonBackend({
        baseURL,
        key: `${sharedName({ app: BASE_URL, api: baseURL })}.refresh-token`,
      })
    : createCookieBackend({ baseURL })
