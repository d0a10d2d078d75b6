/**
 * The API as it should be, in its smallest form: which tokens are good, and who is signed in. It
 * answers at once and never fails; what happens on the way is left to network.ts.
 */
import type { User } from '@/api/user.ts'
import { ada, bob } from '../../support/backend.ts'

/** Milliseconds that an access token lives, from its issue. */
export const LIFETIME = 60_000
/** Milliseconds in which a replaced refresh token is still answered (S2). */
export const LEEWAY = 30_000

export const people = { ada, bob }
export type Person = keyof typeof people

/** One sign-in: the refresh tokens that followed each other, of which one is current. */
export interface Family {
  user: User
  current: string
  previous: string | null
  rotatedAt: number
  /** `refused`: no refresh any more, but access tokens live on. `gone`: neither. */
  state: 'live' | 'refused' | 'gone'
}

interface AccessToken {
  family: Family
  expiresAt: number
  refused: boolean
}

export interface Answer {
  status: number
  body?: unknown
  headers?: Record<string, string>
  /** The refresh token for the cookie; null takes the cookie away. */
  cookie?: string | null
}

export class ModelApi {
  readonly accessTokens = new Map<string, AccessToken>()
  readonly #families = new Map<string, Family>()
  #issued = 0

  /** `leeway`: milliseconds in which a replaced refresh token is still answered (S2). */
  constructor(readonly leeway = LEEWAY) {}

  login(username: string, password: string): Answer {
    if (password !== 'right') return { status: 401, body: { message: 'Wrong password' } }
    const user = people[username as Person]
    const family: Family = { user, current: '', previous: null, rotatedAt: 0, state: 'live' }
    this.#rotate(family)
    return this.#grant(family)
  }

  refresh(cookie: string | null): Answer {
    const family = this.familyOf(cookie)
    if (family?.state !== 'live') return this.#refuse(401)
    if (cookie === family.current) this.#rotate(family)
    else if (cookie !== family.previous || Date.now() - family.rotatedAt >= this.leeway) {
      family.state = 'gone'
      return this.#refuse(401)
    }
    return this.#grant(family)
  }

  logout(cookie: string | null): Answer {
    const family = this.familyOf(cookie)
    if (family) family.state = 'gone'
    return { status: 204, cookie: null }
  }

  /** A resource that tells who asked for it. */
  note(token: string | null): Answer {
    const access = token === null ? undefined : this.accessTokens.get(token)
    if (!access || access.refused || access.family.state === 'gone') return this.#refuse(401)
    if (Date.now() >= access.expiresAt) return this.#refuse(401)
    return { status: 200, body: { for: access.family.user.username } }
  }

  /** The API no longer knows the session behind this cookie, for whatever reason. */
  end(cookie: string | null, status: number): Answer {
    const family = this.familyOf(cookie)
    if (family) family.state = 'gone'
    return this.#refuse(status)
  }

  refuseAccessTokens(): void {
    for (const access of this.accessTokens.values()) access.refused = true
  }

  refuseRefreshTokens(): void {
    for (const family of this.#families.values()) {
      if (family.state === 'live') family.state = 'refused'
    }
  }

  familyOf(cookie: string | null): Family | undefined {
    return cookie === null ? undefined : this.#families.get(cookie)
  }

  #rotate(family: Family): void {
    family.previous = family.current
    family.current = `refresh-${(this.#issued += 1)}-${family.user.username}`
    family.rotatedAt = Date.now()
    this.#families.set(family.current, family)
  }

  #grant(family: Family): Answer {
    const accessToken = `access-${(this.#issued += 1)}-${family.user.username}`
    const expiresAt = Date.now() + LIFETIME
    this.accessTokens.set(accessToken, { family, expiresAt, refused: false })
    const expiresIn = LIFETIME / 1000
    const body = { accessToken, tokenType: 'Bearer', expiresIn, user: family.user }
    return { status: 200, body, cookie: family.current }
  }

  #refuse(status: number): Answer {
    return { status, body: { message: 'Refused' } }
  }
}
