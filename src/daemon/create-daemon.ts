/**
 * The daemon, put together: schedule, runs, what follows them, questions over the API.
 *
 * Invariant: everything that can fail by itself (a run, a step, a schedule, a question) fails alone and visibly.
 */
import { createRunProgress } from '../campaigns/exits/run-progress.ts'
import { formatIsoTime, type Clock } from '../core/clock.ts'
import type { CronExpression } from '../core/cron-expression.ts'
import type { Log } from '../core/log.ts'
import type { Random } from '../core/random.ts'
import type { CampaignName, CampaignState, DaemonControl, DaemonStatus } from '../model/daemon-control.ts'
import { createCampaignRunner } from './campaign-runner.ts'
import type { CampaignRuns, CampaignWork, RunDependencies } from './campaign-work.ts'
import { createChoreRunner, type Chore, type ChoreRunner } from './chore.ts'
import type { DaemonState } from './daemon-state.ts'
import { createLatestRun, type LatestRun } from './latest-run.ts'
import { createMeasurementQueue, type Ask } from './measurement-queue.ts'
import { createScheduler, type ScheduledTask } from './scheduler.ts'
import { createStepQueue, type RunStep } from './step-queue.ts'

const CAMPAIGNS: readonly CampaignName[] = ['exits', 'satellite']

/** When what is done; `null` for what is done only when asked for. */
export interface DaemonSchedule {
  readonly exits: CronExpression | null
  readonly satellite: CronExpression | null
  /** By name of the chore; one that is not named is done only at the start. */
  readonly chores: Readonly<Record<string, CronExpression | null>>
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
  /** What follows its runs, in order. */
  readonly steps: readonly RunStep[]
  /** The campaign over open resolvers. */
  readonly satellite: CampaignWork
  /** What follows its runs, in order. */
  readonly satelliteSteps: readonly RunStep[]
  /** What is done now and then, by the schedule. */
  readonly chores: readonly Chore[]
  /** What is done once, at the start. */
  readonly firstChore: Chore
  readonly ask: Ask
  /** What is wrong with what is configured, one sentence each. */
  readonly problems: () => readonly string[]
  readonly stores: () => DaemonStatus['stores']
  readonly archive: () => DaemonStatus['archive']
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
  const { clock, state } = parts
  const live = createIdleRun(clock)
  const stepQueue = createStepQueue({ ...parts, steps: [...parts.steps, ...parts.satelliteSteps] })
  const wake = (): void => {
    stepQueue.wake()
  }
  const campaigns: Readonly<Record<CampaignName, CampaignRuns>> = {
    exits: createRuns(parts, { campaign: 'exits', work: parts.exits, live, onEnded: wake }, parts.steps),
    satellite: createRuns(
      parts,
      { campaign: 'satellite', work: parts.satellite, live: undefined, onEnded: wake },
      parts.satelliteSteps,
    ),
  }
  const runs = Object.values(campaigns)
  const first = createChoreRunner(parts, parts.firstChore)
  const chores = parts.chores.map((chore) => ({ name: chore.name, runner: createChoreRunner(parts, chore) }))
  const runners = [first, ...chores.map(({ runner }) => runner)]
  const scheduler = createScheduler({ ...parts, memory: state })
  const measurements = createMeasurementQueue(parts)
  const startedAt = formatIsoTime(clock.wallNowMs())
  let schedule: DaemonSchedule = { exits: null, satellite: null, chores: {}, jitterMs: 0 }

  const follow = (next: DaemonSchedule): void => {
    schedule = next
    scheduler.setTasks(listTasks(next, campaigns, chores))
  }
  const describeCampaign = (campaign: CampaignName): CampaignState => {
    const nextAtMs = scheduler.nextAtMs(campaign)
    return {
      campaign,
      schedule: schedule[campaign]?.text ?? null,
      nextRunAt: nextAtMs === undefined ? null : formatIsoTime(nextAtMs),
      runningId: campaigns[campaign].runningId(),
      last: state.lastRun(campaign) ?? null,
    }
  }
  const control: DaemonControl = {
    live,
    status: () => describeStatus(parts, startedAt, [...runs, ...runners]),
    campaigns: () => CAMPAIGNS.map((campaign) => describeCampaign(campaign)),
    startRun: (request) => campaigns[request.campaign].start(request),
    stopRun: (runId) => runs.some((each) => each.stop(runId)),
    measure: (request) => measurements.add(request),
    measurement: (id) => measurements.find(id),
  }
  return {
    control,
    begin: (schedules) => {
      for (const each of runs) each.resume()
      stepQueue.wake()
      first.start()
      follow(schedules)
    },
    follow,
    stop: async () => {
      scheduler[Symbol.dispose]()
      measurements.stop()
      await Promise.all([
        ...runs.map((each) => each.shutDown()),
        stepQueue.stop(),
        ...runners.map((runner) => runner.stop()),
      ])
    },
  }
}

function createRuns(
  { clock, log, state }: DaemonParts,
  own: Pick<RunDependencies, 'campaign' | 'work' | 'live' | 'onEnded'>,
  steps: readonly RunStep[],
): CampaignRuns {
  return createCampaignRunner({ clock, log, state, ...own, steps: steps.map(({ name }) => name) })
}

function describeStatus(
  parts: DaemonParts,
  startedAt: string,
  workers: readonly { problem(): string | null }[],
): DaemonStatus {
  return {
    version: parts.version,
    startedAt,
    configuration: parts.configuration(),
    pendingSteps: parts.state.pendingSteps(),
    stores: parts.stores(),
    archive: parts.archive(),
    problems: [...parts.problems(), ...workers.flatMap((worker) => worker.problem() ?? [])],
  }
}

function createIdleRun(clock: Clock): LatestRun {
  const idle = createRunProgress(clock)
  idle.phase('done', 'No run has been made yet.')
  return createLatestRun(idle)
}

function listTasks(
  { exits, satellite, chores: expressions, jitterMs }: DaemonSchedule,
  campaigns: Readonly<Record<CampaignName, CampaignRuns>>,
  chores: readonly { readonly name: string; readonly runner: ChoreRunner }[],
): readonly ScheduledTask[] {
  const listRuns = (campaign: CampaignName, expression: CronExpression | null): readonly ScheduledTask[] => {
    const start = async (): ReturnType<ScheduledTask['start']> => {
      const outcome = await campaigns[campaign].start({ campaign, fingerprints: [], countries: [] })
      return outcome.started ? 'started' : 'busy'
    }
    return expression === null ? [] : [{ name: campaign, expression, jitterMs, start }]
  }
  return [
    ...listRuns('exits', exits),
    ...listRuns('satellite', satellite),
    ...chores.flatMap(({ name, runner }) => {
      const expression = expressions[name] ?? null
      return expression === null ? [] : [{ name, expression, jitterMs, start: () => Promise.resolve(runner.start()) }]
    }),
  ]
}
