/** What takes the place of src/api/backend.ts in tests: the cookie back end, at /api. */
import { createCookieBackend } from '@/auth/index.ts'

export const baseURL = '/api'

export const backend = createCookieBackend({ baseURL })
