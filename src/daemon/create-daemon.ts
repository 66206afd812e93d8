/**
 * The daemon, put together: schedule, runs, what follows them, questions over the API.
 *
 * Invariant: everything that can fail by itself (a run, a step, a schedule, a question) fails alone and visibly.
 */
import { createRunProgress } from '../campaigns/exits/run-progress.ts'
import { formatIsoTime, sleep, type Clock } from '../core/clock.ts'
import type { CronExpression } from '../core/cron-expression.ts'
import type { Log } from '../core/log.ts'
import type { Random } from '../core/random.ts'
import type { DaemonControl, DaemonStatus } from '../model/daemon-control.ts'
import { createCampaignRunner } from './campaign-runner.ts'
import type { CampaignWork } from './campaign-work.ts'
import type { DaemonState } from './daemon-state.ts'
import { createLatestRun } from './latest-run.ts'
import { createMeasurementQueue, type Ask } from './measurement-queue.ts'
import { createScheduler, type ScheduledTask } from './scheduler.ts'
import { createStepQueue, type RunStep } from './step-queue.ts'

/** Retention that failed is tried again this much later. */
const RETAIN_AGAIN_MS = 3_600_000

/** When what is done; `null` for what is done only when asked for. */
export interface DaemonSchedule {
  readonly exits: CronExpression | null
  readonly retention: CronExpression | null
  /** Largest random delay, in milliseconds. */
  readonly jitterMs: number
}

/** What the daemon is made of. */
export interface DaemonParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly version: string
  readonly newId: () => string
  readonly state: DaemonState
  /** The campaign over exits. */
  readonly exits: CampaignWork
  /** What follows a run, in order. */
  readonly steps: readonly RunStep[]
  /** Removes what has become old. Doing it twice changes nothing. */
  readonly retain: (signal: AbortSignal) => Promise<void>
  readonly ask: Ask
  /** How the configuration stands. */
  readonly configuration: () => DaemonStatus['configuration']
}

/** A daemon that was put together. */
export interface Daemon {
  readonly control: DaemonControl
  /** Goes on with what an earlier process left, then follows the schedule. */
  begin(schedule: DaemonSchedule): void
  /** Follows another schedule from now on. */
  follow(schedule: DaemonSchedule): void
  /** Ends everything; runs and steps that are not done wait for the next process. */
  stop(): Promise<void>
}

/** Puts the daemon together. Nothing happens before {@link Daemon.begin}. */
export function createDaemon(parts: DaemonParts): Daemon {
  const { clock, log, state } = parts
  const idle = createRunProgress(clock)
  idle.phase('done', 'No run has been made yet.')
  const live = createLatestRun(idle)
  const stepQueue = createStepQueue(parts)
  const runs = createCampaignRunner({
    clock,
    log,
    state,
    work: parts.exits,
    live,
    steps: parts.steps.map(({ name }) => name),
    onEnded: () => {
      stepQueue.wake()
    },
  })
  const retention = createRetention(parts)
  const scheduler = createScheduler({ ...parts, memory: state })
  const measurements = createMeasurementQueue(parts)
  const startedAt = formatIsoTime(clock.wallNowMs())
  let schedule: DaemonSchedule = { exits: null, retention: null, jitterMs: 0 }

  const follow = (next: DaemonSchedule): void => {
    schedule = next
    scheduler.setTasks(listTasks(next, runs, retention))
  }
  const control: DaemonControl = {
    live,
    status: () => ({
      version: parts.version,
      startedAt,
      configuration: parts.configuration(),
      pendingSteps: state.pendingSteps(),
      problems: [runs.problem(), retention.problem(), parts.exits.notConfigured()].filter((text) => text !== null),
    }),
    campaigns: () => {
      const nextAtMs = scheduler.nextAtMs('exits')
      return [
        {
          campaign: 'exits',
          schedule: schedule.exits?.text ?? null,
          nextRunAt: nextAtMs === undefined ? null : formatIsoTime(nextAtMs),
          runningId: runs.runningId(),
          last: state.lastRun() ?? null,
        },
      ]
    },
    startRun: (request) => runs.start(request),
    stopRun: (runId) => runs.stop(runId),
    measure: (request) => measurements.add(request),
    measurement: (id) => measurements.find(id),
  }
  return {
    control,
    begin: (first) => {
      runs.resume()
      stepQueue.wake()
      follow(first)
    },
    follow,
    stop: async () => {
      scheduler[Symbol.dispose]()
      measurements.stop()
      retention.stop()
      await Promise.all([runs.shutDown(), stepQueue.stop()])
    },
  }
}

function listTasks(
  { exits, retention, jitterMs }: DaemonSchedule,
  runs: ReturnType<typeof createCampaignRunner>,
  retain: Retention,
): readonly ScheduledTask[] {
  const start = async (): ReturnType<ScheduledTask['start']> => {
    const outcome = await runs.start({ campaign: 'exits', fingerprints: [], countries: [] })
    return outcome.started ? 'started' : 'busy'
  }
  return [
    ...(exits === null ? [] : [{ name: 'exits', expression: exits, jitterMs, start }]),
    ...(retention === null
      ? []
      : [{ name: 'retention', expression: retention, jitterMs, start: () => Promise.resolve(retain.start()) }]),
  ]
}

interface Retention {
  start(): 'started' | 'busy'
  problem(): string | null
  stop(): void
}

/** Retention goes on by itself until it was done once. */
function createRetention({ clock, log, retain }: DaemonParts): Retention {
  const controller = new AbortController()
  const { signal } = controller
  let running = false
  let problem: string | null = null
  const untilDone = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await retain(signal)
        problem = null
        log.info('daemon.retention.done')
        break
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        problem = `Retention failed and is tried again: ${message}`
        log.error('daemon.retention.failed', { message })
      }
      await sleep(clock, RETAIN_AGAIN_MS, signal)
    }
    running = false
  }
  return {
    start: () => {
      if (running) return 'busy'
      running = true
      void untilDone()
      return 'started'
    },
    problem: () => problem,
    stop: () => {
      controller.abort()
    },
  }
}
