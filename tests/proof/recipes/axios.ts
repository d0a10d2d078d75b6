import axios from 'axios'
import { baseURL } from '@/api/backend.ts'
import { createAuthFetch } from '@/auth/index.ts'
import { useAuthStore } from '@/stores/auth.ts'

const fetch = createAuthFetch({ auth: () => useAuthStore(), baseURL })

export const http = axios.create({ baseURL, adapter: 'fetch', env: { fetch } })
