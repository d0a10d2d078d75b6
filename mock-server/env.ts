/**
 * The mock's settings from the environment, for the two places that start it.
 */
import { toLifetime, toSeconds } from './timespan.ts'

/** What a newcomer types to get in. */
export const ACCOUNTS_HINT = 'admin / password or demo / password'

export type Env = Record<string, string | undefined>

/** @throws RangeError that names the variable */
export function lifetimesFrom(env: Env) {
  return {
    accessTtl: read(env, 'MOCK_ACCESS_TTL', toLifetime),
    refreshTtl: read(env, 'MOCK_REFRESH_TTL', toLifetime),
    reuseLeeway: read(env, 'MOCK_REUSE_LEEWAY', toSeconds),
  }
}

/** @throws RangeError that names the variable */
export function portFrom(env: Env): number {
  return read(env, 'MOCK_PORT', toPort) ?? 3001
}

function read<T>(env: Env, name: string, parse: (value: string) => T): T | undefined {
  const value = env[name]
  if (!value) return undefined
  try {
    return parse(value)
  } catch (error) {
    throw new RangeError(`${name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function toPort(value: string): number {
  const port = Number(value)
  if (/^\d+$/.test(value) && port <= 65_535) return port
  throw new RangeError(`"${value}" is no port. Give a number from 0 to 65535.`)
}
