/** The reference of src/auth says what its doc comments say. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { FILE, generate } from '../../scripts/api-reference.ts'
import * as auth from '@/auth/index.ts'

it('docs/api.md is what `npm run docs:api` writes', async () => {
  expect(readFileSync(FILE, 'utf8')).toBe(await generate())
}, 120_000)

it('names all that src/auth exports', () => {
  const headings = new Set(readFileSync(FILE, 'utf8').match(/^### .*$/gm))
  const missing = Object.keys(auth).filter(
    (name) => !headings.has(`### ${name}`) && !headings.has(`### ${name}()`),
  )
  expect(missing).toEqual([])
})
