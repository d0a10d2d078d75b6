/**
 * What a person does in Chromium, once for each server. Refreshes are counted in the servers' logs.
 * Each test adds a row to the table that .ci/backends prints.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { expect, test } from '@playwright/test'
import type { BrowserContext, Page } from '@playwright/test'
import { personIn, signOut } from '../../e2e/fixtures.ts'
import { APP, APP_ELSEWHERE, addResult, createServerProcess } from './server.ts'
import type { ServerName, ServerProcess } from './server.ts'

/** In the builds: as the issuer, and as the API of another origin. */
const PORT = '8093'
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const folder = process.env.BACKENDS_DIR!

/** What a thief would take: the refresh token in localStorage, or all cookies. */
interface Copy {
  token: string | null
  cookie: string
}

interface Real {
  name: ServerName
  /** Where nginx passes `/api/` on to. */
  api: '/' | '/api/'
  username?: string
  /** Where the session is kept in the browser. */
  keeps: 'cookie' | 'storage'
  /** Whether there are access tokens. They live for 15 minutes. */
  hasTokens: boolean
  refreshPath: string
  /** A refresh with a copy of the session. */
  refresh: (origin: string, copy: Copy) => Promise<Response>
  rotates: boolean
  /** The request that ends the session at the server. Undefined: there is none. */
  signOut?: RegExp
  /** How many refreshes a sign-out needs, if it finds no access token that may be sent. */
  refreshesToSignOut: number
  /** Whether a disabled person's refresh is refused. Undefined: it has no accounts to disable. */
  refusesDisabled?: boolean
  /** What the sign-in page says of a wrong password. */
  wrong: string
  /** What the API says of a name of one letter. Undefined: it takes any. */
  tooShort?: string
}

const post = (url: string, body: object, headers = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
const get = (url: string, { cookie }: Copy) => fetch(url, { headers: { cookie } })

const servers: Real[] = [
  {
    name: 'express',
    api: '/',
    keeps: 'storage',
    hasTokens: true,
    refreshPath: '/refresh-token',
    refresh: (origin, { token }) => post(`${origin}/refresh-token`, { refreshToken: token }),
    rotates: false,
    refreshesToSignOut: 0,
    wrong: 'Wrong username or password.', // The API says “Unauthorized”.
  },
  {
    name: 'fastapi',
    api: '/',
    keeps: 'storage',
    hasTokens: true,
    refreshPath: '/refresh',
    refresh: (origin, { token }) => post(`${origin}/refresh`, { refresh_token: token }),
    rotates: true,
    signOut: /\/logout$/,
    refreshesToSignOut: 0,
    wrong: 'Incorrect username or password',
    tooShort: 'ensure this value has at least 2 characters',
  },
  {
    name: 'simplejwt',
    api: '/api/',
    keeps: 'storage',
    hasTokens: true,
    refreshPath: '/token/refresh/',
    refresh: (origin, { token }) => post(`${origin}/api/token/refresh/`, { refresh: token }),
    rotates: true,
    signOut: /\/token\/blacklist\/$/,
    refreshesToSignOut: 0,
    refusesDisabled: false,
    wrong: 'No active account found with the given credentials',
    tooShort: 'Ensure this field has at least 2 characters.',
  },
  {
    name: 'nest',
    api: '/',
    keeps: 'cookie',
    hasTokens: true,
    refreshPath: '/auth/refresh',
    refresh: (origin, { cookie }) => post(`${origin}/auth/refresh`, {}, { cookie }),
    rotates: true,
    signOut: /\/auth\/logout$/,
    refreshesToSignOut: 1,
    wrong: 'Wrong name or password, or the account is locked',
    tooShort: 'name must be longer than or equal to 2 characters',
  },
  {
    name: 'better-auth',
    api: '/api/',
    username: 'demo@example.com',
    keeps: 'cookie',
    hasTokens: true,
    refreshPath: '/auth/token',
    refresh: (origin, copy) => get(`${origin}/api/auth/token`, copy),
    rotates: false,
    signOut: /\/auth\/sign-out$/,
    refreshesToSignOut: 0,
    wrong: 'Invalid email or password',
  },
  {
    name: 'better-auth-session',
    api: '/api/',
    username: 'demo@example.com',
    keeps: 'cookie',
    hasTokens: false,
    refreshPath: '/auth/get-session',
    refresh: (origin, copy) => get(`${origin}/api/auth/get-session`, copy),
    rotates: false,
    signOut: /\/auth\/sign-out$/,
    refreshesToSignOut: 0,
    wrong: 'Invalid email or password',
  },
  {
    name: 'session',
    api: '/api/',
    keeps: 'cookie',
    hasTokens: false,
    refreshPath: '/user',
    refresh: (origin, copy) => get(`${origin}/api/user`, copy),
    rotates: false,
    signOut: /\/logout$/,
    refreshesToSignOut: 0,
    wrong: 'Unable to log in with provided credentials.',
    tooShort: 'Ensure this field has at least 2 characters.',
  },
  {
    name: 'oidc',
    api: '/',
    keeps: 'storage',
    hasTokens: true,
    refreshPath: '/token',
    refresh: (origin, { token }) => {
      const form = { grant_type: 'refresh_token', client_id: 'web', refresh_token: token! }
      return fetch(`${origin}/token`, { method: 'POST', body: new URLSearchParams(form) })
    },
    rotates: true,
    signOut: /\/token\/revocation$/,
    refreshesToSignOut: 0,
    refusesDisabled: true,
    wrong: 'Wrong',
  },
]

for (const real of servers) {
  test.describe(real.name, () => {
    const { keeps, hasTokens, rotates } = real
    const isOidc = real.name === 'oidc'
    let server: ServerProcess
    let nginx: { stop: () => void }
    let now = Date.now()
    let before = 0

    test.beforeAll(async () => {
      server = await createServerProcess(real.name, {}, PORT)
      server.setClock(now)
      await server.start()
      nginx = startNginx(real, server)
    })
    test.afterAll(async () => {
      nginx.stop()
      await server.remove()
    })
    test.beforeEach(() => {
      before = server.refreshes()
    })
    test.afterEach(() => {
      const { title, status, duration } = test.info()
      addResult({
        where: 'Chromium',
        server: real.name,
        journey: title,
        refreshes: refreshes(),
        passed: status === 'passed',
        seconds: duration / 1000,
      })
    })

    const refreshes = () => server.refreshes() - before
    function elapse(milliseconds: number): void {
      now += milliseconds
      server.setClock(now)
    }

    async function signIn(page: Page, path = '/dashboard', password = 'password'): Promise<void> {
      await page.goto(path)
      await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
      if (isOidc) {
        await page.getByRole('button', { name: 'Continue to sign-in' }).click()
        await page.getByLabel('Login').fill('demo')
      } else {
        await page.getByLabel('Username').fill(real.username ?? 'demo')
      }
      await page.getByLabel('Password', { exact: true }).fill(password)
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    }
    async function signedIn(page: Page, app = APP): Promise<void> {
      await signIn(page, `${app}/dashboard`)
      await expect(page).toHaveURL(`${app}/dashboard`)
      await expectSignedIn(page)
    }

    /** Its own refresh is not counted. */
    async function openSecondTab(context: BrowserContext): Promise<Page> {
      const page = await context.newPage()
      await page.goto('/dashboard')
      await expectSignedIn(page)
      before = server.refreshes()
      return page
    }

    async function copyOf(page: Page): Promise<Copy> {
      const cookies = await page.context().cookies(`http://localhost:${PORT}`)
      return {
        token: await page.evaluate(() => localStorage.getItem('auth.refresh-token')),
        cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; '),
      }
    }
    /** Whether a copy is worth a session at the server. It is no refresh of the app. */
    async function isAlive(copy: Copy): Promise<boolean> {
      const counted = server.refreshes()
      const response = await real.refresh(server.origin, copy)
      const alive = response.ok && (await response.text()) !== 'null'
      await expect.poll(server.refreshes).toBeGreaterThan(counted)
      before += server.refreshes() - counted
      return alive
    }
    async function expectDead(copies: Copy[]): Promise<void> {
      for (const copy of copies) expect(await isAlive(copy), copy.cookie).toBe(false)
    }
    /** Signs out, and waits until the server has been told, if it can be. */
    async function signOutOf(page: Page): Promise<void> {
      const told = real.signOut && page.waitForResponse(real.signOut)
      await signOut(page)
      await told
      if (isOidc) await page.getByRole('button', { name: /yes/i }).click()
      await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
    }

    test('sign-in leads back to the page', async ({ page }) => {
      await signIn(page, '/dashboard?from=here')
      await expect(page).toHaveURL(`${APP}/dashboard?from=here`)
      await expectSignedIn(page)
      await page.screenshot({ path: `${folder}/shots/${real.name}-signed-in.png` })
      expect(refreshes()).toBe(0)
    })

    test('a wrong password is told in words', async ({ page }) => {
      await signIn(page, '/login', 'wrong')
      await expect(page.getByRole('alert')).toContainText(real.wrong)
      await page.screenshot({ path: `${folder}/shots/${real.name}-wrong.png` })
      expect(refreshes()).toBe(0)
    })

    if (real.tooShort) {
      test('an error is told at its field, and can be corrected', async ({ page }) => {
        await signedIn(page)
        await page.getByRole('button', { name: 'New project' }).click()
        const name = page.getByRole('dialog').getByLabel('Name')
        await name.fill('x')
        await page.getByRole('button', { name: 'Add project' }).click()
        await expect(name).toHaveAccessibleDescription(real.tooShort!)
        await expect(page.getByRole('alert')).toHaveText('Check the fields that are marked.')
        await page.screenshot({ path: `${folder}/shots/${real.name}-field.png` })
        await name.fill('Harbour')
        await page.getByRole('button', { name: 'Add project' }).click()
        await expect(page.getByText('Added “Harbour”.')).toBeVisible()
      })
    }

    if (hasTokens) {
      test('ten calls with a dead token: one refresh', async ({ page }) => {
        await signedIn(page)
        elapse(16 * MINUTE)
        expect(await callTimes(page, 10)).toEqual(Array(10).fill('ok'))
        await expect.poll(refreshes).toBe(1)
      })
    }

    test('a reload: one refresh', async ({ page }) => {
      await signedIn(page)
      await page.reload()
      await expectSignedIn(page)
      expect(await callTimes(page, 1)).toEqual(['ok'])
      expect(refreshes()).toBe(1)
    })

    if (hasTokens) {
      test('two tabs with a dead token: one refresh', async ({ page, context }) => {
        await signedIn(page)
        const second = await openSecondTab(context)
        elapse(16 * MINUTE)
        const answers = await Promise.all([callTimes(page, 5), callTimes(second, 5)])
        expect(answers.flat()).toEqual(Array(10).fill('ok'))
        expect(refreshes()).toBe(1)
      })
    }

    test('two tabs reloaded at once stay signed in', async ({ page, context }) => {
      await signedIn(page)
      const second = await openSecondTab(context)
      await Promise.all([page.reload(), second.reload()])
      await Promise.all([expectSignedIn(page), expectSignedIn(second)])
      expect((await callTimes(page, 1)).concat(await callTimes(second, 1))).toEqual(['ok', 'ok'])
    })

    if (keeps === 'cookie') {
      test('R16: F5 in mid-refresh: still signed in', async ({ page }) => {
        await signedIn(page)
        server.pause()
        const sent = page.waitForRequest((request) => isRefresh(request.url()))
        await page.reload({ waitUntil: 'commit' })
        await sent
        await page.reload({ waitUntil: 'commit' })
        server.resume() // It answers a page that is gone.
        await expectSignedIn(page)
        expect(await callTimes(page, 1)).toEqual(['ok'])
      })
    } else {
      const end = rotates ? 'the answer is lost, the session ends' : 'still signed in'
      test(`R16: F5 in mid-refresh: ${end}`, async ({ page }) => {
        await signedIn(page)
        let reached = () => {}
        const arrived = new Promise<void>((resolve) => (reached = resolve))
        await page.route(
          (url) => isRefresh(url.href),
          async (route) => {
            await route.fetch()
            reached() // Replaced at the server; the answer never comes.
          },
          { times: 1 },
        )
        elapse(16 * MINUTE)
        void callTimes(page, 1).catch(() => {})
        await arrived
        await page.reload()
        // The refresh token is in JSON: the answer that is lost takes the new one along.
        if (rotates) await expectSessionEnded(page)
        else await expectSignedIn(page)
      })
    }

    test('server down and back: still signed in', async ({ page }) => {
      await signedIn(page)
      await server.stop()
      elapse(16 * MINUTE)
      expect(await callTimes(page, 3)).not.toContain('ok')
      await expectSignedIn(page)
      await server.start()
      await page.evaluate(() => window.dispatchEvent(new Event('online')))
      expect(await callTimes(page, 3)).toEqual(['ok', 'ok', 'ok'])
      expect(refreshes()).toBe(hasTokens ? 1 : 0)
    })

    test('a refused refresh ends the session, once', async ({ page }) => {
      await signedIn(page)
      elapse(8 * DAY)
      await callTimes(page, 3)
      await expectSessionEnded(page)
      await page.screenshot({ path: `${folder}/shots/${real.name}-ended.png` })
      expect(refreshes()).toBe(1)
    })

    const worth = real.signOut ? 'dead at the server' : 'alive: the server has no sign-out'
    test(`sign-out: a copy of the session is ${worth}`, async ({ page, browser }) => {
      const another = await browser.newContext()
      const stays = await another.newPage()
      await signedIn(stays)
      expect(await isAlive(await copyOf(stays))).toBe(true)
      await another.close()

      await signedIn(page)
      const copy = await copyOf(page)
      await signOutOf(page)
      expect((await copyOf(page)).token).toBeNull()
      expect(await isAlive(copy)).toBe(!real.signOut)
      expect(refreshes()).toBe(0)
    })

    if (real.signOut) {
      const late = hasTokens ? ' with a dead token' : ''
      test(`sign-out in the other tab${late}: dead at the server`, async ({ page, context }) => {
        await signedIn(page)
        const second = await openSecondTab(context)
        const copies = watchCookies(context)
        copies.push(await copyOf(page))
        elapse(16 * MINUTE)
        await signOutOf(second)
        await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
        await expectDead(copies)
        expect(refreshes()).toBe(real.refreshesToSignOut)
      })
    }

    const told = keeps === 'cookie' ? 'dead at the server' : 'gone from the browser alone'
    test(`sign-out while the server is down, then a reload: ${told}`, async ({ page, context }) => {
      await signedIn(page)
      const copies = watchCookies(context)
      copies.push(await copyOf(page))
      await server.stop()
      await signOut(page)
      await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
      await server.start()
      const sent = keeps === 'cookie' ? page.waitForResponse(real.signOut!) : undefined
      await page.reload()
      await sent
      await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
      expect((await copyOf(page)).token).toBeNull()
      // In JSON, the token to tell it with is gone: nobody has it any more.
      if (keeps === 'storage') expect(await isAlive(copies[0]!)).toBe(true)
      else await expectDead(copies)
      expect(refreshes()).toBe(real.refreshesToSignOut)
    })

    test('another origin: sign-in, ten calls, a reload, a sign-out', async ({ page }) => {
      const toApp: string[] = []
      page.on('request', (request) => {
        if (request.url().startsWith(`${APP_ELSEWHERE}/api`)) toApp.push(request.url())
      })
      await signedIn(page, APP_ELSEWHERE)
      elapse(16 * MINUTE)
      expect(await callTimes(page, 10)).toEqual(Array(10).fill('ok'))
      await expect.poll(refreshes).toBe(hasTokens ? 1 : 0)
      await page.reload()
      await expectSignedIn(page)
      const copy = await copyOf(page)
      await signOutOf(page)
      expect(await isAlive(copy)).toBe(!real.signOut)
      expect(refreshes()).toBe(hasTokens ? 2 : 1)
      expect(toApp).toEqual([])
    })

    const isRefresh = (url: string) => new URL(url).pathname.endsWith(real.refreshPath)

    if (isOidc) {
      test('after a sign-out the provider asks for the password', async ({ page }) => {
        await signedIn(page)
        await signOut(page)
        await page.getByRole('button', { name: /yes/i }).click()
        await page.getByRole('button', { name: 'Continue to sign-in' }).click()
        await expect(page.getByLabel('Password')).toBeVisible()
        await page.screenshot({ path: `${folder}/shots/oidc-provider.png` })
      })

      test('a cancelled sign-in has words of its own', async ({ page }) => {
        await page.goto('/dashboard')
        await page.getByRole('button', { name: 'Continue to sign-in' }).click()
        await page.getByRole('button', { name: 'Cancel' }).click()
        await expect(page.getByRole('alert')).toHaveText(/You cancelled the sign-in/)
        await page.screenshot({ path: `${folder}/shots/oidc-cancelled.png` })
        await page.getByRole('link', { name: 'Sign in again' }).click()
        await expect(page).toHaveURL(/\/login\?redirect=\/dashboard$/)
      })

      test('a forged state has words of its own', async ({ page }) => {
        await page.goto('/callback?code=theirs&state=forged')
        await expect(page.getByRole('alert')).toHaveText(/started elsewhere or is already finished/)
        await expect(page).not.toHaveURL(/code=/)
        await page.screenshot({ path: `${folder}/shots/oidc-forged.png` })
      })
    }

    if (real.refusesDisabled !== undefined) {
      test('a disabled person: no loop of refreshes', async ({ page }) => {
        await signedIn(page)
        server.disable()
        elapse(16 * MINUTE)
        expect(await callTimes(page, 3)).not.toContain('ok')
        if (real.refusesDisabled) await expectSessionEnded(page)
        else await expectSignedIn(page)
        expect(refreshes()).toBe(1)
      })
    }
  })
}

/** `api` is put on window in the copy that .ci/backends builds. */
function callTimes(page: Page, times: number): Promise<string[]> {
  return page.evaluate(async (count) => {
    const { api } = window as unknown as { api: (path: string) => Promise<unknown> }
    const calls = Array.from({ length: count }, () => api('/projects'))
    const answers = await Promise.allSettled(calls)
    return answers.map(({ status }) => (status === 'fulfilled' ? 'ok' : 'failed'))
  }, times)
}

/** All cookies that the server sets from now on: the session may get another one on its way to the end. */
function watchCookies(context: BrowserContext): Copy[] {
  const copies: Copy[] = []
  context.on('response', async (response) => {
    const lines = await response.headerValue('set-cookie').catch(() => null)
    for (const line of lines?.split('\n') ?? []) {
      copies.push({ token: null, cookie: line.replace(/;.*/, '') })
    }
  })
  return copies
}

async function expectSignedIn(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { name: 'Dashboard' })).toBeVisible()
  await expect(personIn(page)).toBeVisible()
}

async function expectSessionEnded(page: Page): Promise<void> {
  await expect(page).toHaveURL(/\/login\?redirect=\/dashboard/)
  await expect(page.getByRole('status')).toContainText('Your session has ended')
}

/** The example of docs/deploy.md in front of `server`, and beside it the build that calls another origin. */
function startNginx({ name, api }: Real, { data, origin }: ServerProcess) {
  const docs = readFileSync(new URL('../../../docs/deploy.md', import.meta.url), 'utf8')
  const [page, atRoot] = [...docs.matchAll(/```nginx\n([^]*?)```/g)].map(([, block]) => block!)
  const site = (app: string, build: string) =>
    page!
      .replace('listen 8081', `listen 127.0.0.1:${new URL(app).port}`)
      .replace('/srv/app', `${folder}/${build}`)
      .replace(/ *proxy_pass .*\n/, (line) => (api === '/' ? atRoot! : line))
      .replaceAll('http://127.0.0.1:8080', origin)
  const config = `${data}/nginx.conf`
  mkdirSync(`${data}/body`, { recursive: true })
  writeFileSync(
    config,
    `pid ${data}/nginx.pid; error_log ${data}/nginx.log; events {} http {
    include /etc/nginx/mime.types; access_log off; client_body_temp_path ${data}/body;
    ${site(APP, `app-${name}`)} ${site(APP_ELSEWHERE, `app-${name}-elsewhere`)}}`,
  )
  execFileSync('nginx', ['-c', config])
  return { stop: () => void execFileSync('nginx', ['-c', config, '-s', 'stop']) }
}
