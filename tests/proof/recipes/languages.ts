import type { Router } from 'vue-router'
import { installAuthGuard } from '@/auth/index.ts'
import type { AuthGuardOptions } from '@/auth/index.ts'
import { useAuthStore } from '@/stores/auth.ts'

type Path = AuthGuardOptions['login']

/** In the language of the page that is asked for, such as `/fr/login` for `/fr/dashboard`. */
const inLanguage =
  (path: string): Path =>
  ({ params }) =>
    `/${String(params.lang ?? 'en')}${path}`

export function installGuard(router: Router): () => void {
  return installAuthGuard(router, {
    auth: useAuthStore(),
    login: inLanguage('/login'),
    home: inLanguage('/dashboard'),
    forbidden: inLanguage('/forbidden'),
  })
}
