/**
 * One run of one client: stage what goes wrong, make the calls, and write down what was measured.
 * What is drawn of it is left to trace.ts.
 */
import { sendBurst } from './burst.ts'
import { REFRESH, RESOURCE, countRun, entriesSince, markOf } from './log.ts'
import type { LogEntry, LogMark } from './log.ts'
import { expireAccessToken, orderFaults, readLog, setConditions } from './mock.ts'
import { newId } from './peers.ts'
import { delaysOf, faultsOf, refreshTime, scenarioOf } from './plan.ts'
import type { Plan } from './plan.ts'
import { clock, newRun } from './record.ts'
import type { ClientName, RunRecord } from './record.ts'
import { openClassic, openOwn, openSpare } from './subjects.ts'
import type { Subject } from './subjects.ts'
import { watchTimings } from './timing.ts'
import type { TimingWatch } from './timing.ts'

export interface RunOptions {
  tab: string
  signal: AbortSignal
  /** The record has more in it than before. */
  onChange: (run: RunRecord) => void
  /** Other tabs that do the same: told when it begins, and waited for. */
  others?: { start(run: RunRecord, mark: LogMark): void; finished(run: RunRecord): Promise<void> }
}

/** Milliseconds that the last entries of Resource Timing may take to arrive. */
const LATE_ENTRIES = 500
const AHEAD = 16 * 60_000
/** Seconds. Within it, a server that forgives answers the classic interceptor's refreshes too. */
const NO_LEEWAY = 0

/**
 * The app's client, and then the classic one where they are to be compared. The server is left as it
 * was before.
 */
export async function runPlan(plan: Plan, options: RunOptions): Promise<RunRecord[]> {
  const isStaged = plan.compare || faultsOf(plan).length > 0
  const leave = () => void setConditions(undefined, true).catch(() => {})
  if (isStaged) globalThis.addEventListener('pagehide', leave)
  try {
    if (plan.compare) await setConditions(NO_LEEWAY)
    const runs = [await runOne('silent', plan, options)]
    if (plan.compare && !options.signal.aborted) {
      await setConditions(NO_LEEWAY)
      // It meets what ours met, where a button has had the token refused.
      const isRefused = plan.scenario === 'fine' && runs[0]!.counts!.rejected > 0
      const same: Plan = isRefused ? { ...plan, scenario: 'refused' } : plan
      runs.push(await runOne('classic', same, { ...options, others: undefined }))
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
    const since = async () => entriesSince(mark, await readLog({ signal }))
    const run = newRun(newId(), client, plan, tab)
    others?.start(run, mark)
    const watch = await takePart(run, subject, { signal, onChange, since })
    try {
      await others?.finished(run)
      const log = await since()
      run.counts = countRun(run.tabs.flatMap(({ calls }) => calls).length, log)
      run.revoked = (await subject.isRevoked?.()) ?? false
      await watch.until(() => isComplete(run, log), LATE_ENTRIES)
    } finally {
      watch.stop()
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
  /** What the server has seen of the run. */
  since: () => Promise<LogEntry[]>
}

/** This tab's part of a run: its calls, and its requests as they show up. */
export async function takePart(
  run: RunRecord,
  subject: Subject,
  { signal, onChange, since }: PartOptions,
): Promise<TimingWatch> {
  const { plan } = run
  const { late, patient } = scenarioOf(plan)
  const mine = run.tabs[0]!
  const change = () => {
    run.signedOutAt = subject.signedOutAt()
    onChange(run)
  }
  const watch = watchTimings(run.id, change)
  mine.timings = watch.all()
  try {
    await sendBurst({
      requests: plan.requests,
      calls: mine.calls,
      send: (lane) => subject.send(`run=${run.id}&lane=${lane}`, signal),
      patient: patient ?? false,
      isOver: () => subject.signedOutAt() !== null,
      late: late ? (isOver) => refreshUnderWay(since, () => isOver() || signal.aborted) : undefined,
      onChange: change,
      onFailure: plan.scenario === 'offline' ? () => reconnect(plan) : undefined,
      signal,
    })
  } catch (error) {
    watch.stop()
    throw error
  }
  mine.done = true
  change()
  return watch
}

function open(client: ClientName, plan: Plan): Promise<Subject> | Subject {
  if (client === 'classic') return openClassic()
  return scenarioOf(plan).spare ? openSpare() : openOwn()
}

async function stage(subject: Subject, plan: Plan): Promise<void> {
  const { scenario } = plan
  // Only a client that has no clock needs to be refused.
  const isDead = scenario === 'dead' && subject.setAhead !== undefined
  if (isDead) subject.setAhead!(AHEAD)
  if (scenario === 'denied') await subject.revoke?.()
  else if (scenario !== 'fine' && !isDead) await expireAccessToken()
  await orderFaults(faultsOf(plan))
}

async function reconnect(plan: Plan): Promise<void> {
  await setConditions(plan.compare ? NO_LEEWAY : undefined)
  await orderFaults(delaysOf(plan.apiMs, refreshTime(plan)))
}

/** Resolves when the server has a refresh before it: its log shows requests as they come. */
async function refreshUnderWay(since: () => Promise<LogEntry[]>, isOver: () => boolean) {
  const isThere = async () => (await since()).some(({ path }) => path === REFRESH)
  while (!isOver() && !(await isThere())) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Whether all requests that the server answered have been found in Resource Timing. */
function isComplete({ tabs }: RunRecord, log: readonly LogEntry[]): boolean {
  const timings = tabs.flatMap((tab) => tab.timings)
  const found = (what: 'resource' | 'refresh') =>
    timings.filter((timing) => timing.what === what).length
  const logged = (path: string) => log.filter((entry) => entry.path === path && entry.status > 0)
  // A browser sends what breaks off again by itself, up to seven times, and tells of one.
  const broken = log.some(({ path, status }) => path === REFRESH && status === 0)
  return (
    found('resource') >= logged(RESOURCE).length &&
    found('refresh') >= logged(REFRESH).length + Number(broken)
  )
}
