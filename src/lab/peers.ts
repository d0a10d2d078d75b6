/**
 * The tabs of one lab: those that were opened from one another by its link. They tell each other
 * when to begin, and how each of their calls went.
 */
import { ref } from 'vue'
import type { Plan } from './plan.ts'
import type { LogEntry, LogMark, RunCounts } from './log.ts'
import type { TabRecord } from './record.ts'

export type PeerMessage =
  | { type: 'hello' | 'here' | 'bye' }
  | { type: 'go'; run: string; plan: Plan; startedAt: number; mark: LogMark }
  | { type: 'progress'; run: string; record: TabRecord }
  | { type: 'result'; run: string; log: LogEntry[]; counts: RunCounts; endedAt: number }

export type Heard = PeerMessage & { lab: string; tab: string }

export interface PeersOptions {
  /** Which lab this tab is in. */
  lab: string
  channel?: Pick<BroadcastChannel, 'postMessage' | 'addEventListener' | 'close'> | null
}

export function createPeers({ lab, channel = openChannel() }: PeersOptions) {
  const me = newId()
  let isOpen = true
  const tabs = ref<string[]>([])
  const listeners = new Set<(message: Heard) => void>()

  function post(message: PeerMessage): void {
    if (isOpen) channel?.postMessage({ ...message, lab, tab: me })
  }

  const hear = (event: Event) => {
    const message = (event as MessageEvent<Heard>).data
    if (message.lab !== lab) return
    const known = tabs.value.includes(message.tab)
    if (message.type === 'bye') tabs.value = tabs.value.filter((tab) => tab !== message.tab)
    else if (!known) tabs.value = [...tabs.value, message.tab]
    if (message.type === 'hello') post({ type: 'here' })
    for (const listener of listeners) listener(message)
  }
  const bye = () => post({ type: 'bye' })
  /** From the browser's cache of pages, in which nothing is heard. */
  const comeBack = ({ persisted }: PageTransitionEvent) => {
    if (!persisted) return
    tabs.value = []
    post({ type: 'hello' })
  }
  channel?.addEventListener('message', hear)
  globalThis.addEventListener?.('pagehide', bye)
  globalThis.addEventListener?.('pageshow', comeBack)
  post({ type: 'hello' })

  return {
    me,
    /** The others that are open. */
    tabs,
    post,
    listen(listener: (message: Heard) => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close(): void {
      bye()
      isOpen = false
      globalThis.removeEventListener?.('pagehide', bye)
      globalThis.removeEventListener?.('pageshow', comeBack)
      channel?.close()
    },
  }
}

const PARAMETER = 'with'
const KEPT = 'lab'

/** The lab that this tab's address names, or the one it had before a reload, or a new one. */
export function labOfTab(): string {
  const named = new URLSearchParams(globalThis.location?.search).get(PARAMETER)
  try {
    const lab = named ?? sessionStorage.getItem(KEPT) ?? newId()
    sessionStorage.setItem(KEPT, lab)
    return lab
  } catch {
    return named ?? newId()
  }
}

/** Where another tab joins `lab`. */
export function addressOf(lab: string): string {
  return `${import.meta.env.BASE_URL}lab?${new URLSearchParams({ [PARAMETER]: lab })}`
}

/** Null also where the browser denies it, as it may with storage. */
function openChannel(): BroadcastChannel | null {
  try {
    return new BroadcastChannel('lab')
  } catch {
    return null
  }
}

export function newId(): string {
  return crypto.getRandomValues(new Uint32Array(1))[0]!.toString(36)
}
