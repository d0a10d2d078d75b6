// @vitest-environment happy-dom
/** What tabs share: messages and storage, and what is left where the platform has none. */
import { describe, expect, it, vi } from 'vitest'
import { createTabs } from '@/auth/tabs/tabs.ts'
import { FakeBrowser, FakeLocks, FakePage } from '../../../support/browser.ts'
import { elapse, outcome, useFakeClock } from '../../../support/time.ts'
import { createTask } from './task.ts'

useFakeClock()

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
