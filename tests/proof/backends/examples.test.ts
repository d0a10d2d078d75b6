import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const docs = read('../../../docs/backends.md')

describe.each(['express', 'oauth2', 'enveloped'])('the example %s', (name) => {
  const source = read(`./examples/${name}.ts`).trimEnd()
  const lines = source.split('\n').length

  it('has fewer than 60 lines, as many as the documentation says', () => {
    expect(lines).toBeLessThan(60)
    const cells = docs.split('\n').find((line) => line.includes(`${name}.ts\` `))
    expect(cells).toMatch(new RegExp(`\\| ${lines} +\\|`))
  })

  it('needs src/auth, no more', () => {
    const imported = [...source.matchAll(/from '(.+)'/g)].map(([, from]) => from)
    expect(new Set(imported)).toEqual(new Set(['@/auth/index.ts']))
  })
})

it('the documentation shows an example as it is', () => {
  expect(docs).toContain(read('./examples/express.ts'))
})
