/** What the client costs where it runs, in Chromium: `oneCall` over HTTP on loopback and a stub. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import process from 'node:process'
import { chromium } from '@playwright/test'
import { build } from 'vite'
import type { Rolldown } from 'vite'

const [output] = (await build({
  logLevel: 'error',
  configFile: false,
  define: { 'process.env.NODE_ENV': '"production"' },
  resolve: { alias: { '@': `${process.cwd()}/src` } },
  build: {
    write: false,
    target: 'esnext',
    lib: { entry: 'tests/proof/bench/page.ts', formats: ['es'], fileName: 'page' },
  },
})) as Rolldown.RolldownOutput[]

const server = createServer(({ url }, response) => {
  const answers: Record<string, [type: string, body: string]> = {
    '/': ['text/html', '<!doctype html><script type="module" src="/page.js"></script>'],
    '/page.js': ['text/javascript', output!.output[0].code],
  }
  const [type, body] = answers[url!] ?? ['application/json', '{"ok":true}']
  response.setHeader('content-type', type).end(body)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
const page = await browser.newPage()
await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
await page.waitForFunction(() => 'rows' in globalThis, null, { timeout: 600_000 })
console.table(await page.evaluate(() => (globalThis as unknown as { rows: object[] }).rows))
await browser.close()
server.closeAllConnections()
server.close()
