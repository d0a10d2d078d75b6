import { expect, it, vi } from 'vitest'
import { sharedName } from '@/auth/tabs/name.ts'
import { absoluteUrl } from '@/auth/url.ts'

it('R13: two apps on one origin share nothing', () => {
  const names = [
    {},
    { app: '/desk/' },
    { app: '/desk/', api: '/desk/api' },
    { api: '/desk' },
    { api: '/desk/api' },
    { api: '/' },
    { api: 'https://api.example/v1' },
    { api: 'https://api.example' },
    { app: '/desk/', api: 'https://api.example' },
  ].map(sharedName)
  expect(new Set(names).size).toBe(names.length)
})

it.each([
  [{}, { app: '/', api: '/api' }],
  [{}, { api: '/api/' }],
  [{}, { api: absoluteUrl('/api').href }],
  [{ app: '/desk/' }, { app: '/desk' }],
  [{ api: 'https://api.example/v1' }, { api: 'https://API.example:443/v1/' }],
])('%o and %o are the same app', (one, other) => {
  expect(sharedName(one)).toBe(sharedName(other))
})

it('is the same on every page of the app', () => {
  const on = (baseURI: string) => {
    vi.stubGlobal('document', { baseURI })
    return sharedName({ app: '/desk/', api: '/desk/api' })
  }
  expect(on('https://app.example/desk/')).toBe(on('https://app.example/desk/projects/1?q=2'))
})
