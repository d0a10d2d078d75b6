/**
 * The API on another origin than the app's, in both modes of keeping the refresh token. The app is
 * built for each; `localhost` and `127.0.0.1` are two sites, two ports of one are one site.
 */
import { tmpdir } from 'node:os'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import type { Page } from '@playwright/test'
import { H3, serve } from 'h3'
import { build, preview } from 'vite'
import { createMockServer } from '../../mock-server/app.ts'
import {
  everyEngine,
  expect,
  expectDashboard,
  expectHeading,
  goHome,
  openPage,
  signIn,
  signOut,
  submitSignIn,
  test as base,
} from './fixtures.ts'

/** One for each of the workers. */
const PORT = 4181 + Number(process.env.TEST_PARALLEL_INDEX)
const PAGE = `http://localhost:${PORT}`

interface Options {
  mode: 'cookie' | 'json'
  /** The name of the host that the API is called by. */
  host: 'localhost' | '127.0.0.1'
}

interface Fixtures extends Options {
  /** The API's own log, as `METHOD path status`. */
  api: {
    origin: string
    page: string
    log: () => string[]
    control: (name: string) => Promise<unknown>
  }
}

const test = base.extend<Fixtures>({
  mode: ['cookie', { option: true }],
  host: ['localhost', { option: true }],
  baseURL: async ({ api }, use) => use(api.page),

  api: [
    async ({ mode, host }, use) => {
      const app = createMockServer({ allowedOrigins: [PAGE] })
      const log: string[] = []
      const logged = new H3().all('/**', async ({ req, url }) => {
        const response = await app.fetch(req)
        log.push(`${req.method} ${url.pathname} ${response.status}`)
        return response
      })
      const server = serve(logged, { port: 0, hostname: '127.0.0.1', silent: true })
      await server.ready()
      const url = new URL(server.url!)
      url.hostname = host

      const outDir = await mkdtemp(join(tmpdir(), 'origins-'))
      process.env.VITE_API_BASE_URL = `${url.origin}/api`
      process.env.VITE_REFRESH_TOKEN_MODE = mode
      const common = { logLevel: 'error', build: { outDir, emptyOutDir: true } } as const
      await build(common)
      const page = await preview({ ...common, preview: { port: PORT, strictPort: true } })
      delete process.env.VITE_API_BASE_URL
      delete process.env.VITE_REFRESH_TOKEN_MODE

      await use({
        origin: url.origin,
        page: PAGE,
        log: () => log,
        control: async (name) => app.request(`/api/__mock/${name}`, { method: 'POST' }),
      })
      await page.close()
      await server.close(true)
      await rm(outDir, { recursive: true })
    },
    { auto: true },
  ],
})

async function staySignedIn({ page, api }: { page: Page; api: Fixtures['api'] }) {
  const tokens: string[] = []
  page.on('request', (request) => {
    if (request.headers().authorization) tokens.push(new URL(request.url()).origin)
  })
  await signIn(page)
  await api.control('expire-access')
  await goHome(page)
  await openPage(page, 'Dashboard')
  await expectDashboard(page)
  expect(api.log().filter((line) => line === 'POST /api/auth/refresh 200')).toHaveLength(1)
  // With a token and another origin, every call asks for permission first.
  expect(api.log().join('\n')).toMatch(/OPTIONS \/api\/(?!auth\/(?:login|refresh)).* 204/)

  await page.reload()
  await expectDashboard(page)
  expect(api.log().filter((line) => line === 'POST /api/auth/refresh 200')).toHaveLength(2)

  await signOut(page)
  await expect(page).toHaveURL('/login')
  await expect.poll(() => api.log()).toContain('POST /api/auth/logout 204')
  // R5: the page's own origin gets no token.
  expect(new Set(tokens)).toEqual(new Set([api.origin]))
}

test.describe('the API on another origin of the same site, cookie mode', everyEngine, () => {
  test.use({ mode: 'cookie', host: 'localhost' })

  test('signs in, refreshes once, keeps the session over a reload, signs out', staySignedIn)
})

// And so on another origin of the same site, which takes less.
test.describe('the API on another site, json mode', () => {
  test.use({ mode: 'json', host: '127.0.0.1' })

  test('signs in, refreshes once, keeps the session over a reload, signs out', staySignedIn)
})

test.describe('the API on another site, cookie mode', () => {
  test.use({ mode: 'cookie', host: '127.0.0.1' })

  test(
    'a SameSite=Strict cookie stays behind: a reload signs out',
    everyEngine,
    async ({ page, api }) => {
      await signIn(page)
      await page.reload()
      await expectHeading(page, 'Sign in')
      expect(api.log()).toContain('POST /api/auth/refresh 401')
      await submitSignIn(page)
      await expectDashboard(page)
    },
  )
})
