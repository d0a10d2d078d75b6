/**
 * What a first visit to the sign-in page loads: all JavaScript of the build that it needs, and the
 * part of it that is src/auth, with what it uses of valibot. Beside it, an app of the same libraries
 * that shows nothing. `--write` puts it into docs/performance.md, `--check` fails if that is out of date.
 */
import { readFile, writeFile } from 'node:fs/promises'
import process from 'node:process'
import { gzipSync } from 'node:zlib'
import { format } from 'prettier'
import { build } from 'vite'
import type { Rolldown } from 'vite'

/** The least that an app with the three libraries can be, and what is added to it. */
const bareApp = (imports = '', setup = '') => `
import { createPinia, defineStore } from 'pinia'
import { createApp } from 'vue'
import { createRouter, createWebHistory, RouterLink, RouterView } from 'vue-router'
${imports}
const router = createRouter({ history: createWebHistory(), routes: [] })
const useStore = defineStore('store', () => ({}))
const App = { setup: () => (useStore(), () => [RouterLink, RouterView]) }
const app = createApp(App).use(createPinia()).use(router)
${setup}
app.mount('#app')
`

const withThis = bareApp(
  `import { createApiClient, installAuthGuard } from '/src/auth/index.ts'
   import { useAuthStore } from '/src/stores/auth.ts'`,
  `const auth = useAuthStore()
   installAuthGuard(router, { auth })
   globalThis.api = createApiClient({ auth })`,
)
const withAxios = bareApp(
  `import axios from 'axios'
   import createAuthRefreshInterceptor from 'axios-auth-refresh'`,
  `const api = (globalThis.api = axios.create())
   createAuthRefreshInterceptor(api, () => axios.post('/api/auth/refresh'))`,
)

/** All of src/auth except the API client and the back end of `json` mode. */
const AUTH = /\/src\/auth\/(?!client|fetch|request|json-)/
const VALIBOT = /\/node_modules\/valibot\//

const DOCUMENT = 'docs/performance.md'

const sizes = {
  ...(await sizesOfPage()),
  'Vue, router and Pinia alone': await sizeOfApp(bareApp()),
  'the same with `src/auth` and ofetch': await sizeOfApp(withThis),
  'the same with axios and axios-auth-refresh, and no other tab': await sizeOfApp(withAxios),
  '`src/auth` with valibot, without the client': await sizeOf(
    new RegExp(`${AUTH.source}|${VALIBOT.source}`),
  ),
  '`src/auth` alone, without the client': await sizeOf(AUTH),
}
console.log('Bytes of JavaScript, gzipped')
console.table(sizes)
if (process.argv.includes('--write')) await write()
if (process.argv.includes('--check')) await check()

async function write(): Promise<void> {
  const rows = Object.entries(sizes).map(
    ([what, size]) => `| ${what} | ${(size / 1000).toFixed(1)} |`,
  )
  const table = ['| what | kB |', '| --- | ---: |', ...rows].join('\n')
  const text = await readFile(DOCUMENT, 'utf8')
  const written = text.replace(/(?<=<!-- size -->\n)[^]*(?=<!-- \/size -->)/, `\n${table}\n\n`)
  await writeFile(DOCUMENT, await format(written, { parser: 'markdown', printWidth: 100 }))
}

/** By 0.2 kB at most, because the last bytes differ between versions of Node. */
async function check(): Promise<void> {
  const rows = (await readFile(DOCUMENT, 'utf8')).split('\n')
  for (const [what, size] of Object.entries(sizes)) {
    const written = rows.find((row) => row.startsWith(`| ${what} `))?.split('|')[2]
    if (Math.abs(Number(written) - size / 1000) <= 0.2) continue
    throw new Error(`${DOCUMENT} is out of date at "${what}": run npm run size -- --write`)
  }
}

async function sizesOfPage(): Promise<Record<string, number>> {
  const chunks = await buildChunks({})
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]))
  const needed = new Set<Rolldown.OutputChunk>()
  const need = (chunk: Rolldown.OutputChunk) => {
    needed.add(chunk)
    for (const name of chunk.imports) need(byName.get(name)!)
  }
  for (const chunk of chunks) if (chunk.isEntry || chunk.name === 'LoginView') need(chunk)
  const sizesOf = (chunks: Rolldown.OutputChunk[]) =>
    sum(chunks.map(({ code }) => gzipSync(code).length))
  return {
    '`/login`': sizesOf([...needed]),
    'preloaded beside it, for the pages after the sign-in': sizesOf(
      chunks.filter(({ name }) => name === 'pages'),
    ),
  }
}

/** Of the modules whose ids match, in a chunk of their own. */
async function sizeOf(test: RegExp): Promise<number> {
  const codeSplitting = { groups: [{ name: 'it', test }], includeDependenciesRecursively: false }
  const chunks = await buildChunks({ output: { codeSplitting } })
  return gzipSync(chunks.find(({ name }) => name === 'it')!.code).length
}

async function sizeOfApp(source: string): Promise<number> {
  const id = 'bare-app'
  const plugin = {
    name: id,
    resolveId: (path: string) => (path === id ? id : null),
    load: (path: string) => (path === id ? source : null),
  }
  const chunks = await buildChunks({ input: id, plugins: [plugin] })
  return sum(chunks.map(({ code }) => gzipSync(code).length))
}

async function buildChunks(rolldownOptions: Rolldown.RolldownOptions) {
  const output = await build({ logLevel: 'silent', build: { write: false, rolldownOptions } })
  const { output: files } = output as Rolldown.RolldownOutput
  return files.filter((file) => file.type === 'chunk')
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
