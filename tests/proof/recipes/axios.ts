import axios from 'axios'
import { createAuthFetch } from '@/auth/index.ts'
import { useAuthStore } from '@/stores/auth.ts'

const fetch = createAuthFetch({ auth: () => useAuthStore(), baseURL: '/api' })

export const http = axios.create({ baseURL: '/api', adapter: 'fetch', env: { fetch } })
