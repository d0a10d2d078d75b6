/**
 * What a first visit to the sign-in page loads: all JavaScript of the build that it needs, and the
 * part of it that src/auth is, with what it uses of valibot. Fails above the limits.
 */
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import type { Rolldown } from 'vite'

/** Bytes, gzipped: no more than today. */
const LIMITS = { page: 44_000, auth: 5_750 }

const [page, auth] = [await sizeOfPage(), await sizeOfAuth()]
console.log(`/login: ${page} bytes of at most ${LIMITS.page}, gzipped`)
console.log(`src/auth with valibot: ${auth} bytes of at most ${LIMITS.auth}, gzipped`)
if (page > LIMITS.page || auth > LIMITS.auth) process.exitCode = 1

async function sizeOfPage(): Promise<number> {
  const chunks = await buildChunks()
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]))
  const needed = new Set<Rolldown.OutputChunk>()
  const need = (chunk: Rolldown.OutputChunk) => {
    needed.add(chunk)
    for (const name of chunk.imports) need(byName.get(name)!)
  }
  for (const chunk of chunks) if (chunk.isEntry || chunk.name === 'LoginView') need(chunk)
  return sum([...needed].map(({ code }) => gzipSync(code).length))
}

/** All but the API client, which comes with the first page that calls the API. */
async function sizeOfAuth(): Promise<number> {
  const test = /\/src\/auth\/(?!client|abort|storage-locks|json-)|\/node_modules\/valibot\//
  const groups = [{ name: 'auth', test }]
  const chunks = await buildChunks({ groups, includeDependenciesRecursively: false })
  return gzipSync(chunks.find(({ name }) => name === 'auth')!.code).length
}

async function buildChunks(codeSplitting?: Rolldown.CodeSplittingOptions) {
  const output = await build({
    logLevel: 'silent',
    build: { write: false, rolldownOptions: { output: { codeSplitting } } },
  })
  const { output: files } = output as Rolldown.RolldownOutput
  return files.filter((file) => file.type === 'chunk')
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
