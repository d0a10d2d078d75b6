/**
 * The people who can sign in, and the check of their passwords.
 */
import { base64url } from 'jose'
import { scrypt } from './scrypt.ts'
import { createThrottle } from './throttle.ts'

export interface User {
  id: string
  username: string
  name: string
  roles: string[]
}

/** A user and how to know them: `passwordHash` as `hashPassword` writes it. */
export interface Account extends User {
  passwordHash: string
}

/** The password of both is `password`: two salts, so two hashes. */
export const DEMO_ACCOUNTS: [Account, ...Account[]] = [
  {
    id: 'user-1',
    username: 'admin',
    name: 'Admin',
    roles: ['admin', 'user'],
    passwordHash:
      'scrypt:16384:8:1:JNPeXTl0iiFKifwNW8yQ2w:vZ1aWGDX1TE_BKO6moUsk0SpCBzALjIBptCfQGwX5yM',
  },
  {
    id: 'user-2',
    username: 'demo',
    name: 'Demo',
    roles: ['user'],
    passwordHash:
      'scrypt:16384:8:1:EUZ2WwCVIPgGo9YjXC9iZg:lb9peZ7gITn1Wv1Jx6-PjGfGk7zKcYItxEX_TrkTElI',
  },
]

/** More than the names that could be tried in the minute that a failure counts. */
const SLOTS = 16_384

export interface UsersOptions {
  /** Default: `admin` and `demo`. */
  accounts?: Account[]
  now: () => number
}

export type Users = ReturnType<typeof createUsers>

export function createUsers({ accounts = DEMO_ACCOUNTS, now }: UsersOptions) {
  const byName = new Map(accounts.map((account) => [account.username, account]))
  const byId = new Map(accounts.map((account) => [account.id, account]))
  const throttle = createThrottle(now)
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  const random = crypto.getRandomValues(new Uint8Array(32))
  const secret = crypto.subtle.importKey('raw', random, hmac, false, ['sign'])
  // S6: an unknown name costs a scrypt as well, or the time would tell who exists.
  const dearest = [...accounts].sort((a, b) => workOf(b) - workOf(a))[0] ?? DEMO_ACCOUNTS[0]

  /**
   * The user with this name and password, or null.
   *
   * @throws TooManyAttemptsError
   */
  async function authenticate(username: string, password: string): Promise<User | null> {
    const account = byName.get(username)
    const { passwordHash } = account ?? dearest
    const key = account ? account.username : await slotOf(username)
    const matches = await throttle.guard(key, async () => {
      return (await verifyPassword(password, passwordHash)) && account !== undefined
    })
    return matches && account ? toUser(account) : null
  }

  /**
   * Unknown names share a fixed number of slots, so that they need no more memory than that, and
   * never push out an account. The key keeps anybody from choosing names of one slot.
   */
  async function slotOf(username: string): Promise<number> {
    const name = new TextEncoder().encode(username)
    const mac = await crypto.subtle.sign('HMAC', await secret, name)
    return new DataView(mac).getUint32(0) % SLOTS
  }

  return {
    authenticate,
    find(id: string): User | null {
      const account = byId.get(id)
      return account ? toUser(account) : null
    },
    list: (): User[] => accounts.map(toUser),
    forgetFailures: throttle.reset,
  }
}

/** Leaves the hash behind. */
function toUser({ id, username, name, roles }: Account): User {
  return { id, username, name, roles }
}

/** Node's own defaults. `cost` is the number that makes guessing slow, a power of two. */
const DEFAULTS = { cost: 16_384, blockSize: 8, parallelization: 1 }
const KEY_LENGTH = 32

/**
 * A salted scrypt hash, with the numbers it takes to do it again: `scrypt:cost:blockSize:…`. A lower
 * `cost` makes tests quick.
 */
export async function hashPassword(password: string, cost = DEFAULTS.cost): Promise<string> {
  const { blockSize, parallelization } = DEFAULTS
  const salt = crypto.getRandomValues(new Uint8Array(16))
  const options = { cost, blockSize, parallelization }
  const key = await scrypt(password, salt, KEY_LENGTH, options)
  const numbers = [cost, blockSize, parallelization].join(':')
  return `scrypt:${numbers}:${base64url.encode(salt)}:${base64url.encode(key)}`
}

async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const { options, salt, key } = parseHash(hash)
  const actual = await scrypt(password, salt, KEY_LENGTH, options)
  // All bytes are looked at, whichever differ.
  const difference = key.reduce((bits, byte, index) => bits | (byte ^ actual[index]!), 0)
  return key.length === actual.length && difference === 0
}

/** How long a password takes to check, relative to others: RFC 7914 §6. */
function workOf({ passwordHash }: Account): number {
  const { cost, blockSize, parallelization } = parseHash(passwordHash).options
  return cost * blockSize * parallelization
}

function parseHash(hash: string) {
  const [, cost, blockSize, parallelization, salt = '', key = ''] = hash.split(':')
  return {
    options: {
      cost: Number(cost),
      blockSize: Number(blockSize),
      parallelization: Number(parallelization),
    },
    salt: base64url.decode(salt),
    key: base64url.decode(key),
  }
}
