/**
 * The people who can sign in, and the check of their passwords.
 */
import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
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
const DEMO_ACCOUNTS: [Account, ...Account[]] = [
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
  const secret = randomBytes(32)
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
    const key = account ? account.username : slotOf(username)
    const matches = await throttle.guard(key, async () => {
      return (await verifyPassword(password, passwordHash)) && account !== undefined
    })
    return matches && account ? toUser(account) : null
  }

  /**
   * Unknown names share a fixed number of slots, so that they need no more memory than that, and
   * never push out an account. The key keeps anybody from choosing names of one slot.
   */
  function slotOf(username: string): number {
    return createHmac('sha256', secret).update(username).digest().readUInt32BE() % SLOTS
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
  const salt = randomBytes(16)
  const key = await derive(password, salt, { cost, blockSize, parallelization })
  const numbers = [cost, blockSize, parallelization].join(':')
  return `scrypt:${numbers}:${salt.toString('base64url')}:${key.toString('base64url')}`
}

async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const { options, salt, key } = parseHash(hash)
  const actual = await derive(password, salt, options)
  return key.length === actual.length && timingSafeEqual(key, actual)
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
    salt: Buffer.from(salt, 'base64url'),
    key: Buffer.from(key, 'base64url'),
  }
}

interface ScryptOptions {
  cost: number
  blockSize: number
  parallelization: number
}

function derive(password: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  const { cost, blockSize, parallelization } = options
  // What these numbers need. Node's own limit ends at the default cost.
  const maxmem = 128 * blockSize * (cost + parallelization + 2)
  return new Promise((resolve, reject) => {
    scrypt(password, salt, KEY_LENGTH, { ...options, maxmem }, (error, key) => {
      if (error) reject(error)
      else resolve(key)
    })
  })
}
