/** The mock runs wherever the web platform is, in a worker too. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

/** Where a mock in a worker has something else in its place. */
const SEAM = 'mock-server/scrypt.ts'

/** What Node alone has. */
const OF_NODE = /from 'node:|\b(?:Buffer|process|global)\.\w|\b(?:require|setImmediate)\(/

it('no file that app.ts imports needs Node, but for the one that is replaced', () => {
  const files = filesOf('mock-server/app.ts')

  expect(files.length).toBeGreaterThan(15)
  expect(files.filter((file) => OF_NODE.test(read(file)))).toEqual([SEAM])
})

/** A file of the project, and all that it imports from there. */
function filesOf(file: string, known = new Set<string>()): string[] {
  if (known.has(file)) return []
  known.add(file)
  const imports = [...read(file).matchAll(/^import (?!type)[^']*'(\.[^']+)'/gm)]
  for (const [, path] of imports)
    filesOf(new URL(path!, `file:///${file}`).pathname.slice(1), known)
  return [...known]
}

function read(file: string): string {
  return readFileSync(fileURLToPath(new URL(`../../../${file}`, import.meta.url)), 'utf8')
}
