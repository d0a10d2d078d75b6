import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const docs = ['', '/openid-connect', '/second-factor', '/cookies-only']
  .map((page) => read(`../../../docs/backends${page}.md`))
  .join('\n')

describe.each([
  ['express', []],
  ['simplejwt', []],
  ['fastapi', []],
  ['nest', []],
  ['better-auth', []],
  ['better-auth-session', []],
  ['enveloped', []],
  ['directus', []],
  ['oidc', ['oauth4webapi']],
])('the example %s', (name, packages) => {
  const source = read(`./examples/${name}.ts`).trimEnd()

  it('has as many lines as the documentation says', () => {
    const row = docs.split('\n').find((line) => line.includes(`examples/${name}.ts\``))
    expect(row).toContain(`(${source.split('\n').length} lines)`)
  })

  it('imports from src/auth and its own package only', () => {
    const imported = [...source.matchAll(/from '(.+)'/g)].map(([, from]) => from)
    expect(new Set(imported)).toEqual(new Set(['@/auth/index.ts', ...packages]))
  })
})

it.each(['express', 'second-factor', 'cookies-only'])(
  'the documentation shows the example %s whole',
  (name) => {
    expect(docs).toContain(read(`./examples/${name}.ts`))
  },
)
