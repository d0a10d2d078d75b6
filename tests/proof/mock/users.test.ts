import { scrypt } from 'node:crypto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createThrottle, TooManyAttemptsError } from '../../../mock-server/throttle.ts'
import { createUsers, hashPassword } from '../../../mock-server/users.ts'
import type { Account } from '../../../mock-server/users.ts'
import { createClock, quickUsers } from '../../support/mock-server.ts'

vi.mock('node:crypto', async (load) => {
  const original = await load<typeof import('node:crypto')>()
  return { ...original, scrypt: vi.fn<typeof original.scrypt>(original.scrypt) }
})

const scrypted = vi.mocked(scrypt)

beforeEach(() => {
  scrypted.mockClear()
})

function setUp() {
  const clock = createClock()
  return { clock, users: createUsers({ accounts: quickUsers, now: clock.now }) }
}

/** Signs in, or says why not. */
async function attempt(users: ReturnType<typeof createUsers>, username: string, password: string) {
  try {
    const user = await users.authenticate(username, password)
    return user ? 'in' : 'wrong'
  } catch (error) {
    if (error instanceof TooManyAttemptsError) return `wait ${error.retryAfter}`
    throw error
  }
}

async function failTimes(times: number, users: ReturnType<typeof createUsers>, username = 'demo') {
  for (let i = 0; i < times; i += 1) {
    expect(await attempt(users, username, 'guess')).toBe('wrong')
  }
}

describe('passwords', () => {
  it('S6: admin and demo sign in with the password password, by scrypt at its usual cost', async () => {
    const users = createUsers({ now: Date.now })

    expect(await users.authenticate('admin', 'password')).toEqual({
      id: 'user-1',
      username: 'admin',
      name: 'Admin',
      roles: ['admin', 'user'],
    })
    expect(await users.authenticate('demo', 'password')).toEqual({
      id: 'user-2',
      username: 'demo',
      name: 'Demo',
      roles: ['user'],
    })
    expect(await users.authenticate('demo', 'passwor')).toBeNull()
    expect(scrypted.mock.calls[0]?.[3]).toMatchObject({ cost: 16_384, blockSize: 8 })
  })

  it('S6: may cost more than Node allows by itself', async () => {
    const passwordHash = await hashPassword('password', 32_768)
    const users = createUsers({ accounts: [{ ...quickUsers[0]!, passwordHash }], now: Date.now })
    expect(await attempt(users, quickUsers[0]!.username, 'password')).toBe('in')
  })

  it('S6: that are hashed to another length are wrong, and break nothing', async () => {
    const passwordHash = quickUsers[0]!.passwordHash.slice(0, -4)
    const users = createUsers({ accounts: [{ ...quickUsers[0]!, passwordHash }], now: Date.now })
    expect(await attempt(users, quickUsers[0]!.username, 'password')).toBe('wrong')
  })

  it('S6: an unknown user costs the same scrypt as a wrong password', async () => {
    const { users } = setUp()
    await users.authenticate('demo', 'guess')
    await users.authenticate('nobody', 'guess')

    const [known, unknown] = scrypted.mock.calls
    expect(scrypted).toHaveBeenCalledTimes(2)
    expect(unknown?.slice(2, 4)).toEqual(known?.slice(2, 4))
  })

  it.each([
    [2, 4],
    [4, 2],
  ])('S6: an unknown user costs as much as the dearest of %i and %i', async (first, second) => {
    const [admin, demo] = quickUsers as [Account, Account]
    const accounts = [
      { ...admin, passwordHash: await hashPassword('password', first) },
      { ...demo, passwordHash: await hashPassword('password', second) },
    ]
    scrypted.mockClear()
    await createUsers({ accounts, now: Date.now }).authenticate('nobody', 'guess')
    expect(scrypted.mock.calls[0]?.[3]).toMatchObject({ cost: 4 })
  })

  it('S6: the password of the one that was hashed instead is as wrong as any', async () => {
    const { users } = setUp()
    for (let i = 0; i < 5; i += 1) {
      expect(await attempt(users, 'nobody', 'password')).toBe('wrong')
    }
    expect(await attempt(users, 'nobody', 'password')).toBe('wait 60')
  })

  it.each(['__proto__', 'constructor', 'toString', '', 'Demo', 'demo\0'])(
    'S6: %j is nobody',
    async (username) => {
      expect(await attempt(setUp().users, username, 'password')).toBe('wrong')
    },
  )

  it('no hash leaves the module', async () => {
    const { users } = setUp()
    const found = [await users.authenticate('demo', 'password'), users.find('user-2')]
    expect(found).not.toContain(null)
    expect(JSON.stringify(found)).not.toMatch(/hash|scrypt/i)
    expect(JSON.stringify(users.list())).not.toMatch(/hash|scrypt/i) // demo
  })
})

describe('guessing', () => {
  it('S6: after five failures the sixth attempt has to wait, be it right or wrong', async () => {
    const { clock, users } = setUp()
    await failTimes(5, users)
    scrypted.mockClear()

    expect(await attempt(users, 'demo', 'guess')).toBe('wait 60')
    clock.advance(20_001)
    expect(await attempt(users, 'demo', 'password')).toBe('wait 40')
    expect(scrypted).not.toHaveBeenCalled()
    clock.advance(39_999)
    expect(await attempt(users, 'demo', 'password')).toBe('in')
  })

  it('S6: unknown names wait like known ones', async () => {
    const { users } = setUp()
    await failTimes(5, users, 'nobody')
    expect(await attempt(users, 'nobody', 'guess')).toBe('wait 60')
  })

  it('S6: one name does not make another wait', async () => {
    const { users } = setUp()
    await failTimes(5, users)
    expect(await attempt(users, 'admin', 'password')).toBe('in')
  })

  it('S6: thousands of unknown names do not make it forget an account', async () => {
    const { users } = setUp()
    await failTimes(5, users)
    for (let i = 0; i < 3000; i += 1) await attempt(users, `nobody ${i}`, 'guess')
    expect(await attempt(users, 'demo', 'password')).toBe('wait 60')
  })

  it('S6: thousands of unknown names do not make it forget an unknown one', async () => {
    const { users } = setUp()
    await failTimes(5, users, 'first')
    for (let i = 0; i < 3000; i += 1) await attempt(users, `nobody ${i}`, 'guess')
    expect(await attempt(users, 'first', 'guess')).toBe('wait 60')
  })

  it('S6: unknown names share 16,384 slots', async () => {
    const { users } = setUp()
    let tried = 1
    while ((await attempt(users, `nobody ${tried}`, 'guess')) === 'wrong') tried += 1
    // So many would fill all slots. In fact two names meet in one much sooner.
    expect(tried).toBeLessThanOrEqual(16_384 * 5 + 1)
  })

  it('S6: a success wipes the slate', async () => {
    const { users } = setUp()
    await failTimes(4, users)
    expect(await attempt(users, 'demo', 'password')).toBe('in')
    await failTimes(5, users)
    expect(await attempt(users, 'demo', 'password')).toBe('wait 60')
  })

  it('S6: in parallel there are no more guesses than one after the other', async () => {
    const { users } = setUp()
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () => attempt(users, 'demo', 'guess')),
    )

    expect(scrypted).toHaveBeenCalledTimes(5)
    expect(outcomes.filter((outcome) => outcome === 'wrong')).toHaveLength(5)
    expect(outcomes.filter((outcome) => outcome === 'wait 60')).toHaveLength(45)
  })

  it('S6: any number of right ones in parallel get in', async () => {
    const { users } = setUp()
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () => attempt(users, 'demo', 'password')),
    )
    expect(new Set(outcomes)).toEqual(new Set(['in']))
  })
})

describe('the throttle', () => {
  const fail = () => Promise.resolve(false)

  it('S6: counts what is under way when the minute is over, and asks for a second then', async () => {
    const clock = createClock()
    const throttle = createThrottle(clock.now)
    let fails!: () => void
    const failed = new Promise<boolean>((resolve) => (fails = () => resolve(false)))
    const started = Array.from({ length: 5 }, () => throttle.guard('demo', () => failed))
    clock.advance(60_000)
    const sixth = throttle.guard('demo', fail)
    fails()

    await expect(sixth).rejects.toMatchObject({ retryAfter: 1 })
    expect(await Promise.all(started)).toEqual([false, false, false, false, false])
  })

  it('S6: an attempt that breaks counts for nothing, and holds nobody up', async () => {
    const throttle = createThrottle(createClock().now)
    const broken = () => Promise.reject(new Error('no memory'))
    for (let i = 0; i < 20; i += 1) {
      await expect(throttle.guard('demo', broken)).rejects.toThrow('no memory')
    }
    expect(await throttle.guard('demo', () => Promise.resolve(true))).toBe(true)
  })

  it('S6: an attempt that breaks is an error for none of those that wait for it', async () => {
    const throttle = createThrottle(createClock().now)
    const broken = () => Promise.reject(new Error('no memory'))
    const started = Array.from({ length: 5 }, () => throttle.guard('demo', broken))
    const sixth = throttle.guard('demo', () => Promise.resolve(true))

    expect((await Promise.allSettled(started)).map(({ status }) => status)).not.toContain(
      'fulfilled',
    )
    expect(await sixth).toBe(true)
  })
})
