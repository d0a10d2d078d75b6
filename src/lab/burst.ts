/** Makes the calls of a run, all at once, as a page would, and notes how each ends for its caller. */
import { SessionEndedError } from '@/auth/index.ts'
import { clock } from './record.ts'
import type { Call, Pause } from './record.ts'

export interface BurstOptions {
  requests: number
  /** Added to by this, as calls are made. */
  calls: Call[]
  send: (lane: number) => Promise<unknown>
  /** Try again after a failure that may pass. */
  patient: boolean
  /** Nobody is signed in any more: no try can succeed. */
  isOver: () => boolean
  /** Half of the calls are made when this resolves; `isOver` where it need not be waited for. */
  late?: (isOver: () => boolean) => Promise<void>
  onChange: () => void
  /** The first failure that a caller is told of. */
  onFailure?: () => Promise<void>
  signal: AbortSignal
}

/** Milliseconds before a patient caller's second try, twice as many before the next, and until its last. */
const RETRY_AFTER = 1000
const PATIENCE = 15_000
/** A try that took less was answered by the client itself, and is none worth a mark. */
const AT_ONCE = 20

/** Resolves when every call has ended, well or not. */
export async function sendBurst(options: BurstOptions): Promise<void> {
  const { requests, calls, send, patient, isOver, late, onChange, signal } = options
  let onFailure = options.onFailure

  async function make(lane: number): Promise<void> {
    const call: Call = { lane, at: clock(), end: null, answer: '', ok: false, told: [], pauses: [] }
    calls.push(call)
    let wait = RETRY_AFTER
    while (call.end === null) {
      const from = clock()
      try {
        await send(lane)
        Object.assign(call, { end: clock(), answer: '200', ok: true })
      } catch (error) {
        onFailure?.().catch(() => {})
        onFailure = undefined
        const again = patient && mayPass(error) && !isOver() && !signal.aborted
        if (again && clock() - call.at < PATIENCE) {
          const isAtOnce = clock() - from <= AT_ONCE
          if (!isAtOnce) call.told.push(clock())
          const before = isAtOnce ? call.pauses.pop() : undefined
          const rest: Pause = { from: before?.from ?? clock(), to: null }
          call.pauses.push(rest)
          onChange()
          await pause(wait, signal)
          rest.to = clock()
          wait *= 2
        } else Object.assign(call, { end: clock(), answer: nameOf(error) })
      }
    }
    onChange()
  }

  const early = late ? Math.ceil(requests / 2) : requests
  const lanes = Array.from({ length: requests }, (_, index) => index + 1)
  const made = lanes.slice(0, early).map(make)
  onChange()
  if (late) {
    await late(() => calls.every(({ end }) => end !== null))
    made.push(...lanes.slice(early).map(make))
    onChange()
  }
  await Promise.all(made)
}

function mayPass(error: unknown): boolean {
  const { status = 503 } = error as { status?: number }
  return status >= 500
}

/** A failure in two words, for the drawing and its table. */
export function nameOf(error: unknown): string {
  if (error instanceof SessionEndedError) return 'session ended'
  const { status, name } = error as { status?: number; name?: string }
  if (status) return String(status)
  if (name === 'AbortError') return 'given up'
  return name === 'TimeoutError' ? 'time over' : 'no answer'
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', settle)
      resolve()
    }
    const timer = setTimeout(settle, milliseconds)
    signal.addEventListener('abort', settle)
  })
}
