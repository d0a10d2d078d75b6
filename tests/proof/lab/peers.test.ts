import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { addressOf, createPeers, labOfTab } from '@/lab/peers.ts'
import type { Heard, PeerMessage } from '@/lab/peers.ts'

const go: PeerMessage = {
  type: 'go',
  run: 'r',
  plan: { requests: 1, apiMs: 0, refreshMs: 0, scenario: 'fine', rivals: [] },
  startedAt: 0,
  mark: { at: 0, count: 0 },
}

let channels: Set<EventTarget>

beforeEach(() => {
  channels = new Set()
})

/** Another tab of the browser, with messages that arrive at once. */
function openTab(lab = 'a') {
  const target = new EventTarget()
  channels.add(target)
  const postMessage = (data: unknown) => {
    for (const other of channels) {
      if (other !== target) other.dispatchEvent(new MessageEvent('message', { data }))
    }
  }
  const close = () => void channels.delete(target)
  const channel = Object.assign(target, { postMessage, close }) as unknown as BroadcastChannel
  const heard: Heard[] = []
  const peers = createPeers({ lab, channel })
  peers.listen((message) => heard.push(message))
  return { ...peers, heard }
}

describe('the tabs of a lab', () => {
  it('know each other, whichever came first', () => {
    const tabs = [openTab(), openTab(), openTab()]

    for (const tab of tabs) {
      const others = tabs.filter((other) => other !== tab).map(({ me }) => me)
      expect(new Set(tab.tabs.value)).toEqual(new Set(others))
    }
  })

  it('leave another lab alone', () => {
    const [one, other] = [openTab('a'), openTab('b')]
    one.post(go)

    expect([one.tabs.value, other.tabs.value]).toEqual([[], []])
    expect(other.heard).toEqual([])
  })

  it('say nothing any more after they were closed', () => {
    const [one, other] = [openTab(), openTab()]
    one.close()
    const heard = other.heard.length
    one.post(go)

    expect(other.heard).toHaveLength(heard)
  })

  it('are alone where the browser denies a channel', () => {
    vi.stubGlobal('BroadcastChannel', function deny() {
      throw new DOMException('Denied', 'SecurityError')
    })

    expect(createPeers({ lab: 'a' }).tabs.value).toEqual([])
  })

  it('hear each other, and who it was', () => {
    const [one, other] = [openTab(), openTab()]
    one.post(go)

    expect(other.heard.at(-1)).toMatchObject({ ...go, tab: one.me })
  })

  it('know one again that comes back from the browser’s cache of pages', () => {
    const page = new EventTarget()
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
    vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page))
    const here = openTab()
    vi.unstubAllGlobals()
    const other = openTab()
    page.dispatchEvent(new Event('pagehide'))
    expect(other.tabs.value).toEqual([])

    page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))

    expect(other.tabs.value).toEqual([here.me])
    expect(here.tabs.value).toEqual([other.me])
  })

  it('forget one that is closed', () => {
    const [one, other] = [openTab(), openTab()]
    one.close()

    expect(other.tabs.value).toEqual([])
  })
})

describe('the lab of a tab', () => {
  beforeEach(() => {
    const kept = new Map<string, string>()
    vi.stubGlobal('sessionStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    })
  })
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  it('is the one that its address names', () => {
    vi.stubGlobal('location', { search: '?with=abc' })

    expect(labOfTab()).toBe('abc')
  })

  it('stays the same over a reload', () => {
    expect(labOfTab()).toBe(labOfTab())
  })

  it('is one of its own where storage is denied', () => {
    vi.stubGlobal('sessionStorage', {
      getItem() {
        throw new DOMException('denied', 'SecurityError')
      },
    })

    expect(labOfTab()).not.toBe(labOfTab())
  })

  it('is in the address of another tab', () => {
    expect(addressOf('a b')).toBe('/lab?with=a+b')
  })
})
