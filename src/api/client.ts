/** The app's one client for its API. Every resource in this folder is a few functions on it. */
import { createApiClient, useAuthStore } from '@/auth/index.ts'

export const api = createApiClient({
  baseURL: import.meta.env.VITE_API_BASE_URL,
  session: () => useAuthStore(),
})
