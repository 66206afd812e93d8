/** What the doors may ask of a daemon: the port between `daemon/` and `api/`. */
import type { RunViewSource } from './run-view.ts'

/** Campaigns that exist. */
export type CampaignName = 'exits' | 'satellite'

/** Where a campaign stands. */
export interface CampaignState {
  readonly campaign: CampaignName
  /** Cron expression, UTC; `null` when it runs only when asked. */
  readonly schedule: string | null
  /** ISO 8601 UTC; `null` when nothing is planned. */
  readonly nextRunAt: string | null
  /** Run that goes on; `null` for none. */
  readonly runningId: string | null
  /** The last run that ended, and how: `complete`, `interrupted`, `invalid`, or `failed` with one sentence. */
  readonly last: { readonly runId: string; readonly outcome: RunEnding; readonly message: string | null } | null
}

/** How a run ended. */
export type RunEnding = 'complete' | 'interrupted' | 'invalid' | 'failed'

/** A run that somebody asks for. Everything not named comes from the configuration. */
export interface RunRequest {
  readonly campaign: CampaignName
  /** Only these relays (40 hex digits, upper case); empty for all, and for campaigns without relays. */
  readonly fingerprints: readonly string[]
  /** Only exits in these countries; empty for all, and for campaigns without exits. */
  readonly countries: readonly string[]
}

/** What became of the request. */
export type RunStart =
  | { readonly started: true; readonly runId: string }
  | { readonly started: false; readonly reason: 'busy' | 'stopping' | 'not_configured'; readonly message: string }

/** One question over the API. */
export interface MeasurementRequest {
  readonly name: string
  readonly type: string
  /** `IP[#port]`, `tls://host`, `https://host/path`; `null` for the system's. Must be public (egress guard). */
  readonly resolver: string | null
  /** `tor:FINGERPRINT`; `null` for directly. */
  readonly via: string | null
}

/** A measurement that was asked for. */
export interface Measurement {
  readonly id: string
  readonly state: 'waiting' | 'running' | 'done' | 'failed'
  readonly request: MeasurementRequest
  readonly requestedAt: string
  /** The record as `candor query` writes it; `null` until done. */
  readonly record: unknown
  /** One sentence when it failed. */
  readonly message: string | null
}

/** What the daemon still has to do about a run that ended: keep it, tell people, publish it. */
export interface PendingStep {
  readonly runId: string
  /** `archive`, `incidents` or `publication`. */
  readonly step: string
  /** How often it was tried and failed. */
  readonly attempts: number
  /** Why it failed the last time, one sentence; `null` when it was not tried yet. */
  readonly message: string | null
}

/** An object store that published files go to. */
export interface StoreState {
  readonly name: string
  /** When it last had everything, ISO 8601 UTC; `null` when that was not since the daemon began. */
  readonly syncedAt: string | null
  /** Why the newest sync left something, one sentence; `null` when it did not. */
  readonly failure: string | null
}

/** The archive on the disk. */
export interface ArchiveState {
  readonly usedOctets: number
  /** What it may take. */
  readonly budgetOctets: number
  /** When it last gave up what was old, ISO 8601 UTC; `null` when that was not since the daemon began. */
  readonly retainedAt: string | null
}

/** How the daemon itself is. */
export interface DaemonStatus {
  readonly version: string
  /** ISO 8601 UTC. */
  readonly startedAt: string
  readonly configuration: {
    /** When the configuration that is in force was read, ISO 8601 UTC. */
    readonly loadedAt: string
    /** Why the newest one is not in force: where, what is wrong, what would be right; `null` when it is. */
    readonly refused: { readonly place: string; readonly message: string; readonly hint: string } | null
    /** Settings whose new value waits for a restart, `serve.port`. */
    readonly restartNeeded: readonly string[]
  }
  readonly pendingSteps: readonly PendingStep[]
  /** The configured stores, in their order. */
  readonly stores: readonly StoreState[]
  readonly archive: ArchiveState
  /** What is wrong just now, one sentence each: a full disk, a campaign that is not configured. */
  readonly problems: readonly string[]
}

/** The daemon. */
export interface DaemonControl {
  status(): DaemonStatus
  campaigns(): readonly CampaignState[]
  /** Starts a run now. @returns At once; the run goes on by itself. */
  startRun(request: RunRequest): Promise<RunStart>
  /** Ends a run as SIGINT does: what is in flight is finished and written. @returns Whether it was running. */
  stopRun(runId: string): boolean
  /** The run that goes on, or the last one. */
  readonly live: RunViewSource
  /** Asks one question. `undefined`: too many wait already. */
  measure(request: MeasurementRequest): Measurement | undefined
  measurement(id: string): Measurement | undefined
}
