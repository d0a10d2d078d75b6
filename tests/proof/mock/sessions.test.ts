import { describe, expect, it, vi } from 'vitest'
import { createSessions, RefreshRefusedError } from '../../../mock-server/sessions.ts'
import { loadState } from '../../../mock-server/state.ts'
import { createClock, createMemoryStorage, DAY } from '../../support/mock-server.ts'

const LEEWAY = 30

function setUp(leeway = LEEWAY) {
  const clock = createClock()
  const storage = createMemoryStorage()
  /** Sessions as after a restart: with what the storage holds. */
  const open = () => {
    const { now } = clock
    const { save } = storage
    return createSessions({ state: loadState(storage), longestTtl: 604_800, leeway, now, save })
  }
  return { clock, storage, open, sessions: open() }
}

/** Why the refresh token is refused. */
function refusal(rotate: () => unknown): string {
  try {
    rotate()
    return 'accepted'
  } catch (error) {
    if (error instanceof RefreshRefusedError) return error.reason
    throw error
  }
}

describe('rotation', () => {
  it('S2: each refresh replaces the refresh token', () => {
    const { sessions } = setUp()
    const first = sessions.start('user-1')
    const second = sessions.rotate(first.id, first.current)
    const third = sessions.rotate(first.id, second.current)

    expect(new Set([first.current, second.current, third.current]).size).toBe(3)
    expect([second.userId, third.userId]).toEqual(['user-1', 'user-1'])
  })

  it('S2: sessions of one user are families of their own', () => {
    const { clock, sessions } = setUp()
    const here = sessions.start('user-1')
    const there = sessions.start('user-1')
    sessions.rotate(here.id, here.current)
    clock.advance(LEEWAY * 1000)

    expect(refusal(() => sessions.rotate(here.id, here.current))).toBe('reused')
    expect(refusal(() => sessions.rotate(there.id, there.current))).toBe('accepted')
  })

  it('S2: a token of another family is a reused one', () => {
    const { sessions } = setUp()
    const here = sessions.start('user-1')
    const there = sessions.start('user-1')
    expect(refusal(() => sessions.rotate(here.id, there.current))).toBe('reused')
  })
})

describe('the leeway', () => {
  it('S2: within it the token just replaced gets the same successor again', () => {
    const { clock, sessions } = setUp()
    const first = sessions.start('user-1')
    const second = sessions.rotate(first.id, first.current)
    clock.advance(LEEWAY * 1000 - 1)

    expect(sessions.rotate(first.id, first.current)).toEqual(second)
    expect(refusal(() => sessions.rotate(first.id, second.current))).toBe('accepted')
  })

  it('S2: after it the whole family is revoked, the current token too', () => {
    const { clock, sessions } = setUp()
    const first = sessions.start('user-1')
    const second = sessions.rotate(first.id, first.current)
    clock.advance(LEEWAY * 1000)

    expect(refusal(() => sessions.rotate(first.id, first.current))).toBe('reused')
    expect(refusal(() => sessions.rotate(first.id, second.current))).toBe('invalid')
    expect(sessions.has(first.id)).toBe(false)
  })

  it('S2: asking again does not lengthen it', () => {
    const { clock, sessions } = setUp()
    const { id, current } = sessions.start('user-1')
    sessions.rotate(id, current)
    clock.advance(LEEWAY * 600)
    sessions.rotate(id, current)
    clock.advance(LEEWAY * 600)

    expect(refusal(() => sessions.rotate(id, current))).toBe('reused')
  })

  it('S2: it does not reach two generations back', () => {
    const { sessions } = setUp()
    const first = sessions.start('user-1')
    const second = sessions.rotate(first.id, first.current)
    sessions.rotate(first.id, second.current)

    expect(refusal(() => sessions.rotate(first.id, first.current))).toBe('reused')
    expect(sessions.has(first.id)).toBe(false)
  })

  it('S2: of zero is none at all', () => {
    const { sessions } = setUp(0)
    const { id, current } = sessions.start('user-1')
    sessions.rotate(id, current)

    expect(refusal(() => sessions.rotate(id, current))).toBe('reused')
  })
})

describe('the end of a session', () => {
  it('S7: revoked, it has neither refresh nor access tokens', () => {
    const { sessions } = setUp()
    const { id, current } = sessions.start('user-1')
    expect(sessions.has(id)).toBe(true)
    sessions.revoke(id)

    expect(sessions.has(id)).toBe(false)
    expect(refusal(() => sessions.rotate(id, current))).toBe('invalid')
  })

  it('by hand: no refresh any more, while access tokens live on', () => {
    const { sessions } = setUp()
    const before = sessions.start('user-1')
    sessions.refuseRefresh()
    const after = sessions.start('user-1')

    expect(refusal(() => sessions.rotate(before.id, before.current))).toBe('invalid')
    expect(sessions.has(before.id)).toBe(true)
    expect(refusal(() => sessions.rotate(after.id, after.current))).toBe('accepted')
  })

  it('expired families are forgotten, and no others', () => {
    const { clock, sessions, storage } = setUp()
    const used = sessions.start('user-1')
    const idle = sessions.start('user-1')
    clock.advance(4 * DAY)
    sessions.rotate(used.id, used.current)
    clock.advance(4 * DAY)
    const fresh = sessions.start('user-1')

    expect(storage.state().families.map(({ id }) => id)).toEqual([used.id, fresh.id])
    expect(refusal(() => sessions.rotate(idle.id, idle.current))).toBe('invalid')
  })
})

describe('the number of sessions', () => {
  it('is bounded: the one unused for longest ends first', () => {
    const { open, sessions, storage } = setUp()
    const used = sessions.start('user-1')
    const idle = sessions.start('user-1')
    const { current } = sessions.rotate(used.id, used.current)
    for (let i = 0; i < 999; i += 1) sessions.start('user-2')

    expect(storage.state().families).toHaveLength(1000)
    expect(sessions.has(idle.id)).toBe(false)
    expect(refusal(() => open().rotate(used.id, current))).toBe('accepted')
  })

  it('costs one write for each sign-in', () => {
    const save = vi.fn<() => void>()
    const { now } = createClock()
    const state = loadState()
    const sessions = createSessions({ state, longestTtl: 604_800, leeway: LEEWAY, now, save })
    sessions.nextAccessId()
    save.mockClear()
    for (let i = 0; i < 100; i += 1) {
      sessions.start('user-1')
      sessions.nextAccessId()
    }
    expect(save).toHaveBeenCalledTimes(100)
  })

  it('is bounded after a restart, too', () => {
    const { sessions, storage } = setUp()
    sessions.start('user-1')
    const state = storage.state()
    const [family] = state.families
    state.families = Array.from({ length: 1500 }, (_, index) => ({ ...family!, id: `${index}` }))
    storage.save(state)
    const restarted = createSessions({
      state: loadState(storage),
      longestTtl: 604_800,
      leeway: LEEWAY,
      now: () => family!.rotatedAt,
      save: storage.save,
    })
    restarted.start('user-2')
    expect(storage.state().families).toHaveLength(1000)
    expect(storage.state().families[0]).toMatchObject({ id: '501' })
  })
})

describe('access tokens', () => {
  it('expired by hand: those issued so far, and none issued in the same instant after', () => {
    const { sessions } = setUp()
    const before = sessions.nextAccessId()
    sessions.expireAccess()
    const after = sessions.nextAccessId()

    expect(sessions.isAccessExpired(before)).toBe(true)
    expect(sessions.isAccessExpired(after)).toBe(false)
  })
})

describe('a restart', () => {
  it('S9: keeps the sessions, the leeway and what was reused', () => {
    const { clock, open, sessions } = setUp()
    const first = sessions.start('user-1')
    const second = sessions.rotate(first.id, first.current)

    expect(open().rotate(first.id, first.current)).toEqual(second)
    clock.advance(LEEWAY * 1000)
    expect(refusal(() => open().rotate(first.id, first.current))).toBe('reused')
    expect(open().has(first.id)).toBe(false)
  })

  it('S9: keeps which access tokens were expired by hand, and goes on numbering', () => {
    const { open, sessions } = setUp()
    const before = sessions.nextAccessId()
    sessions.expireAccess()
    const restarted = open()

    expect(restarted.isAccessExpired(before)).toBe(true)
    expect(restarted.isAccessExpired(restarted.nextAccessId())).toBe(false)
  })

  it('S9: keeps which sessions are refreshed no more', () => {
    const { open, sessions } = setUp()
    const { id, current } = sessions.start('user-1')
    sessions.refuseRefresh()
    expect(refusal(() => open().rotate(id, current))).toBe('invalid')
  })

  it('S9: brings back no session from before a reset', () => {
    const { open, sessions } = setUp()
    const { id } = sessions.start('user-1')
    sessions.clear()
    expect(open().has(id)).toBe(false)
  })

  it('S9: no two access tokens have the same number, though nothing happened between', () => {
    const { open, sessions } = setUp()
    const before = sessions.nextAccessId()
    expect(open().nextAccessId()).not.toBe(before)
  })

  it('S9: keeps the secrets; what it does not understand makes new ones', () => {
    const { storage, sessions } = setUp()
    sessions.start('user-1')
    const { secrets } = storage.state()

    expect(loadState(storage).secrets).toEqual(secrets)
    const short = { ...storage.state(), secrets: { ...secrets, access: secrets.access.slice(1) } }
    for (const json of ['{}', '[]', '7', JSON.stringify(short)]) {
      const state = loadState(createMemoryStorage(json))
      expect(state.families).toEqual([])
      expect(state.secrets.access).toHaveLength(43)
      expect(state.secrets.access).not.toBe(state.secrets.refresh)
    }
  })
})
