import ky from 'ky'
import { baseURL } from '@/api/backend.ts'
import { createAuthFetch } from '@/auth/index.ts'
import { useAuthStore } from '@/stores/auth.ts'

const fetch = createAuthFetch({ auth: () => useAuthStore(), baseURL })

export const http = ky.create({ prefixUrl: baseURL, fetch })
