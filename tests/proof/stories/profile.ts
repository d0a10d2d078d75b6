/**
 * A browser profile whose tabs fall asleep, wake up and close: Web Locks, BroadcastChannel,
 * localStorage and a cookie, as they share them.
 */
import { createTabs } from '@/auth/index.ts'
import type { Later } from './network.ts'

type Callback = (lock: object | null) => unknown

/** Web Locks, exclusive mode only. @see https://w3c.github.io/web-locks/ */
class Locks {
  readonly #holders = new Map<string, (reason: Error) => void>()
  readonly #waiting: { name: string; hold: () => void }[] = []

  request(name: string, options: LockOptions, run: Callback): Promise<unknown> {
    const { ifAvailable, steal, signal } = options
    return new Promise((resolve, reject) => {
      const hold = () => {
        this.#holders.set(name, reject)
        const release = () => this.#release(name, reject)
        Promise.resolve({ name }).then(run).finally(release).then(resolve, reject)
      }
      const holder = this.#holders.get(name)
      if (steal) holder?.(new DOMException('The lock was stolen.', 'AbortError'))
      if (steal || !holder) return hold()
      if (ifAvailable) return resolve(run(null))

      const place = { name, hold }
      this.#waiting.push(place)
      signal?.addEventListener('abort', () => {
        if (this.#take(place)) reject(signal.reason)
      })
    })
  }

  /** The lock goes straight to who waits for it: nobody can get in between. */
  #release(name: string, holder: unknown): void {
    if (this.#holders.get(name) !== holder) return
    this.#holders.delete(name)
    const next = this.#waiting.find((place) => place.name === name)
    if (next && this.#take(next)) next.hold()
  }

  #take(place: { name: string; hold: () => void }): boolean {
    const index = this.#waiting.indexOf(place)
    return index >= 0 && this.#waiting.splice(index, 1).length > 0
  }
}

export interface ProfileOptions {
  /** `false`: plain http, where there are no Web Locks. */
  locks: boolean
  /** Milliseconds that a message takes from tab to tab. */
  latency: number
}

export class Profile {
  readonly storage = new Map<string, string>()
  readonly locks: Locks | null
  /** The HttpOnly cookie: the refresh token. */
  cookie: string | null = null
  readonly #pages = new Set<Page>()

  constructor(
    readonly options: ProfileOptions,
    readonly later: Later,
  ) {
    this.locks = options.locks ? new Locks() : null
  }

  openPage(): Page {
    // A page that opens takes the others out of view for a moment.
    for (const page of this.#pages) page.glance()
    const page = new Page(this)
    this.#pages.add(page)
    return page
  }

  closePage(page: Page): void {
    this.#pages.delete(page)
    page.close()
  }

  /** The network is back. Pages that are asleep do not hear of it. */
  online(): void {
    for (const page of this.#pages) {
      if (!page.asleep) page.window.dispatchEvent(new Event('online'))
    }
  }

  /** A message of no tab of the app. */
  shout(data: unknown): void {
    for (const page of this.#pages) this.later(this.options.latency, () => page.receive(data))
  }

  send(from: Page, data: unknown): void {
    const copy = structuredClone(data)
    for (const page of this.#pages) {
      if (page !== from) this.later(this.options.latency, () => page.receive(copy))
    }
  }
}

/** What a tab shows, until it is closed or reloaded. */
export class Page {
  closed = false
  readonly tabs
  readonly window = new EventTarget()
  readonly #channel = new EventTarget()
  readonly #document = Object.assign(new EventTarget(), {
    visibilityState: 'visible' as DocumentVisibilityState,
  })
  #leave = () => {}
  readonly #left = new Promise<void>((resolve) => (this.#leave = resolve))

  constructor(profile: Profile) {
    const { storage, locks } = profile
    const postMessage = (data: unknown) => this.closed || profile.send(this, data)
    this.tabs = createTabs({
      locks: locks && this.#own(locks),
      channel: Object.assign(this.#channel, { postMessage }) as unknown as BroadcastChannel,
      page: this.#document as unknown as Document,
      storage: {
        getItem: (key) => storage.get(key) ?? null,
        setItem: (key, value) => void (this.closed || storage.set(key, value)),
        removeItem: (key) => void (this.closed || storage.delete(key)),
      },
    })
  }

  get asleep(): boolean {
    return this.#document.visibilityState === 'hidden'
  }

  glance(): void {
    if (!this.asleep) this.#show('visible')
  }

  /** Messages that arrive at a sleeping tab are lost. */
  sleep(): void {
    this.#show('hidden')
  }

  wake(): void {
    this.#show('visible')
  }

  #show(visibilityState: DocumentVisibilityState): void {
    this.#document.visibilityState = visibilityState
    this.#document.dispatchEvent(new Event('visibilitychange'))
  }

  receive(data: unknown): void {
    if (this.asleep || this.closed) return
    this.#channel.dispatchEvent(new MessageEvent('message', { data }))
  }

  /** A page that is left goes out of view first. */
  close(): void {
    if (!this.asleep) this.#show('hidden')
    this.closed = true
    this.#leave()
  }

  /** A closed tab sets its locks free, and nothing goes on there. */
  #own(locks: Locks): Pick<LockManager, 'request'> {
    const request = async (name: string, options: LockOptions, run: Callback) => {
      const task: Callback = (lock) =>
        this.closed ? undefined : Promise.race([run(lock), this.#left])
      try {
        return await locks.request(name, options, task)
      } finally {
        if (this.closed) await new Promise(() => {})
      }
    }
    return { request } as unknown as LockManager
  }
}
