import { describe, expect, it } from 'vitest'
import { lifetimesFrom, portFrom } from '../../../mock-server/env.ts'

describe('the port', () => {
  it.each([
    [undefined, 3001],
    ['', 3001],
    ['0', 0],
    ['65535', 65_535],
  ])('for MOCK_PORT=%s is %i', (value, port) => {
    expect(portFrom({ MOCK_PORT: value })).toBe(port)
  })

  it.each(['65536', '-1', '80.5', '0x50', '1e3', ' ', 'http'])(
    'cannot be "%s", which is said with the name of the variable',
    (value) => {
      expect(() => portFrom({ MOCK_PORT: value })).toThrow(`MOCK_PORT: "${value}" is no port.`)
    },
  )
})

describe('the lifetimes', () => {
  it('are in seconds, each from its own variable', () => {
    const env = { MOCK_ACCESS_TTL: '1m', MOCK_REFRESH_TTL: '2h', MOCK_REUSE_LEEWAY: '3s' }
    expect(lifetimesFrom(env)).toEqual({ accessTtl: 60, refreshTtl: 7200, reuseLeeway: 3 })
  })

  it('are left to the server where nothing is set', () => {
    const nothing = { accessTtl: undefined, refreshTtl: undefined, reuseLeeway: undefined }
    expect(lifetimesFrom({ MOCK_ACCESS_TTL: '' })).toEqual(nothing)
  })

  it.each(['MOCK_ACCESS_TTL', 'MOCK_REFRESH_TTL'])('cannot be zero for %s', (name) => {
    expect(() => lifetimesFrom({ [name]: '0s' })).toThrow(`${name}: "0s" is too short`)
  })

  it('can be without a leeway', () => {
    expect(lifetimesFrom({ MOCK_REUSE_LEEWAY: '0s' }).reuseLeeway).toBe(0)
  })
})
