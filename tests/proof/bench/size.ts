/**
 * What a first visit to the sign-in page loads: all JavaScript of the build that it needs, and the
 * part of it that is src/auth, with what it uses of valibot. Beside it, an app of the same libraries
 * that shows nothing.
 */
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import type { Rolldown } from 'vite'

/** The least that an app with the three libraries can be. */
const BARE_APP = `
import { createPinia, defineStore } from 'pinia'
import { createApp } from 'vue'
import { createRouter, createWebHistory, RouterLink, RouterView } from 'vue-router'
const useStore = defineStore('store', () => ({}))
const router = createRouter({ history: createWebHistory(), routes: [] })
const App = { setup: () => (useStore(), () => [RouterLink, RouterView]) }
createApp(App).use(createPinia()).use(router).mount('#app')
`

/** All of src/auth except the API client and the back end of `json` mode. */
const AUTH = /\/src\/auth\/(?!client|fetch|json-)/
const VALIBOT = /\/node_modules\/valibot\//

const page = await sizeOfPage()
const auth = await sizeOf(new RegExp(`${AUTH.source}|${VALIBOT.source}`))
const withoutValibot = await sizeOf(AUTH)
const bare = await sizeOfBareApp()
console.log(`/login: ${page} bytes, gzipped`)
console.log(`src/auth with valibot: ${auth} bytes, gzipped`)
console.log(`valibot in it: ${auth - withoutValibot} bytes, gzipped`)
console.log(`Vue, router and Pinia alone: ${bare} bytes, gzipped`)
async function sizeOfPage(): Promise<number> {
  const chunks = await buildChunks({})
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]))
  const needed = new Set<Rolldown.OutputChunk>()
  const need = (chunk: Rolldown.OutputChunk) => {
    needed.add(chunk)
    for (const name of chunk.imports) need(byName.get(name)!)
  }
  for (const chunk of chunks) if (chunk.isEntry || chunk.name === 'LoginView') need(chunk)
  return sum([...needed].map(({ code }) => gzipSync(code).length))
}

/** Of the modules whose ids match, in a chunk of their own. */
async function sizeOf(test: RegExp): Promise<number> {
  const codeSplitting = { groups: [{ name: 'it', test }], includeDependenciesRecursively: false }
  const chunks = await buildChunks({ output: { codeSplitting } })
  return gzipSync(chunks.find(({ name }) => name === 'it')!.code).length
}

async function sizeOfBareApp(): Promise<number> {
  const id = 'bare-app'
  const plugin = {
    name: id,
    resolveId: (source: string) => (source === id ? id : null),
    load: (source: string) => (source === id ? BARE_APP : null),
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
