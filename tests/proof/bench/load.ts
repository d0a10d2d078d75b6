/**
 * How soon a page is there over a slow network: `/login` on a first visit, `/projects` with a live session,
 * cold and after a reload, over HTTP/1.1 and HTTP/2. Builds are compared in one run, as ratios to the last:
 *
 * npm run bench:load -- before=../before/dist after=dist
 *
 * With `--waterfall`, also when each request was asked for, was sent and was done, in round trips.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { createSecureServer } from 'node:http2'
import { extname, join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { chromium } from '@playwright/test'
import type { Browser, BrowserContext, Page } from '@playwright/test'
import { toNodeHandler } from 'h3'
import { createMockServer } from '../../../mock-server/app.ts'
import { selfSigned } from './certificate.ts'
import { listen, ROUND_TRIP, slowNetwork } from './slow-network.ts'
import type { SlowNetwork } from './slow-network.ts'

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

interface Load {
  /** Milliseconds from the navigation to what a person came for. */
  shown: number
  requests: { path: string; asked: number; sent: number; done: number }[]
}

interface App {
  name: string
  base: string
  network: SlowNetwork
  /** With a live session. */
  context: BrowserContext
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    waterfall: { type: 'boolean', default: false },
  },
})
const builds = (positionals.length > 0 ? positionals : ['this=dist']).map((one) => one.split('='))
const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--ignore-certificate-errors'],
})
for (const protocol of ['HTTP/1.1', 'HTTP/2'] as const) {
  const apps: App[] = []
  for (const [name, folder] of builds) apps.push(await open(name!, folder!, protocol))
  const loads = new Map<string, Load[]>()
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const app of apps) {
      for (const [what, load] of Object.entries(await loadsOf(app))) {
        const key = `${what} ${app.name}`
        loads.set(key, [...(loads.get(key) ?? []), load])
      }
    }
  }
  report(protocol, apps, loads)
  for (const { network } of apps) network.close()
}
await browser.close()
process.exit()

async function open(name: string, folder: string, protocol: string): Promise<App> {
  const listener = serve(folder)
  const isSecure = protocol === 'HTTP/2'
  const server = isSecure
    ? createSecureServer(selfSigned(), listener as never)
    : createServer(listener)
  const network = await slowNetwork(await listen(server))
  const base = `http${isSecure ? 's' : ''}://localhost:${network.port}`
  const context = await newContext(browser, base)
  const page = await context.newPage()
  await page.goto('/login')
  await page.getByLabel('Username').fill('demo')
  await page.locator('[type=password]').fill('password')
  await page.locator('[type=password]').press('Enter')
  await page.waitForURL(/\/(?!login)\w+$/)
  await page.close()
  network.slowDown()
  return { name, base, network, context }
}

function newContext(browser: Browser, baseURL: string): Promise<BrowserContext> {
  return browser.newContext({ baseURL })
}

/** As docs/deploy.md: assets are cached for a year, texts are compressed, the API is on this origin. */
function serve(folder: string): RequestListener {
  const api = toNodeHandler(createMockServer())
  const zipped = new Map<string, Buffer>()
  const read = (file: string) => {
    if (!zipped.has(file)) zipped.set(file, gzipSync(readFileSync(file)))
    return zipped.get(file)
  }
  return (request, response) => {
    const path = new URL(request.url!, 'http://localhost').pathname
    if (path.startsWith('/api/')) return void api(request, response)
    const isFile = extname(path) !== ''
    const file = join(folder, isFile ? path : 'index.html')
    const type = TYPES[extname(file)] ?? 'application/octet-stream'
    const isAsset = path.startsWith('/assets/')
    response.setHeader('cache-control', isAsset ? 'max-age=31536000' : 'no-cache')
    response.setHeader('content-type', type)
    response.setHeader('content-encoding', 'gzip')
    try {
      response.end(read(file))
    } catch {
      response.writeHead(404).end()
    }
  }
}

async function loadsOf({ base, network, context }: App): Promise<Record<string, Load>> {
  const visitor = await newContext(browser, base)
  const first = await visitor.newPage()
  network.dropConnections()
  const login = await timed(first, 'input[type=password]', () => first.goto('/login'))
  await visitor.close()

  const page = await context.newPage()
  const devtools = await context.newCDPSession(page)
  await devtools.send('Network.clearBrowserCache')
  network.dropConnections()
  const cold = await timed(page, 'tbody tr', () => page.goto('/projects'))
  const reload = await timed(page, 'tbody tr', () => page.reload())
  await page.close()
  return { '/login cold': login, '/projects cold': cold, '/projects reloaded': reload }
}

async function timed(page: Page, selector: string, go: () => Promise<unknown>): Promise<Load> {
  await page.addInitScript((selector) => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector(selector)) return
      observer.disconnect()
      Object.assign(globalThis, { shown: performance.now() })
    }).observe(document, { childList: true, subtree: true })
  }, selector)
  await go()
  await page.waitForFunction(() => 'shown' in globalThis)
  await page.waitForLoadState('networkidle')
  return page.evaluate(() => ({
    shown: (globalThis as unknown as { shown: number }).shown,
    requests: [
      ...performance.getEntriesByType('navigation'),
      ...performance.getEntriesByType('resource'),
    ].map((entry) => {
      const { name, startTime, requestStart, responseEnd } = entry as PerformanceResourceTiming
      return {
        path: new URL(name).pathname,
        asked: startTime,
        sent: requestStart,
        done: responseEnd,
      }
    }),
  }))
}

function report(protocol: string, apps: App[], loads: Map<string, Load[]>): void {
  const rows: Record<string, Record<string, string>> = {}
  for (const what of ['/login cold', '/projects cold', '/projects reloaded']) {
    const medians = apps.map(({ name }) => median(loads.get(`${what} ${name}`)!))
    const last = medians.at(-1)!
    rows[`${what}, ${protocol}`] = Object.fromEntries(
      apps.map(({ name }, index) => {
        const { shown } = medians[index]!
        return [name, `${Math.round(shown)} ms, ${(shown / last.shown).toFixed(2)} ×`]
      }),
    )
    if (values.waterfall) medians.forEach((load, index) => draw(what, apps[index]!.name, load))
  }
  console.table(rows)
}

function median(loads: Load[]): Load {
  return [...loads].sort((a, b) => a.shown - b.shown)[Math.floor(loads.length / 2)]!
}

function draw(what: string, name: string, { requests, shown }: Load): void {
  console.log(`${what}, ${name}: shown after ${(shown / ROUND_TRIP).toFixed(1)} round trips`)
  const inTrips = (time: number) => (time / ROUND_TRIP).toFixed(1).padStart(5)
  for (const { path, asked, sent, done } of requests)
    console.log(inTrips(asked), inTrips(sent), inTrips(done), path)
}
