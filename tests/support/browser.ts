/**
 * A browser profile in memory: Web Locks, BroadcastChannel and localStorage as its tabs share them.
 * A message arrives as a task of its own, as in a browser; under fake timers, when they advance.
 */
import { createTabs } from '@/auth/tabs/tabs.ts'
import type { Tabs, TabsOptions } from '@/auth/tabs/tabs.ts'

interface Held {
  reject: (reason: unknown) => void
}

type Callback = (lock: { name: string } | null) => unknown

/** Web Locks, exclusive mode only. @see https://w3c.github.io/web-locks/ */
export class FakeLocks {
  readonly #held = new Map<string, Held>()
  readonly #queues = new Map<string, (() => void)[]>()

  async request(name: string, options: LockOptions | Callback, callback?: Callback) {
    const { ifAvailable, steal, signal } = typeof options === 'function' ? {} : options
    const run = typeof options === 'function' ? options : callback!
    signal?.throwIfAborted()
    if (steal) {
      this.#held.get(name)?.reject(new DOMException('The lock was stolen.', 'AbortError'))
      this.#held.delete(name)
    }
    if (this.#held.has(name)) {
      if (ifAvailable) return run(null)
      await this.#turn(name, signal)
    }
    return new Promise((resolve, reject) => {
      const held: Held = { reject }
      this.#held.set(name, held)
      void Promise.resolve({ name })
        .then(run)
        .then(resolve, reject)
        .finally(() => {
          if (this.#held.get(name) !== held) return
          this.#held.delete(name)
          this.#queues.get(name)?.shift()?.()
        })
    })
  }

  /** As when the page that holds the lock is closed. */
  release(name: string): void {
    this.#held.delete(name)
    this.#queues.get(name)?.shift()?.()
  }

  #turn(name: string, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(name) ?? []
      this.#queues.set(name, queue)
      queue.push(resolve)
      signal?.addEventListener('abort', () => {
        const place = queue.indexOf(resolve)
        if (place < 0) return
        queue.splice(place, 1)
        reject(signal.reason)
      })
    })
  }
}

export interface BrowserOptions {
  /** `false`: plain http, where there are no Web Locks. */
  locks?: boolean
  /** Milliseconds that a message takes to arrive. */
  latency?: number
}

export class FakeBrowser {
  readonly storage = new Map<string, string>()
  readonly locks: FakeLocks | null
  /** As in the options, for the messages sent from now on. */
  latency: number
  readonly #channels = new Set<EventTarget>()

  constructor({ locks = true, latency = 0 }: BrowserOptions = {}) {
    this.locks = locks ? new FakeLocks() : null
    this.latency = latency
  }

  /** Another tab of this profile. `asleep` keeps messages from arriving, and loses them. */
  openTab(options: TabsOptions = {}): Tabs & { asleep: boolean } {
    const channel = new EventTarget()
    this.#channels.add(channel)
    const postMessage = (data: unknown) => {
      const copy = structuredClone(data)
      setTimeout(() => {
        for (const other of this.#channels) {
          if (other !== channel) other.dispatchEvent(new MessageEvent('message', { data: copy }))
        }
      }, this.latency)
    }
    const tab = Object.assign(
      createTabs({
        patience: 10_500,
        locks: this.locks as Pick<LockManager, 'request'> | null,
        channel: Object.assign(channel, { postMessage }) as unknown as BroadcastChannel,
        storage: {
          getItem: (key) => this.storage.get(key) ?? null,
          setItem: (key, value) => void this.storage.set(key, value),
          removeItem: (key) => void this.storage.delete(key),
        },
        ...options,
      }),
      { asleep: false },
    )
    const dispatch = channel.dispatchEvent.bind(channel)
    channel.dispatchEvent = (event) => tab.asleep || dispatch(event)
    return tab
  }
}

/** The document of a tab, in view or hidden. */
export class FakePage extends EventTarget {
  visibilityState: DocumentVisibilityState = 'visible'

  show(visibilityState: DocumentVisibilityState): void {
    this.visibilityState = visibilityState
    this.dispatchEvent(new Event('visibilitychange'))
  }
}
