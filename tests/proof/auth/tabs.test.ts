// @vitest-environment happy-dom
import { describe, expect, it, vi } from 'vitest'
import { createTabs } from '@/auth/tabs/tabs.ts'
import { FakeBrowser, FakeLocks, FakePage } from '../../support/browser.ts'
import { createTask } from './task.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'

useFakeClock()

describe.each([
  ['with Web Locks', true],
  ['without Web Locks', false],
])('exclusive %s', (_, locks) => {
  it('runs the tasks of one tab one after the other, in their order', async () => {
    const tab = new FakeBrowser({ locks }).openTab()
    const [first, second] = [createTask(), createTask()]
    const results = Promise.all([tab.exclusive(first.run), tab.exclusive(second.run)])
    await elapse()
    expect([first.runs, second.runs]).toEqual([1, 0])
    first.end()
    await elapse()
    expect(second).toMatchObject({ runs: 1, contended: false })
    second.end()

    expect(await results).toEqual(['done', 'done'])
  })

  it('passes on what a task throws, and goes on with the next', async () => {
    const tab = new FakeBrowser({ locks }).openTab()
    const error = new Error('broken')
    await expect(tab.exclusive(() => Promise.reject(error))).rejects.toBe(error)
    await expect(tab.exclusive(() => Promise.resolve(1))).resolves.toBe(1)
  })
})

describe('exclusive over tabs', () => {
  it('R1: makes the tasks of two tabs take turns, and tells the second that it had to wait', async () => {
    const browser = new FakeBrowser()
    const [first, second] = [createTask(), createTask()]
    const results = Promise.all([
      browser.openTab().exclusive(first.run),
      browser.openTab().exclusive(second.run),
    ])
    await elapse()
    expect(first).toMatchObject({ runs: 1, contended: false })
    expect(second.runs).toBe(0)
    first.end()
    await elapse()
    expect(second).toMatchObject({ runs: 1, contended: true })
    second.end()

    expect(await results).toEqual(['done', 'done'])
  })

  it('takes the lock from a tab that froze, after 10.5 s, and runs every task once', async () => {
    const browser = new FakeBrowser()
    const frozen = createTask()
    const tasks = [createTask(), createTask(), createTask()]
    const left = outcome(browser.openTab().exclusive(frozen.run))
    const waiting = tasks.map((task) => outcome(browser.openTab().exclusive(task.run)))
    await elapse(10_499)
    expect(tasks.map(({ runs }) => runs)).toEqual([0, 0, 0])
    await elapse(1)
    expect(tasks.map(({ runs }) => runs)).toEqual([1, 0, 0])

    // One at a time, the lock is theirs again.
    for (const task of tasks) {
      task.end()
      await elapse()
    }
    expect(waiting.map(({ value }) => value)).toEqual(['done', 'done', 'done'])
    expect(tasks.map(({ runs }) => runs)).toEqual([1, 1, 1])

    // The frozen tab wakes up: its task went on and ends.
    frozen.end()
    await elapse()
    expect(left.value).toBe('done')
  })

  it('R1: a tab that finds the lock free after another took it by force is told of that one', async () => {
    const browser = new FakeBrowser()
    const [first, second] = [createTask(), createTask()]
    let ask = () => {}
    let asked = 0
    const request = async (...args: Parameters<FakeLocks['request']>) => {
      if (args[0] === 'auth') asked += 1
      // Late with its question in the second round: the other is done by then.
      if (asked === 3) await new Promise<void>((resolve) => (ask = resolve))
      return browser.locks!.request(...args)
    }
    void browser.openTab().exclusive(createTask().run)
    void browser.openTab().exclusive(first.run)
    void browser.openTab({ locks: { request } as LockManager }).exclusive(second.run)
    await elapse(10_500)
    first.end()
    await elapse()
    ask()
    await elapse()
    expect(second).toMatchObject({ runs: 1, contended: true })
  })

  it('R1: no two tabs take it by force at the same time, however long each has waited', async () => {
    const browser = new FakeBrowser()
    const [frozen, first, second, third] = [createTask(), createTask(), createTask(), createTask()]
    for (const { run } of [frozen, first, second, third]) void browser.openTab().exclusive(run)
    await elapse(10_600)
    const late = createTask()
    void browser.openTab().exclusive(late.run)
    await elapse(100)
    first.end()
    await elapse(1)
    expect([second.runs, third.runs, late.runs]).toEqual([1, 0, 0])
  })

  it('R15: leaves no timer and no listener once it is there', async () => {
    const browser = new FakeBrowser()
    const page = new FakePage()
    const removed = vi.spyOn(page, 'removeEventListener')
    const added = vi.spyOn(page, 'addEventListener')
    const [busy, next] = [createTask(), createTask()]
    void browser.openTab().exclusive(busy.run)
    void browser.openTab({ page: page as unknown as Document }).exclusive(next.run)
    await elapse()
    busy.end()
    await elapse()
    expect(next.runs).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
    expect(removed.mock.calls).toEqual(added.mock.calls)
  })

  it('R11: takes it though a person goes from tab to tab meanwhile', async () => {
    const browser = new FakeBrowser()
    const [page, task] = [new FakePage(), createTask()]
    void browser.openTab().exclusive(createTask().run)
    void browser.openTab({ page: page as unknown as Document }).exclusive(task.run)
    for (const view of ['hidden', 'visible', 'hidden'] as const) {
      page.show(view)
      await elapse(10_000)
    }
    expect(task.runs).toBe(1)
  })

  it('a tab behind a frozen one is told that there was another', async () => {
    const browser = new FakeBrowser()
    const [frozen, next] = [createTask(), createTask()]
    void browser.openTab().exclusive(frozen.run)
    void browser.openTab().exclusive(next.run)
    await elapse(10_500)
    expect(next).toMatchObject({ runs: 1, contended: true })
  })

  it('does not run a task twice when the lock is taken from it, and passes on its result', async () => {
    const browser = new FakeBrowser()
    const task = createTask()
    const result = outcome(browser.openTab().exclusive(task.run))
    await elapse()
    void browser.locks!.request('auth', { steal: true }, () => new Promise(() => {}))
    await elapse()
    expect(result.state).toBe('pending')
    task.end()
    await elapse()
    expect(result.value).toBe('done')
    expect(task.runs).toBe(1)
  })

  it.each([
    ['while it waits', 2],
    ['when it takes the lock by force', 3],
  ])('fails when the platform refuses the lock %s', async (_, refusals) => {
    const denied = new DOMException('Denied', 'SecurityError')
    const browser = new FakeBrowser()
    void browser.openTab().exclusive(createTask().run)
    await elapse()
    let calls = 0
    const request = (...args: Parameters<FakeLocks['request']>) => {
      calls += 1
      return calls === refusals ? Promise.reject(denied) : browser.locks!.request(...args)
    }
    const locks = { request } as unknown as LockManager
    const failed = outcome(browser.openTab({ locks }).exclusive(createTask().run))
    await elapse(10_500)
    expect(failed.reason).toBe(denied)
  })

  it('goes on alone when the platform denies locks, and fails as the task does', async () => {
    const denied = new DOMException('Denied', 'SecurityError')
    const tabs = createTabs({
      locks: { request: () => Promise.reject(denied) },
      channel: null,
      storage: null,
    })
    expect(await tabs.exclusive(async (contended) => contended)).toBe(false)
    const error = new Error('broken')
    await expect(tabs.exclusive(() => Promise.reject(error))).rejects.toBe(error)
  })
})

describe('messages', () => {
  it('reach all other tabs, until they stop to listen', async () => {
    const browser = new FakeBrowser()
    const [sender, receiver] = [browser.openTab(), browser.openTab()]
    const heard: unknown[] = []
    const echoed: unknown[] = []
    sender.listen((message) => echoed.push(message))
    const stop = receiver.listen((message) => heard.push(message))

    sender.post({ n: 1 })
    await elapse()
    stop()
    sender.post({ n: 2 })
    await elapse()
    expect(heard).toEqual([{ n: 1 }])
    expect(echoed).toEqual([])
  })
})

describe('waking up', () => {
  it('is told when the page enters or leaves the view, until stopped', () => {
    const page = new FakePage()
    const woken = vi.fn<() => void>()
    const tab = new FakeBrowser().openTab({ page: page as unknown as Document })
    const stop = tab.onVisibilityChange(woken)
    page.show('hidden')
    page.show('visible')
    expect(woken).toHaveBeenCalledTimes(2)
    stop()
    page.show('hidden')
    expect(woken).toHaveBeenCalledTimes(2)
  })
})

describe('what the platform does not have', () => {
  it('no channel, no page: a tab for itself', async () => {
    const tab = createTabs({ locks: null, channel: null, storage: null, page: null })
    const task = createTask()
    const result = outcome(tab.exclusive(task.run))
    await elapse()
    tab.post('to nobody')
    tab.listen(() => {})()
    tab.onVisibilityChange(() => {})()
    task.end()
    await elapse()
    expect(result.value).toBe('done')
  })

  it('a channel that is denied: as none', () => {
    const denied = vi.fn<() => void>(function () {
      throw new DOMException('The operation is insecure.', 'SecurityError')
    })
    vi.stubGlobal('BroadcastChannel', denied)
    const tabs = createTabs({ locks: null, storage: null })
    expect(denied).toHaveBeenCalledOnce()
    expect(() => tabs.post('x')).not.toThrow()
  })

  it('no channel: the lock still keeps tabs apart', async () => {
    const locks = new FakeLocks() as unknown as LockManager
    const tasks = [createTask(), createTask()]
    const open = () => createTabs({ locks, channel: null, storage: null, page: null })
    for (const { run } of tasks) void open().exclusive(run)
    await elapse()
    expect(tasks.map(({ runs }) => runs)).toEqual([1, 0])
    tasks[0]!.end()
    await elapse()
    expect(tasks[1]).toMatchObject({ runs: 1, contended: true })
  })
})

describe('the shared session id', () => {
  it('is kept in localStorage under the name of the tabs', () => {
    createTabs({ name: 'mine' }).session.set('a')
    expect(localStorage.getItem('mine.session')).toBe('a')
    createTabs({ name: 'mine' }).session.set(null)
    expect(localStorage.getItem('mine.session')).toBeNull()
  })

  it('is a variable where the browser denies localStorage', () => {
    vi.spyOn(window, 'localStorage', 'get').mockImplementation(() => {
      throw new DOMException('Denied', 'SecurityError')
    })
    const { session } = createTabs()
    expect(session.get()).toBeNull()
    session.set('a')
    expect(session.get()).toBe('a')
  })

  it('is seen by all tabs and outlives them', () => {
    const browser = new FakeBrowser()
    browser.openTab().session.set('a')
    expect(browser.openTab().session.get()).toBe('a')
    browser.openTab().session.set(null)
    expect(browser.openTab().session.get()).toBeNull()
    expect(browser.storage.size).toBe(0)
  })

  it('is a variable where storage is denied or full', () => {
    const full = {
      getItem: () => null,
      setItem: () => {
        throw new DOMException('Full', 'QuotaExceededError')
      },
      removeItem: () => {},
    }
    for (const storage of [full, null]) {
      const { session } = createTabs({ locks: null, channel: null, storage })
      session.set('a')
      expect(session.get()).toBe('a')
    }
  })

  it('R12: leaves nothing that is no longer true in a storage that becomes full', () => {
    const values = new Map([['silent-refresh.session', 'sign-out-owed']])
    const full = {
      getItem: (key: string) => values.get(key) ?? null,
      setItem: () => {
        throw new DOMException('Full', 'QuotaExceededError')
      },
      removeItem: (key: string) => void values.delete(key),
    }
    const { session } = createTabs({ locks: null, channel: null, storage: full })
    session.set('a')
    expect(session.get()).toBe('a')
    expect([...values]).toEqual([])
  })
})
