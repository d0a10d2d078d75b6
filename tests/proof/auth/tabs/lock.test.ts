/** Tasks that no two tabs run at the same time. */
import { describe, expect, it, vi } from 'vitest'
import { createTabs } from '@/auth/tabs/tabs.ts'
import { FakeBrowser, FakeLocks, FakePage } from '../../../support/browser.ts'
import { elapse, outcome, useFakeClock } from '../../../support/time.ts'
import { createTask } from './task.ts'

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

  it.each([
    ['', {}],
    [', where none can store since when it holds the lock', { storage: null }],
  ])('R1: no two tabs take it by force at the same time%s', async (_, options) => {
    const browser = new FakeBrowser()
    const [frozen, first, second, third] = [createTask(), createTask(), createTask(), createTask()]
    for (const { run } of [frozen, first, second, third])
      void browser.openTab(options).exclusive(run)
    await elapse(10_600)
    const late = createTask()
    void browser.openTab(options).exclusive(late.run)
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
