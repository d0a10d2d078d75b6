/** The state of the lab page: what is under way, what came of it, and the other tabs of this lab. */
import { onScopeDispose, ref, shallowRef, triggerRef } from 'vue'
import type { LogMark } from './log.ts'
import { addressOf, createPeers, labOfTab } from './peers.ts'
import type { Heard } from './peers.ts'
import { scenarioOf } from './plan.ts'
import type { Plan } from './plan.ts'
import { clock, newRun } from './record.ts'
import type { RunRecord, TabRecord } from './record.ts'
import { readResult, runPlan, takePart, until } from './run.ts'
import { openOwn } from './subjects.ts'

/** Milliseconds between two messages about a run. */
const TELL_EVERY = 100
/** Milliseconds that another tab may take to join, and to do its part once this one has done its own. */
const TO_JOIN = 1000
const TO_FINISH = 30_000

export function useLab() {
  const runs = shallowRef<RunRecord[]>([])
  const isRunning = ref(false)
  const lab = labOfTab()
  const peers = createPeers({ lab })
  /** Of what is under way. */
  let controller = new AbortController()
  /** The run that this tab shares with others. */
  let shared: RunRecord | null = null

  const stop = peers.listen(hear)
  onScopeDispose(() => {
    abort()
    stop()
    peers.close()
  })

  /** Gives up what is under way. */
  function abort(): void {
    controller.abort()
    controller = new AbortController()
  }

  /** @throws what the server's log or controls answer, or an AbortError when it is given up */
  async function send(plan: Plan): Promise<void> {
    const { signal } = controller
    runs.value = []
    isRunning.value = true
    const isAlone = peers.tabs.value.length === 0 || scenarioOf(plan).spare
    const others = isAlone
      ? undefined
      : { start, finished: (run: RunRecord) => finished(run, signal) }
    try {
      runs.value = await runPlan(plan, { tab: peers.me, signal, onChange: show, others })
    } finally {
      isRunning.value = false
      shared = null
    }
  }

  function show(run: RunRecord): void {
    if (runs.value.includes(run)) triggerRef(runs)
    else runs.value = [...runs.value, run]
    if (run !== shared) return
    const { id, log, counts, endedAt } = run
    if (endedAt === null || !counts) return tellSoon(run)
    tell(run)
    peers.post({ type: 'result', run: id, log, counts, endedAt })
  }

  function tell(run: RunRecord): void {
    peers.post({ type: 'progress', run: run.id, record: run.tabs[0]! })
  }
  const tellSoon = throttled(tell)

  function start(run: RunRecord, mark: LogMark): void {
    shared = run
    const { id, plan, startedAt } = run
    peers.post({ type: 'go', run: id, plan, startedAt, mark })
  }

  /** Resolves when every other tab is done, or closed, or has not joined. */
  async function finished(run: RunRecord, signal: AbortSignal): Promise<void> {
    const since = clock()
    const isDone = (id: string) => {
      const record = run.tabs.find(({ tab }) => tab === id)
      if (!record) return clock() - run.startedAt > TO_JOIN
      return record.done || clock() - since > TO_FINISH
    }
    await until(() => peers.tabs.value.every(isDone) || signal.aborted)
  }

  function hear(message: Heard): void {
    if (message.type === 'go' && !isRunning.value) {
      join(message).catch(() => {}) // The tab that began it tells what went wrong.
    } else if (message.type === 'progress' && message.run === shared?.id) {
      add(shared, message.record)
    } else if (message.type === 'result' && message.run === shared?.id) {
      const { log, counts, endedAt } = message
      Object.assign(shared, { log, counts, endedAt })
      shared = null
    }
  }

  function add(run: RunRecord, record: TabRecord): void {
    const index = run.tabs.findIndex(({ tab }) => tab === record.tab)
    if (index < 0) run.tabs.push(record)
    else run.tabs[index] = record
    triggerRef(runs)
  }

  /** Does this tab's part of a run that another has begun. */
  async function join({ run: id, plan, startedAt, mark }: Heard & { type: 'go' }): Promise<void> {
    const { signal } = controller
    const run = { ...newRun(id, 'silent', { ...plan, rivals: [] }, peers.me), startedAt }
    shared = run
    runs.value = [run]
    isRunning.value = true
    try {
      await takePart(run, openOwn(), { signal, onChange: show, mark })
      // Until the tab that began it has read the log, or has gone.
      const giveUpAt = clock() + TO_FINISH
      const isAlone = () => peers.tabs.value.length === 0 || clock() > giveUpAt
      await until(() => run.endedAt !== null || signal.aborted || isAlone())
      if (!run.counts) await readResult(run, mark, signal)
    } finally {
      run.endedAt ??= clock()
      triggerRef(runs)
      isRunning.value = false
    }
  }

  return { runs, isRunning, others: peers.tabs, address: addressOf(lab), send, abort }
}

/** Calls at most once in a while, with the latest argument; the last one is never lost. */
function throttled<T>(call: (argument: T) => void): (argument: T) => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let next: T | undefined
  return (argument) => {
    next = argument
    timer ??= setTimeout(() => {
      timer = undefined
      call(next!)
    }, TELL_EVERY)
  }
}
