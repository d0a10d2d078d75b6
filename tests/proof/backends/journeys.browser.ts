/**
 * What a person does in Chromium, once for each server. Refreshes are counted in the servers' logs.
 * Each test adds a row to $BACKENDS_DIR/results, which .ci/backends prints.
 */
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { expect, test } from '@playwright/test'
import type { BrowserContext, Page } from '@playwright/test'
import { personIn, signOut } from '../../e2e/fixtures.ts'
import { createServerProcess } from './server.ts'
import type { ServerName, ServerProcess } from './server.ts'

const APP = 'http://localhost:8092'
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const folder = process.env.BACKENDS_DIR!

interface Real {
  name: ServerName
  /** Where nginx passes `/api/` on to. */
  api: string
  port?: string
  refreshPath: string
  /** A refresh with a copy of the refresh token. */
  refresh: (origin: string, token: string) => Promise<Response>
  rotates: boolean
  revokes: boolean
  /** Whether a disabled person's refresh is refused. Undefined: it has no accounts to disable. */
  refusesDisabled?: boolean
  /** What the sign-in page says of a wrong password. */
  wrong: string
}

const post = (url: string, body: object) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

const servers: Real[] = [
  {
    name: 'express',
    api: '/',
    refreshPath: '/refresh-token',
    refresh: (origin, refreshToken) => post(`${origin}/refresh-token`, { refreshToken }),
    rotates: false,
    revokes: false,
    wrong: 'Wrong username or password.', // The API says “Unauthorized”.
  },
  {
    name: 'fastapi',
    api: '/',
    refreshPath: '/refresh',
    refresh: (origin, refresh_token) => post(`${origin}/refresh`, { refresh_token }),
    rotates: true,
    revokes: true,
    wrong: 'Incorrect username or password',
  },
  {
    name: 'django',
    api: '/api/',
    refreshPath: '/token/refresh/',
    refresh: (origin, refresh) => post(`${origin}/api/token/refresh/`, { refresh }),
    rotates: true,
    revokes: true,
    refusesDisabled: false,
    wrong: 'No active account found with the given credentials',
  },
  {
    name: 'oidc',
    api: '/',
    port: '8093', // In the build, as the issuer.
    refreshPath: '/token',
    refresh: (origin, refresh_token) => {
      const form = { grant_type: 'refresh_token', client_id: 'web', refresh_token }
      return fetch(`${origin}/token`, { method: 'POST', body: new URLSearchParams(form) })
    },
    rotates: true,
    revokes: true,
    refusesDisabled: true,
    wrong: 'Wrong',
  },
]

for (const real of servers) {
  test.describe(real.name, () => {
    let server: ServerProcess
    let nginx: { stop: () => void }
    let now = Date.now()
    let before = 0

    test.beforeAll(async () => {
      server = await createServerProcess(real.name, { APP }, real.port)
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
      const { title, status } = test.info()
      const row = [real.name, title, String(server.refreshes() - before), String(status)]
      appendFileSync(`${folder}/results`, `${row.join('\t')}\n`)
    })

    const refreshes = () => server.refreshes() - before
    function elapse(milliseconds: number): void {
      now += milliseconds
      server.setClock(now)
    }

    async function signIn(page: Page, path = '/dashboard', password = 'password'): Promise<void> {
      await page.goto(path)
      await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
      if (real.name === 'oidc') {
        await page.getByRole('button', { name: 'Continue to sign-in' }).click()
        await page.getByLabel('Login').fill('demo')
      } else {
        await page.getByLabel('Username').fill('demo')
      }
      await page.getByLabel('Password').fill(password)
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    }
    async function signedIn(page: Page): Promise<void> {
      await signIn(page)
      await expect(page).toHaveURL(`${APP}/dashboard`)
      await expectSignedIn(page)
    }

    test('sign-in leads back to the page', async ({ page }) => {
      await signIn(page, '/dashboard?from=here')
      await expect(page).toHaveURL(`${APP}/dashboard?from=here`)
      await expectSignedIn(page)
      await page.screenshot({ path: `${folder}/shots/${real.name}-signed-in.png` })
      expect(refreshes()).toBe(0)
    })

    test('a wrong password is told', async ({ page }) => {
      await signIn(page, '/login', 'wrong')
      await expect(page.getByRole('alert')).toContainText(real.wrong)
      expect(refreshes()).toBe(0)
    })

    test('ten calls with a dead token: one refresh', async ({ page }) => {
      await signedIn(page)
      elapse(16 * MINUTE)
      expect(await callTimes(page, 10)).toEqual(Array(10).fill('ok'))
      await expect.poll(refreshes).toBe(1)
    })

    test('a reload: one refresh', async ({ page }) => {
      await signedIn(page)
      await page.reload()
      await expectSignedIn(page)
      expect(await callTimes(page, 1)).toEqual(['ok'])
      expect(refreshes()).toBe(1)
    })

    test('two tabs with a dead token: one refresh', async ({ page, context }) => {
      await signedIn(page)
      const second = await secondTab(context)
      const restored = refreshes()
      elapse(16 * MINUTE)
      const answers = await Promise.all([callTimes(page, 5), callTimes(second, 5)])
      expect(answers.flat()).toEqual(Array(10).fill('ok'))
      expect(refreshes() - restored).toBe(1)
    })

    test('two tabs reloaded at once stay signed in', async ({ page, context }) => {
      await signedIn(page)
      const second = await secondTab(context)
      await Promise.all([page.reload(), second.reload()])
      await Promise.all([expectSignedIn(page), expectSignedIn(second)])
      expect((await callTimes(page, 1)).concat(await callTimes(second, 1))).toEqual(['ok', 'ok'])
    })

    test('R16: a reload in mid-refresh', async ({ page }) => {
      await signedIn(page)
      let reached = () => {}
      const arrived = new Promise<void>((resolve) => (reached = resolve))
      await page.route(
        (url) => url.pathname.endsWith(real.refreshPath),
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
      if (real.rotates) await expectSessionEnded(page)
      else await expectSignedIn(page)
    })

    test('server down and back: still signed in', async ({ page }) => {
      await signedIn(page)
      await server.stop()
      elapse(16 * MINUTE)
      expect(await callTimes(page, 3)).not.toContain('ok')
      await expectSignedIn(page)
      await server.start()
      await page.evaluate(() => window.dispatchEvent(new Event('online')))
      expect(await callTimes(page, 3)).toEqual(['ok', 'ok', 'ok'])
      expect(refreshes()).toBe(1)
    })

    test('a refused refresh ends the session, once', async ({ page }) => {
      await signedIn(page)
      elapse(8 * DAY)
      await callTimes(page, 3)
      await expectSessionEnded(page)
      await page.screenshot({ path: `${folder}/shots/${real.name}-ended.png` })
      expect(refreshes()).toBe(1)
    })

    test('sign-out, and what a copy of the refresh token is worth', async ({ page }) => {
      await signedIn(page)
      const copy = await page.evaluate(() => localStorage.getItem('auth.refresh-token'))
      const isTold = /blacklist|revocation|logout/
      const told = real.revokes ? page.waitForResponse(isTold) : undefined
      await signOut(page)
      await told
      if (real.name === 'oidc') {
        await expect(page.getByRole('button', { name: /yes/i })).toBeVisible()
        await page.screenshot({ path: `${folder}/shots/oidc-sign-out.png` })
        await page.getByRole('button', { name: /yes/i }).click()
      }
      await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
      expect(await page.evaluate(() => localStorage.getItem('auth.refresh-token'))).toBeNull()
      const { ok } = await real.refresh(server.origin, copy!)
      expect(ok).toBe(!real.revokes)
    })

    if (real.revokes && real.name !== 'oidc') {
      test('sign-out in the other tab, with a dead token: the session is dead at the server', async ({
        page,
        context,
      }) => {
        await signedIn(page)
        const second = await secondTab(context)
        const copy = await page.evaluate(() => localStorage.getItem('auth.refresh-token'))
        elapse(16 * MINUTE)
        const told = second.waitForResponse(/blacklist|logout/)
        await signOut(second)
        await told
        await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
        expect((await real.refresh(server.origin, copy!)).ok).toBe(false)
      })
    }

    if (real.name === 'oidc') {
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

async function secondTab(context: BrowserContext): Promise<Page> {
  const page = await context.newPage()
  await page.goto('/dashboard')
  await expectSignedIn(page)
  return page
}

async function expectSignedIn(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { name: 'Dashboard' })).toBeVisible()
  await expect(personIn(page)).toBeVisible()
}

async function expectSessionEnded(page: Page): Promise<void> {
  await expect(page).toHaveURL(/\/login\?redirect=\/dashboard/)
  await expect(page.getByRole('status')).toContainText('Your session has ended')
}

/** The example of docs/deploy.md, in front of `server`. */
function startNginx({ name, api }: Real, { data, origin }: ServerProcess) {
  const docs = readFileSync(new URL('../../../docs/deploy.md', import.meta.url), 'utf8')
  const [page, atRoot] = [...docs.matchAll(/```nginx\n([^]*?)```/g)].map(([, block]) => block!)
  const site = page!
    .replace('listen 8081', 'listen 127.0.0.1:8092')
    .replace('/srv/app', `${folder}/app-${name}`)
    .replace(/ *proxy_pass .*\n/, (line) => (api === '/' ? atRoot! : line))
    .replaceAll('http://127.0.0.1:8080', origin)
  const config = `${data}/nginx.conf`
  mkdirSync(`${data}/body`, { recursive: true })
  writeFileSync(
    config,
    `pid ${data}/nginx.pid; error_log ${data}/nginx.log; events {} http {
    include /etc/nginx/mime.types; access_log off; client_body_temp_path ${data}/body;\n${site}}`,
  )
  execFileSync('nginx', ['-c', config])
  return { stop: () => void execFileSync('nginx', ['-c', config, '-s', 'stop']) }
}
