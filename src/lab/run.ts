/**
 * One run of one client: stage what goes wrong, make the calls, and read in the server's log what
 * came of them. What is drawn of it is left to trace.ts.
 */
import { sendBurst } from './burst.ts'
import { REFRESH, countRun, entriesOf, labelOf, markOf } from './log.ts'
import type { LogMark } from './log.ts'
import { orderFaults, readLog, setConditions } from './mock.ts'
import { newId } from './peers.ts'
import { delaysOf, faultsOf, refreshTime, scenarioOf } from './plan.ts'
import type { Plan } from './plan.ts'
import { clock, newRun } from './record.ts'
import type { ClientName, RunRecord } from './record.ts'
import { openOwn, openRival, openSpare } from './subjects.ts'
import type { Subject } from './subjects.ts'

export interface RunOptions {
  tab: string
  signal: AbortSignal
  /** The record has more in it than before. */
  onChange: (run: RunRecord) => void
  /** Other tabs that do the same: told when it begins, and waited for. */
  others?: { start(run: RunRecord, mark: LogMark): void; finished(run: RunRecord): Promise<void> }
}

/** Milliseconds between two looks at the log of a run that is under way. */
const LOOK_AGAIN = 100
/** Milliseconds that a refresh may take which nobody waits for. */
const TO_END = 1000
const AHEAD = 16 * 60_000
/** Seconds. A server with a leeway would also answer ten refreshes with one token. */
const NO_LEEWAY = 0

/**
 * The app's client, and then each that it is to be compared with. The server and the app's own session
 * are left as they were before.
 */
export async function runPlan(plan: Plan, options: RunOptions): Promise<RunRecord[]> {
  const isCompared = plan.rivals.length > 0
  const isStaged = isCompared || faultsOf(plan).length > 0
  const leave = () => void setConditions(undefined, true).catch(() => {})
  if (isStaged) globalThis.addEventListener('pagehide', leave)
  try {
    if (isCompared) await setConditions(NO_LEEWAY)
    const runs = [await runOne('silent', plan, options)]
    // They meet what ours met, where a button has had the token refused.
    const isRefused = plan.scenario === 'fine' && runs[0]!.counts!.rejected > 0
    const same: Plan = isRefused ? { ...plan, scenario: 'refused' } : plan
    for (const rival of plan.rivals) {
      if (options.signal.aborted) break
      await setConditions(NO_LEEWAY)
      runs.push(await runOne(rival, same, { ...options, others: undefined }))
    }
    return runs
  } finally {
    globalThis.removeEventListener('pagehide', leave)
    if (isStaged) await setConditions()
  }
}

async function runOne(client: ClientName, plan: Plan, options: RunOptions): Promise<RunRecord> {
  const { onChange, others, signal, tab } = options
  const subject = await open(client, plan)
  try {
    await stage(subject, plan)
    const mark = markOf(await readLog({ signal }))
    const run = newRun(newId(), client, plan, tab)
    others?.start(run, mark)
    try {
      await takePart(run, subject, { signal, onChange, mark })
      await others?.finished(run)
      await readResult(run, mark, signal)
      run.revoked = (await subject.isRevoked?.()) ?? false
    } finally {
      run.endedAt = clock()
    }
    onChange(run)
    return run
  } finally {
    await subject.close().catch(() => {})
  }
}

export interface PartOptions {
  signal: AbortSignal
  onChange: (run: RunRecord) => void
  /** Where in the server's log the run begins. */
  mark: LogMark
}

/** This tab's part of a run: its calls, and its requests as they show up in the log. */
export async function takePart(
  run: RunRecord,
  subject: Subject,
  { signal, onChange, mark }: PartOptions,
): Promise<void> {
  const { plan } = run
  const { late, patient } = scenarioOf(plan)
  const mine = run.tabs[0]!
  const change = () => {
    run.signedOutAt = subject.signedOutAt()
    onChange(run)
  }
  const isRefreshing = () => run.log.some(({ path }) => path === REFRESH)
  const stop = follow(run, mark, signal, change)
  try {
    await sendBurst({
      requests: plan.requests,
      calls: mine.calls,
      send: (lane) => subject.send(labelOf(run.id, mine.tab, lane), signal),
      patient: patient ?? false,
      isOver: () => subject.signedOutAt() !== null,
      late: late
        ? (isOver) => until(() => isRefreshing() || isOver() || signal.aborted)
        : undefined,
      onChange: change,
      onFailure: plan.scenario === 'offline' ? () => reconnect(plan) : undefined,
      signal,
    })
  } finally {
    stop()
  }
  mine.done = true
  change()
}

/** Reads the log of a run that is under way again and again. Returns what ends that. */
function follow(run: RunRecord, mark: LogMark, signal: AbortSignal, onChange: () => void) {
  let timer: ReturnType<typeof setTimeout>
  let isOver = false
  const look = async () => {
    // What cannot be read now is read at the end, and there a failure counts.
    const log = await readLog({ signal }).catch(() => null)
    if (isOver) return
    if (log) run.log = entriesOf(run.id, mark, log)
    onChange()
    wait()
  }
  const wait = () => void (timer = setTimeout(look, LOOK_AGAIN))
  wait()
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}

/** @throws what the log answers */
export async function readResult(run: RunRecord, mark: LogMark, signal: AbortSignal) {
  const since = clock()
  for (;;) {
    run.log = entriesOf(run.id, mark, await readLog({ signal }))
    const isComplete = run.log.every(({ endedAt }) => endedAt !== undefined)
    if (isComplete || clock() - since > TO_END) break
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN))
  }
  run.counts = countRun(run.tabs.flatMap(({ calls }) => calls).length, run.log)
}

/** Resolves when it is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20))
}

function open(client: ClientName, plan: Plan): Promise<Subject> | Subject {
  if (client !== 'silent') return openRival(client)
  return scenarioOf(plan).spare ? openSpare() : openOwn()
}

async function stage(subject: Subject, plan: Plan): Promise<void> {
  const { scenario } = plan
  // Only a client that has no clock needs to be refused.
  const isDead = scenario === 'dead' && subject.setAhead !== undefined
  if (isDead) subject.setAhead!(AHEAD)
  if (scenario === 'denied') await subject.revoke?.()
  else if (scenario !== 'fine' && !isDead) await subject.expire()
  await orderFaults(faultsOf(plan))
}

async function reconnect(plan: Plan): Promise<void> {
  await setConditions(plan.rivals.length > 0 ? NO_LEEWAY : undefined)
  await orderFaults(delaysOf(plan.apiMs, refreshTime(plan)))
}
