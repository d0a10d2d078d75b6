import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const sourceOf = (name: string) =>
  readFileSync(new URL(`./examples/${name}.ts`, import.meta.url), 'utf8')

it.each(['express', 'oauth2', 'enveloped'])('%s: one file of fewer than 40 lines', (name) => {
  expect(sourceOf(name).trimEnd().split('\n').length).toBeLessThan(40)
})

it.each(['express', 'oauth2', 'enveloped'])('%s: needs src/auth and ofetch, no more', (name) => {
  const imported = [...sourceOf(name).matchAll(/from '(.+)'/g)].map(([, from]) => from)
  expect(['@/auth/index.ts', 'ofetch']).toEqual(expect.arrayContaining(imported))
})
