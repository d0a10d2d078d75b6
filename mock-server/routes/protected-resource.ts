/**
 * An echo, for trying and testing: who sent what, which bytes arrived, and how many requests
 * were accepted up to it.
 */
import type { H3, H3Event } from 'h3'
import type { Access } from '../access.ts'
import { hasType, invalidBody, parseJson, readBytes } from '../body.ts'

const LIMIT = 1024 * 1024

export interface Echo {
  method: string
  /** The username. */
  user: string
  /** JSON parsed, text as a string, null if there was none, and of all else what it was. */
  body: unknown
  sequence: number
  /** Of the bytes as they arrived, in hex. */
  sha256: string
}

interface Services {
  access: Access
  counters: { sequence: number }
}

export function registerProtectedResource(app: H3, { access, counters }: Services): void {
  app.all('/api/protected-resource', async (event): Promise<Echo> => {
    const { username } = await access.requireUser(event)
    const bytes = await readBytes(event, LIMIT)
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
    const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    const body = describe(event, bytes, sha256)
    counters.sequence += 1
    return { method: event.req.method, user: username, body, sequence: counters.sequence, sha256 }
  })
}

function describe(event: H3Event, bytes: Uint8Array, sha256: string): unknown {
  if (bytes.length === 0) return null
  if (hasType(event, 'application/json')) return assertEchoable(parseJson(bytes))
  if (hasType(event, 'text/*')) return new TextDecoder().decode(bytes)
  return { sha256, size: bytes.length, contentType: event.req.headers.get('content-type') }
}

/** Up to Node 24, JSON nested a hundred thousand deep can be read, but not written: S5. */
function assertEchoable(body: unknown): unknown {
  try {
    JSON.stringify(body)
  } catch {
    throw invalidBody('The body is nested too deep.')
  }
  return body
}
