import { describe, expect, it } from 'vitest'
import { afterMessage, createTabs } from '@/auth/tabs.ts'
import { FakeBrowser } from '../../support/browser.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'

useFakeClock()

/** A task that ends when the test says so. */
function createTask() {
  const task = { runs: 0, contended: null as boolean | null, end: () => {}, run }
  function run(contended: boolean) {
    task.runs += 1
    task.contended = contended
    return new Promise<string>((resolve) => (task.end = () => resolve('done')))
  }
  return task
}

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

  it('fails when the platform refuses the lock itself', async () => {
    const denied = new DOMException('Denied', 'SecurityError')
    const tabs = createTabs({
      locks: { request: () => Promise.reject(denied) },
      channel: null,
      storage: null,
    })
    await expect(tabs.exclusive(() => Promise.resolve())).rejects.toBe(denied)
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

  it('afterMessage waits for the one that matters, or for its time to be over', async () => {
    const browser = new FakeBrowser()
    const [sender, receiver] = [browser.openTab(), browser.openTab()]
    let latest: unknown
    receiver.listen((message) => (latest = message))
    const found = outcome(afterMessage(receiver, () => latest === 'news', 100))
    sender.post('noise')
    await elapse(10)
    expect(found.state).toBe('pending')
    sender.post('news')
    await elapse()
    expect(found.state).toBe('fulfilled')

    const missed = outcome(afterMessage(receiver, () => false, 100))
    await elapse(99)
    expect(missed.state).toBe('pending')
    await elapse(1)
    expect(missed.state).toBe('fulfilled')
  })
})

describe('the shared note', () => {
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
})
