import { createCookieBackend, createJsonBackend } from '@/auth/index.ts'
import { hashPassword } from '../../mock-server/users.ts'
import { describeJourneys } from '../support/journeys.ts'
import type { OpenApi } from '../support/journeys.ts'
import { createMockBrowser } from '../support/mock-client.ts'

const users = [
  { id: '1', username: 'admin', name: 'Admin', roles: ['admin', 'user'] },
  { id: '2', username: 'demo', name: 'Demo', roles: ['user'] },
]
const passwordHash = await hashPassword('password', 2)

const openMock =
  (
    createBackend: (baseURL: string, storage: Storage) => ReturnType<typeof createCookieBackend>,
  ): OpenApi =>
  (now) => {
    const accounts = users.map((user) => ({ ...user, passwordHash }))
    const { fetch, cookies } = createMockBrowser({ now, users: accounts })
    return {
      baseURL: 'http://localhost/api',
      fetch,
      createBackend,
      isRefresh: ({ path }) => path === '/api/auth/refresh',
      cookies,
    }
  }

describeJourneys(
  'the mock API, cookie mode',
  { leeway: true, revokes: true },
  openMock((baseURL) => createCookieBackend({ baseURL })),
)
describeJourneys(
  'the mock API, json mode',
  { leeway: true, revokes: true },
  openMock((baseURL, storage) => createJsonBackend({ baseURL, storage })),
)
