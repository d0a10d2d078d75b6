import ky from 'ky'
import { createAuthFetch } from '@/auth/index.ts'
import { useAuthStore } from '@/stores/auth.ts'

const fetch = createAuthFetch({ auth: () => useAuthStore(), baseURL: '/api' })

export const http = ky.create({ prefixUrl: '/api', fetch })
