/** What a campaign is to the daemon: the work of one run, and the runs as the daemon drives them. */
import type { RunProgress } from '../campaigns/exits/run-progress.ts'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { CampaignName, RunEnding, RunRequest, RunStart } from '../model/daemon-control.ts'
import type { DaemonState } from './daemon-state.ts'
import type { LatestRun } from './latest-run.ts'

/** One run to be made. */
export interface RunJob {
  readonly runId: string
  readonly request: RunRequest
  /** Whether an earlier process, or an earlier attempt, has begun it. */
  readonly isResumed: boolean
  readonly progress: RunProgress
  /** Aborts when the run is to finish what is in flight, write and return. */
  readonly signal: AbortSignal
}

/** How a run went. */
export type RunReport =
  | {
      readonly kind: 'ended'
      readonly outcome: RunEnding
      /** One sentence; `null` where there is nothing to say. */
      readonly message: string | null
      /** Whether it left a report, so that there is something to keep and to publish. */
      readonly hasReport: boolean
    }
  /** The disk is full: the run goes on where it stopped as soon as there is room. */
  | { readonly kind: 'suspended'; readonly message: string }

/** The work of a campaign, done with the settings that are in force when a run begins. */
export interface CampaignWork {
  /** Why there can be no run, one sentence; `null` when there can. */
  notConfigured(): string | null
  /** Whether something of this id is there already, of whoever. @throws {FileError} */
  isTaken(runId: string): Promise<boolean>
  /** Makes a run. Rejects on a bug only. */
  run(job: RunJob): Promise<RunReport>
}

/** The runs of a campaign. */
export interface CampaignRuns {
  /** Begins a run. @throws {RunError} When the state cannot be written, and {FileError} when files cannot be read. */
  start(request: RunRequest): Promise<RunStart>
  /** Goes on with what an earlier process left, earliest first. */
  resume(): void
  runningId(): string | null
  /** What keeps runs from going on, one sentence; `null` for nothing. */
  problem(): string | null
  /** Asks a run to end. @returns Whether it was running. */
  stop(runId: string): boolean
  /** Ends what runs, so that the next process resumes it, and begins nothing any more. */
  shutDown(): Promise<void>
}

/** What runs need. */
export interface RunDependencies {
  readonly campaign: CampaignName
  readonly clock: Clock
  readonly log: Log
  readonly state: DaemonState
  readonly work: CampaignWork
  /** Where runs are shown; `undefined` for a campaign whose runs are shown when they have ended. */
  readonly live: LatestRun | undefined
  /** What is to be done about a run that left a report, in order. */
  readonly steps: readonly string[]
  readonly onEnded: (runId: string) => void
}
