/**
 * What was asked and how it was answered, for tests and the curious. It holds the ids of tokens,
 * never a token.
 */
import type { H3, H3Event } from 'h3'
import { bearerToken } from './access.ts'
import { TokenError } from './tokens.ts'
import type { Tokens } from './tokens.ts'

const MAX_ENTRIES = 5000
const MAX_LENGTH = 256

export interface LogEntry {
  method: string
  path: string
  /** What the client calls it, by `?label=`, to find it here. Nothing else of the query is kept. */
  label?: string
  /** 0 as long as there is no answer: also when the connection broke instead. */
  status: number
  /** When the request came: milliseconds since the epoch. */
  at: number
  /** When it was answered, or the connection broke. */
  endedAt?: number
  /** The `jti` of the access token that came with it; for a refresh, of the refresh token. */
  tokenId?: string
  /** The `jti` of the access token that was the answer. */
  grantedId?: string
  userId?: string
}

export type Log = ReturnType<typeof createLog>

export function createLog(tokens: Tokens, now: () => number) {
  const entries: LogEntry[] = []
  const entryByEvent = new WeakMap<H3Event, LogEntry>()

  function begin(event: H3Event): LogEntry {
    const { pathname, searchParams } = event.url
    const entry: LogEntry = {
      method: event.req.method,
      path: shorten(pathname),
      status: 0,
      at: now(),
    }
    const label = searchParams.get('label')
    if (label) entry.label = shorten(label)
    entryByEvent.set(event, entry)
    entries.push(entry)
    if (entries.length > MAX_ENTRIES) entries.shift()
    return entry
  }

  /** Logs every request from here on. */
  function register(app: H3): void {
    app.use(async (event, next) => {
      if (isControl(event.url.pathname)) return next()
      const entry = begin(event)
      const token = bearerToken(event)
      if (token) Object.assign(entry, await identify(token))
      return next()
    })
  }

  /** Also says who sent a token that is refused, if it is one of ours. */
  async function identify(token: string): Promise<Partial<LogEntry>> {
    try {
      return idsOf(await tokens.verifyAccess(token))
    } catch (error) {
      return error instanceof TokenError && error.claims ? idsOf(error.claims) : {}
    }
  }

  return {
    register,
    entries: () => entries,
    /** Adds what only the route knows. */
    note(event: H3Event, ids: Pick<LogEntry, 'tokenId' | 'grantedId' | 'userId'>): void {
      Object.assign(entryByEvent.get(event) ?? {}, ids)
    },
    /** h3's `onResponse`: what it became in the end, errors included. */
    finish(response: Response, event: H3Event): void {
      if (isControl(event.url.pathname)) return
      // A URL that h3 cannot read gets its 400 before anything else sees it.
      const entry = entryByEvent.get(event) ?? begin(event)
      entry.endedAt = now()
      if (!event.context.broken) entry.status = response.status
    },
    clear(): void {
      entries.length = 0
    },
  }
}

/** A copy: a part of a string keeps the whole of it in memory, here the URL. */
function shorten(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text.slice(0, MAX_LENGTH)))
}

/** The mock's own controls are no part of the API: not logged, and never at fault. */
export function isControl(path: string): boolean {
  return path.startsWith('/api/__mock/')
}

function idsOf({ jti, sub }: { jti: string; sub: string }): Partial<LogEntry> {
  return { tokenId: jti, userId: sub }
}
