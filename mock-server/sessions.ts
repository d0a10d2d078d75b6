/**
 * Sessions: each is a family of refresh tokens, in which every refresh replaces the token before.
 * How tokens are signed and carried is left to tokens.ts and routes/auth.ts.
 */
import type { Family, State } from './state.ts'

/** All of them are kept and written with each sign-in. The one unused for longest ends first. */
const MAX_SESSIONS = 1000

/**
 * A refresh token was refused. `reused`: it had been replaced before, so either its owner or a
 * thief holds it a second time, and nobody can tell which.
 */
export class RefreshRefusedError extends Error {
  override readonly name = 'RefreshRefusedError'
  readonly reason: 'invalid' | 'reused'

  constructor(reason: 'invalid' | 'reused') {
    super(`The refresh token is ${reason}.`)
    this.reason = reason
  }
}

export interface SessionsOptions {
  /** What was before a restart, or a new state. */
  state: State
  /** Seconds that the tokens of a session live, of the kind that lives longer. */
  longestTtl: number
  /** Seconds. */
  leeway: number
  now: () => number
  /** Called after each change, to keep it. */
  save?: (state: State) => void
}

export type Sessions = ReturnType<typeof createSessions>

export function createSessions({ state, longestTtl, leeway, now, save }: SessionsOptions) {
  // In the order of their latest rotation, and so of their expiry.
  const families = new Map(state.families.slice(-MAX_SESSIONS).map((family) => [family.id, family]))
  let { issued, expiredUpTo } = state
  let reserved = issued
  let leewayNow = leeway

  /** A new family for a sign-in. */
  function start(userId: string): Family {
    forgetExpired()
    return put({
      id: crypto.randomUUID(),
      userId,
      current: crypto.randomUUID(),
      previous: null,
      rotatedAt: now(),
      refused: false,
      expiredUpTo: 0,
    })
  }

  /**
   * Replaces the refresh token (S2). The one just replaced is answered with its successor again for
   * as long as the leeway lasts: the same one for all who ask, so that whichever answer arrives,
   * the client then holds the current token.
   *
   * @throws RefreshRefusedError
   * @see https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2
   */
  function rotate(familyId: string, tokenId: string): Family {
    forgetExpired()
    const family = families.get(familyId)
    if (!family || family.refused) throw new RefreshRefusedError('invalid')

    if (tokenId === family.current) {
      return put({ ...family, current: crypto.randomUUID(), previous: tokenId, rotatedAt: now() })
    }
    // A clock that was set back makes it no longer, and a correction by a little does no harm.
    const isInLeeway = Math.abs(now() - family.rotatedAt) < leewayNow * 1000
    if (tokenId === family.previous && isInLeeway) return family

    revoke(familyId)
    throw new RefreshRefusedError('reused')
  }

  /** At the end of the map: it expires last now. */
  function put(family: Family): Family {
    families.delete(family.id)
    families.set(family.id, family)
    if (families.size > MAX_SESSIONS) families.delete(families.keys().next().value!)
    keep()
    return family
  }

  /** Ends a session: its refresh tokens and, by `has`, its access tokens at once (S7). */
  function revoke(familyId: string): void {
    if (families.delete(familyId)) keep()
  }

  /** Whether access tokens of this session are good. */
  function has(familyId: string): boolean {
    return families.has(familyId)
  }

  /** The `jti` of the next access token: they are numbered, so that `expireAccess` can draw a line. */
  function nextAccessId(): string {
    issued += 1
    if (issued > reserved) {
      // What is saved is never less than what was issued, and need not be saved each time.
      reserved = issued + 999
      keep()
    }
    return String(issued)
  }

  /**
   * Refuses every access token issued so far, or those of one session. `iat` would be too coarse: it
   * counts whole seconds.
   */
  function expireAccess(familyId?: string): void {
    const family = families.get(familyId ?? '')
    if (family) family.expiredUpTo = issued
    else if (familyId === undefined) expiredUpTo = issued
    keep()
  }

  function isAccessExpired(tokenId: string, familyId = ''): boolean {
    return Number(tokenId) <= Math.max(expiredUpTo, families.get(familyId)?.expiredUpTo ?? 0)
  }

  /** Refuses every refresh token issued so far. Access tokens live on, until they expire. */
  function refuseRefresh(): void {
    for (const family of families.values()) families.set(family.id, { ...family, refused: true })
    keep()
  }

  /** From now on; without a number, as at start. In seconds. */
  function setLeeway(seconds = leeway): void {
    leewayNow = seconds
  }

  function clear(): void {
    families.clear()
    keep()
  }

  function forgetExpired(): void {
    const horizon = now() - (longestTtl + 1) * 1000
    for (const family of families.values()) {
      if (family.rotatedAt >= horizon) break
      families.delete(family.id)
    }
  }

  function keep(): void {
    save?.({
      secrets: state.secrets,
      issued: reserved,
      expiredUpTo,
      families: [...families.values()],
    })
  }

  return {
    start,
    rotate,
    revoke,
    has,
    nextAccessId,
    expireAccess,
    isAccessExpired,
    refuseRefresh,
    setLeeway,
    clear,
  }
}
