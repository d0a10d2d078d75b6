/**
 * `npm run build:demo`: the template as files alone, with its mock API as a service worker.
 * `DEMO_BASE`: the path below which they are served, `/` without it. `DEMO_SOURCE`: the address of
 * the repository, for a link.
 */
import { copyFile, readFile } from 'node:fs/promises'
import process from 'node:process'
import { fileURLToPath, URL } from 'node:url'
import { build, defineConfig, mergeConfig } from 'vite'
import type { Plugin } from 'vite'
import app from '../vite.config.ts'

const { DEMO_BASE = '/', DEMO_SOURCE } = process.env
const outDir = pathOf('dist')

export default defineConfig((env) => {
  // Whatever a project's .env says: the API of the demo is its worker.
  for (const name of ['VITE_API_BASE_URL', 'VITE_REFRESH_TOKEN_MODE', 'API_PROXY_TARGET'])
    process.env[name] = ''
  return mergeConfig(app(env), { base: DEMO_BASE, plugins: [demo()], build: { outDir } })
})

function demo(): Plugin {
  return {
    name: 'demo',
    transformIndexHtml: {
      order: 'pre',
      async handler(html) {
        const banner = await readFile(pathOf('banner.html'), 'utf8')
        const source = DEMO_SOURCE
          ? `<p><a href="${DEMO_SOURCE}">Source</a></p></aside>`
          : '</aside>'
        return html
          .replace('/src/main.ts', '/demo/main.ts')
          .replace('<div id="app">', `${banner.replace('</aside>', source)}$&`)
      },
    },
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const page = bundle['index.html']
        if (page?.type !== 'asset') return
        // For the policy that main.ts makes.
        page.source = String(page.source).replace('trusted-types vue', '$& demo')
      },
    },
    async closeBundle() {
      await buildWorker()
      // What GitHub Pages answers with to a deep link of a first visit.
      await copyFile(`${outDir}/index.html`, `${outDir}/404.html`)
    },
  }
}

async function buildWorker(): Promise<void> {
  await build({
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    resolve: { alias: { './scrypt.ts': pathOf('scrypt.ts') } },
    build: {
      outDir,
      emptyOutDir: false,
      target: ['chrome116', 'firefox124', 'safari17.4'],
      // One file that is no module: every browser of the target starts it.
      lib: {
        entry: pathOf('worker.ts'),
        formats: ['iife'],
        name: 'worker',
        fileName: () => 'sw.js',
      },
    },
  })
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}
