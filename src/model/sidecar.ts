/** What the doors may see and ask of a supervised child process: the port between `sidecars/` and `api/`. */

/**
 * What a child is doing. `waiting`: it ended by itself, and is started again at `nextStartAt`; `missing`: the program is
 * not installed; `refused`: there is no configuration that it could run with.
 */
export type SidecarPhase = 'stopped' | 'starting' | 'running' | 'stopping' | 'waiting' | 'missing' | 'refused'

/** How a child is. */
export interface SidecarStatus {
  /** `smartdns`. */
  readonly name: string
  readonly phase: SidecarPhase
  /** `null` when no process runs. */
  readonly pid: number | null
  /** ISO 8601 UTC; when this process was started or adopted; `null` when none runs. */
  readonly startedAt: string | null
  /** Whether an earlier controller had started it. */
  readonly isAdopted: boolean
  /** How often it ended by itself since this controller began. */
  readonly crashes: number
  /** How it ended the last time, one sentence; `null` when it did not. */
  readonly lastEnd: string | null
  /** ISO 8601 UTC; `null` when no start is planned. */
  readonly nextStartAt: string | null
  /** How long the newest reload left clients without an answer, in milliseconds; `null` without a reload. */
  readonly reloadGapMs: number | null
  /** What is wrong, one sentence; `null` for nothing. */
  readonly problem: string | null
  /** Queries that the child answered with addresses, as its audit file says. */
  readonly observed: number
  /** Lines of the audit file that made no sense. */
  readonly malformed: number
}

/** A child as the doors see it. Orders return when they are carried out. */
export interface Sidecar {
  status(): SidecarStatus
  /** The configuration that is in force; `null` when there is none. */
  configuration(): string | null
  /** The newest lines that it said or wrote, oldest first, at most 500; addresses of clients are left out. */
  log(): Promise<readonly string[]>
  /** Starts it, or adopts the one that runs. */
  start(): Promise<void>
  /** Ends it, and keeps it ended. */
  stop(): Promise<void>
  /** Ends it and starts it with the configuration of now. */
  reload(): Promise<void>
}
