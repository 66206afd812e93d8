/**
 * Starts work at the times of cron expressions, in UTC.
 *
 * The wall clock may jump and the machine may sleep, so the clock is looked at every minute at the latest. What is kept is
 * the newest moment up to which a schedule was served: times that were missed meanwhile are served once, together, and a
 * clock that is set back makes no served time due again.
 *
 * Invariant: a task is started at most once for any moment, also by the next process after a kill.
 */
import { formatIsoTime, type Clock, type Timer } from '../core/clock.ts'
import type { CronExpression } from '../core/cron-expression.ts'
import type { Log } from '../core/log.ts'
import { randomInt, type Random } from '../core/random.ts'

/** How often the clock is looked at, at least. */
const LOOK_MS = 60_000
/** Served moments further in the future than this come from a clock that was wrong; the schedule begins anew. */
const CLOCK_ERROR_MS = 86_400_000

/** What a task did when its time came: `later` asks to be started again within a minute. */
export type TaskStart = 'started' | 'busy' | 'later'

/** Work that has a schedule. */
export interface ScheduledTask {
  readonly name: string
  readonly expression: CronExpression
  /** Largest random delay after each time, in milliseconds. */
  readonly jitterMs: number
  /** Starts the work and returns without waiting for its end. */
  start(): Promise<TaskStart>
}

/** What the scheduler does not forget. */
export interface ScheduleMemory {
  /** The moment up to which a schedule was served, Unix milliseconds; `undefined` for one that is new or has changed. */
  servedMs(name: string, expression: string): number | undefined
  setServedMs(name: string, expression: string, servedMs: number): void
}

/** A scheduler that runs. */
export interface Scheduler extends Disposable {
  /** Replaces all tasks. One whose expression is the same as before keeps what was served. */
  setTasks(tasks: readonly ScheduledTask[]): void
  /** When a task is started next, Unix milliseconds; `undefined` for a task that there is not. */
  nextAtMs(name: string): number | undefined
}

/** What a scheduler needs. */
export interface SchedulerDependencies {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly memory: ScheduleMemory
}

interface Entry {
  readonly task: ScheduledTask
  servedMs: number
  /** With the random delay; `undefined` when the expression has no time any more. */
  atMs: number | undefined
}

/** Starts a scheduler without tasks. */
export function createScheduler(dependencies: SchedulerDependencies): Scheduler {
  const { clock, log, memory } = dependencies
  let entries: readonly Entry[] = []
  let timer: Timer | undefined
  let disposed = false
  let looking = false
  const arm = (): void => {
    timer?.cancel()
    if (disposed || looking) return
    const soonest = Math.min(...entries.map(({ atMs }) => atMs ?? Infinity))
    const delayMs = Math.min(LOOK_MS, Math.max(0, soonest - clock.wallNowMs()))
    timer = clock.setTimer(delayMs, () => {
      void look()
    })
  }
  const look = async (): Promise<void> => {
    looking = true
    for (const entry of entries) if (!disposed) await serve(entry)
    looking = false
    arm()
  }
  const serve = async (entry: Entry): Promise<void> => {
    const { task } = entry
    const nowMs = clock.wallNowMs()
    if (entry.servedMs - nowMs > CLOCK_ERROR_MS) {
      log.warn('daemon.clock.corrected', { schedule: task.name, served: formatIsoTime(entry.servedMs) })
      served(entry, nowMs)
    }
    if (entry.atMs === undefined || nowMs < entry.atMs) return
    const dueMs = entry.task.expression.nextAfterMs(entry.servedMs) ?? nowMs
    const result = await startSafely(task, log)
    // The tasks may have been replaced meanwhile.
    const same = entries.find((other) => isSameSchedule(other.task, task)) ?? entry
    if (result === 'later') {
      same.atMs = nowMs + LOOK_MS
      return
    }
    const event = result === 'started' ? 'daemon.schedule.served' : 'daemon.schedule.skipped'
    log.info(event, { schedule: task.name, due: formatIsoTime(dueMs) })
    served(same, nowMs)
  }
  const served = (entry: Entry, atMs: number): void => {
    entry.servedMs = atMs
    entry.atMs = plan(dependencies, entry)
    keep(dependencies, entry)
  }
  return {
    setTasks: (tasks) => {
      entries = tasks.map((task) => {
        const before = entries.find((entry) => isSameSchedule(entry.task, task))
        if (before?.task.jitterMs === task.jitterMs) return { ...before, task }
        const kept = before?.servedMs ?? memory.servedMs(task.name, task.expression.text)
        const entry: Entry = { task, servedMs: kept ?? clock.wallNowMs(), atMs: undefined }
        entry.atMs = plan(dependencies, entry)
        if (kept === undefined) keep(dependencies, entry)
        return entry
      })
      arm()
    },
    nextAtMs: (name) => entries.find(({ task }) => task.name === name)?.atMs,
    [Symbol.dispose]: () => {
      disposed = true
      timer?.cancel()
    },
  }
}

function plan({ random }: SchedulerDependencies, { task, servedMs }: Entry): number | undefined {
  const nextMs = task.expression.nextAfterMs(servedMs)
  return nextMs === undefined ? undefined : nextMs + randomInt(random, Math.floor(task.jitterMs) + 1)
}

function isSameSchedule(a: ScheduledTask, b: ScheduledTask): boolean {
  return a.name === b.name && a.expression.text === b.expression.text
}

async function startSafely(task: ScheduledTask, log: Log): Promise<TaskStart> {
  try {
    return await task.start()
  } catch (error) {
    log.error('daemon.schedule.failed', { schedule: task.name, error: messageOf(error) })
    return 'later'
  }
}

function keep({ memory, log }: SchedulerDependencies, { task, servedMs }: Entry): void {
  try {
    memory.setServedMs(task.name, task.expression.text, servedMs)
  } catch (error) {
    // This process remembers; the next one may start the task once more than was due.
    log.error('daemon.schedule.not_kept', { schedule: task.name, error: messageOf(error) })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
