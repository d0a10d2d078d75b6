// @vitest-environment happy-dom
import { describe, expect, it, vi } from 'vitest'
import { createStorageLocks } from '@/auth/storage-locks.ts'
import { createTabs } from '@/auth/tabs.ts'
import { FakeBrowser } from '../../support/browser.ts'
import { createTask } from '../../support/task.ts'
import { elapse, outcome, useFakeClock } from '../../support/time.ts'

useFakeClock()

/** A tab on plain http: it has a storage and a channel, and no Web Locks. */
function openTab(browser: FakeBrowser) {
  const { storage } = browser
  const shared = {
    getItem: (key: string) => storage.get(key) ?? null,
    setItem: (key: string, value: string) => void storage.set(key, value),
    removeItem: (key: string) => void storage.delete(key),
  }
  const locks = createStorageLocks(shared, 10_500)
  return browser.openTab({ locks })
}

describe('R1: locks in a storage', () => {
  it('tabs that ask at the same moment take turns', async () => {
    const browser = new FakeBrowser()
    const tasks = [createTask(), createTask(), createTask()]
    const results = tasks.map(({ run }) => outcome(openTab(browser).exclusive(run)))
    for (let turn = 1; turn <= tasks.length; turn += 1) {
      await elapse(200)
      expect(tasks.reduce((sum, { runs }) => sum + runs, 0)).toBe(turn)
      for (const task of tasks) task.end()
    }
    await elapse()

    expect(results.map(({ value }) => value)).toEqual(['done', 'done', 'done'])
    expect(tasks.filter(({ contended }) => contended)).toHaveLength(2)
    expect([...browser.storage]).toEqual([])
  })

  it('is free again when a task fails', async () => {
    const browser = new FakeBrowser()
    const tab = openTab(browser)
    const failed = outcome(tab.exclusive(() => Promise.reject(new Error('broken'))))
    await elapse(40)
    expect(failed.state).toBe('rejected')
    const next = createTask()
    void openTab(browser).exclusive(next.run)
    await elapse(40)
    expect(next).toMatchObject({ runs: 1, contended: false })
  })

  it('is free again when the page that held it is left', async () => {
    const browser = new FakeBrowser()
    const left = createTask()
    void openTab(browser).exclusive(left.run)
    await elapse(40)
    window.dispatchEvent(new Event('pagehide'))
    const next = createTask()
    void openTab(browser).exclusive(next.run)
    await elapse(40)
    expect([left.runs, next.runs]).toEqual([1, 1])
    expect(next.contended).toBe(false)
    // What goes on in the page that was left does not set another's lock free.
    left.end()
    await elapse()
    expect(browser.storage.has('auth.lock')).toBe(true)
  })

  it('is free again when the tab that held it has crashed', async () => {
    const browser = new FakeBrowser()
    browser.storage.set('auth.lock', `closed ${Date.now()}`)
    const next = createTask()
    void openTab(browser).exclusive(next.run)
    await elapse(10_400)
    expect(next.runs).toBe(0)
    await elapse(300)
    expect(next.runs).toBe(1)
  })

  it('a clock that was set back does not keep it taken', async () => {
    const browser = new FakeBrowser()
    browser.storage.set('auth.lock', `of-tomorrow ${Date.now() + 86_400_000}`)
    const next = createTask()
    void openTab(browser).exclusive(next.run)
    await elapse(40)
    expect(next.runs).toBe(1)
  })

  it.each([null, 'another'])(
    'a full storage keeps nobody from going on (held by %s)',
    async (name) => {
      let held = name && `${name} ${Date.now()}`
      const full = {
        getItem: () => held,
        setItem: () => {
          throw new DOMException('Full', 'QuotaExceededError')
        },
        removeItem: () => {},
      }
      const locks = createStorageLocks(full, 10_500)
      const task = createTask()
      void createTabs({ locks, storage: full, channel: null }).exclusive(task.run)
      await elapse(200)
      expect(task.runs).toBe(held ? 0 : 1)
      held = null
      await elapse(50)
      expect(task.runs).toBe(1)
    },
  )

  it('stand in on a page that is not secure, and are loaded there', async () => {
    vi.stubGlobal('isSecureContext', false)
    vi.stubGlobal('navigator', {})
    const task = createTask()
    void createTabs({ storage: localStorage, channel: null }).exclusive(task.run)
    await vi.dynamicImportSettled()
    await elapse(40)
    expect(task.runs).toBe(1)
    expect(localStorage.getItem('auth.lock')).not.toBeNull()
    task.end()
    await elapse()
    expect(localStorage.length).toBe(0)
  })

  it.each([
    ['cannot be loaded', 0, () => Promise.reject(new TypeError('Failed to fetch'))],
    ['does not come', 10_500, () => new Promise(() => {})],
  ])('the tab goes on alone when their code %s (R11)', async (_, patience, code) => {
    vi.stubGlobal('isSecureContext', false)
    vi.stubGlobal('navigator', {})
    const task = createTask()
    await new Promise<void>((asked) => {
      vi.doMock('@/auth/storage-locks.ts', () => (asked(), code() as Promise<object>))
      void createTabs({ storage: localStorage, channel: null }).exclusive(task.run)
    })
    vi.doUnmock('@/auth/storage-locks.ts')
    if (patience === 0) await vi.dynamicImportSettled()
    await elapse(patience)
    expect(task.runs).toBe(1)
  })

  it.each([
    ['on a secure page', true, localStorage],
    ['where storage is denied', false, null],
  ])('there are none %s: the tab goes on alone', async (_, isSecure, storage) => {
    vi.stubGlobal('isSecureContext', isSecure)
    vi.stubGlobal('navigator', {})
    const task = createTask()
    void createTabs({ storage, channel: null }).exclusive(task.run)
    await elapse()
    expect(task.runs).toBe(1)
    expect(localStorage.length).toBe(0)
  })
})
