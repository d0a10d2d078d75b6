import { createApiClient } from '@/auth/index.ts'
import { useAuthStore } from '@/stores/auth.ts'

/** Its origin gets the access token too. Name it in `VITE_CONNECT_SRC`. */
export const reports = createApiClient({
  baseURL: 'https://reports.example.com',
  auth: () => useAuthStore(),
})
