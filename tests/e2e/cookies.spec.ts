/**
 * A page on another port of this host plants cookies of its own beside the refresh cookie: ports
 * share one set of cookies. Over https with a certificate that is made here.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import type { APIRequestContext, Page } from '@playwright/test'
import { preview } from 'vite'
import {
  expect,
  expectDashboard,
  expectHeading,
  expectPerson,
  REFRESH,
  signIn,
  signOut,
  submitSignIn,
  test as base,
} from './fixtures.ts'

type Scheme = 'http' | 'https'

interface Fixtures {
  scheme: Scheme
  /** The app, and the page on another port. */
  site: { origin: string; cookieName: string; attacker: string }
}

const test = base.extend<Fixtures>({
  scheme: ['http', { option: true }],
  baseURL: async ({ site }, use) => use(site.origin),
  ignoreHTTPSErrors: true,

  site: async ({ scheme }, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'cookies-'))
    process.env.XDG_CACHE_HOME = folder
    const https = scheme === 'https' ? createCertificate(folder) : undefined
    const app = await preview({ logLevel: 'error', preview: { port: 0, host: '127.0.0.1', https } })
    const other = https ? createHttpsServer(https) : createHttpServer()
    // Sets the cookies that its query names, by header and by script.
    other.on('request', ({ url }, response) => {
      const cookies = new URL(url!, 'http://x').searchParams.getAll('cookie')
      response.setHeader('Set-Cookie', cookies)
      response.setHeader('Content-Type', 'text/html')
      response.end(`<script>${cookies.map(toScript).join('\n')}</script>`)
    })
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))

    const { port } = app.httpServer.address() as AddressInfo
    await use({
      origin: `${scheme}://localhost:${port}`,
      cookieName: https ? '__Host-refresh_token' : `refresh_token_${port}`,
      attacker: `${scheme}://localhost:${(other.address() as AddressInfo).port}`,
    })
    await app.close()
    other.closeAllConnections()
    other.close()
    delete process.env.XDG_CACHE_HOME
    rmSync(folder, { recursive: true })
  },
})

const toScript = (cookie: string) => `document.cookie = ${JSON.stringify(cookie)}`

function createCertificate(folder: string) {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const subject = ['-subj', '/CN=localhost', '-days', '1']
  const files = ['-keyout', key, '-out', cert]
  execFileSync('openssl', ['req', '-x509', ...curve, ...subject, ...files], { stdio: 'pipe' })
  return { key: readFileSync(key), cert: readFileSync(cert) }
}

/** Opens the page on the other port, which sets cookies of every name that ours may have. */
async function plant(page: Page, { attacker, cookieName }: Fixtures['site'], planted: string) {
  const query = new URLSearchParams()
  for (const name of ['refresh_token', cookieName, '__Host-refresh_token']) {
    query.append('cookie', `${name}=${planted}`)
    query.append('cookie', `${name}=${planted}; Secure`)
  }
  const tab = await page.context().newPage()
  await tab.goto(`${attacker}/?${query}`)
  await tab.close()
}

/** The refresh tokens that the browser would send to a path. */
async function cookiesFor(page: Page, { origin, cookieName }: Fixtures['site'], path: string) {
  const cookies = await page.context().cookies(origin + path)
  return cookies.filter(({ name }) => name === cookieName).map(({ value }) => value)
}

/** Signs in, plants the refresh token of somebody else, and reloads. */
async function plantForeignToken(page: Page, request: APIRequestContext, site: Fixtures['site']) {
  const json = { username: 'admin', password: 'password', mode: 'json' }
  const foreign = await request.post('/api/auth/login', { data: json })
  const { refreshToken } = await foreign.json()
  await signIn(page)
  const own = await cookiesFor(page, site, REFRESH)
  await plant(page, site, `${refreshToken}; Path=/api/auth/refresh`)
  await page.reload()
  return { own, foreign: refreshToken as string }
}

test.describe('over http', () => {
  test.use({ scheme: 'http' })

  test('S4: a planted token is refused, and no cookie deleted', async ({
    page,
    request,
    site,
    mock,
  }) => {
    const { own, foreign } = await plantForeignToken(page, request, site)
    await expectHeading(page, 'Sign in')
    expect(await cookiesFor(page, site, REFRESH)).toEqual([foreign, ...own])
    expect(await mock.statuses(REFRESH)).toEqual([401])

    // The session is still there.
    await page.context().clearCookies({ path: REFRESH })
    const answer = await page.request.post(REFRESH)
    expect((await answer.json()).user.username).toBe('demo')
  })

  test('S7: signing out ends the session although rubbish was planted', async ({
    page,
    request,
    site,
  }) => {
    await signIn(page)
    const [refreshToken] = await cookiesFor(page, site, '/api/auth/logout')
    await plant(page, site, 'rubbish; Path=/api/auth/logout')
    await expectSignOutToEnd(page, request, refreshToken!)
  })
})

test.describe('over https', () => {
  test.use({ scheme: 'https' })

  test('S4: nothing can be planted, S7: and signing out ends the session', async ({
    page,
    request,
    site,
  }) => {
    const { own } = await plantForeignToken(page, request, site)
    await expectDashboard(page)
    await expectPerson(page, 'Demo')
    expect(own).toHaveLength(1)
    const [refreshToken, ...others] = await cookiesFor(page, site, REFRESH)
    expect(others).toEqual([])
    await plant(page, site, 'rubbish; Path=/api/auth/logout')
    await expectSignOutToEnd(page, request, refreshToken!)
  })
})

async function expectSignOutToEnd(page: Page, request: APIRequestContext, refreshToken: string) {
  const answered = page.waitForResponse('**/api/auth/logout')
  await signOut(page)
  expect((await answered).status()).toBe(204)
  await expectHeading(page, 'Sign in')
  const refresh = await request.post(REFRESH, { data: { refreshToken } })
  expect((await refresh.json()).data.code).toBe('refresh_token_invalid')
}

test('S4: signing in on another port signs nobody out here', async ({ page }) => {
  await signIn(page)
  const other = await page.context().newPage()
  const { baseURL } = base.info().project.use
  await other.goto(`${baseURL}/login`)
  await submitSignIn(other, 'admin')
  await expectDashboard(other)

  for (const [tab, name] of [
    [page, 'Demo'],
    [other, 'Admin'],
  ] as const) {
    await tab.reload()
    await expectDashboard(tab)
    await expectPerson(tab, name)
  }
})
