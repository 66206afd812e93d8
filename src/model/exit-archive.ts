/**
 * Every run over the exits that was ever kept: the port between `store/` and the doors.
 *
 * A run is kept as counts for ever, as one compact row per relay for a year and more, and with its whole evidence
 * (attempts, paths, answers) for as long as retention says; relays that failed keep their evidence longer. What was
 * given up is said (`evidence`), never shown as if it had not been.
 */
import type { ExitHistory } from './exit-history.ts'
import type { ExitMetadata, ExitReport, ExitResult, ExitStatus } from './exit-result.ts'

/** How much of a run is still there. */
export type KeptEvidence = 'all' | 'failures' | 'none'

/** One run, with what it found in numbers. */
export interface ExitRunSummary {
  /** 14 digits UTC. */
  readonly runId: string
  readonly metadata: ExitMetadata
  readonly evidence: KeptEvidence
  /** Whether the rows per relay are still there; otherwise only the counts of `metadata` are. */
  readonly hasRows: boolean
}

/** One relay of one run, as lists show it. */
export type ExitRow = Pick<
  ExitResult,
  | 'exit_fingerprint'
  | 'exit_nickname'
  | 'exit_address'
  | 'first_hop_fingerprint'
  | 'run_id'
  | 'status'
  | 'status_ipv6'
  | 'error_code'
  | 'flags'
  | 'resolved_ip'
  | 'latency_ms'
  | 'as'
  | 'country'
  | 'operator'
  | 'family'
  | 'consecutive_failures'
  | 'consecutive_failures_ipv6'
  | 'first_seen'
  | 'last_seen'
>

/** One relay in one run, with its evidence where it is kept. */
export interface ExitRecord {
  /** With `attempts: []` where the evidence was given up. */
  readonly result: ExitResult
  readonly hasEvidence: boolean
}

/** The verdict about one relay in one run, for strips and time lines. */
export interface ExitPoint {
  readonly runId: string
  /** When the run was reported, ISO 8601 UTC. */
  readonly timestamp: string
  /** `null`: the relay was no candidate of this run. */
  readonly status: ExitStatus | null
  readonly errorCode: string | null
  readonly latencyMs: number | null
}

/** One run in a trend. */
export interface ExitTrendPoint {
  readonly runId: string
  /** ISO 8601 UTC. */
  readonly timestamp: string
  /** Why the run is invalid; such a run is shown as a gap. */
  readonly invalid: string | null
  readonly candidates: number
  readonly counts: Readonly<Record<ExitStatus, number>>
}

/** What is different between two runs. */
export interface ExitChanges {
  /** The run compared with; `null` when there is none. */
  readonly since: string | null
  readonly newlyFailing: readonly ExitRow[]
  readonly recovered: readonly ExitRow[]
  /** Candidates now that were none then, and the other way round: how many. */
  readonly appeared: number
  readonly gone: number
}

/** The archive. Reading is bounded: a run has at most some ten thousand rows, lists have limits. */
export interface ExitArchive extends ExitHistory {
  /**
   * Keeps a run (also an invalid one) in one transaction. Keeping the same run and shard again replaces it; the whole of
   * a run replaces its parts.
   */
  append(report: ExitReport): Promise<void>
  /** Runs, newest first, earlier than `before` (14 digits; `null`: from the newest). */
  runs(before: string | null, limit: number): Promise<readonly ExitRunSummary[]>
  run(runId: string): Promise<ExitRunSummary | undefined>
  /** The newest valid run. */
  latest(): Promise<ExitRunSummary | undefined>
  /** All relays of a run in order of fingerprint; `undefined` when the run is not known or its rows were given up. */
  rows(runId: string): Promise<readonly ExitRow[] | undefined>
  record(runId: string, fingerprint: string): Promise<ExitRecord | undefined>
  /** The newest row of a relay in any run; `undefined` for a relay that was never seen. */
  newest(fingerprint: string): Promise<ExitRow | undefined>
  /** The last `limit` valid runs as this relay saw them, newest first, runs without it included. */
  points(fingerprint: string, limit: number): Promise<readonly ExitPoint[]>
  /** Runs since a moment (ISO 8601 UTC), earliest first, at most `limit` (evenly thinned). */
  trend(since: string, limit: number): Promise<readonly ExitTrendPoint[]>
  /** The same for one relay: verdicts per day, from rows or roll-ups. */
  relayDays(fingerprint: string, since: string): Promise<readonly ExitRelayDay[]>
  /** A run compared with the newest valid run at least `spanMs` before it. */
  changes(runId: string, spanMs: number): Promise<ExitChanges | undefined>
}

/** One relay on one day. */
export interface ExitRelayDay {
  /** `2026-01-31`, UTC. */
  readonly day: string
  readonly counts: Readonly<Partial<Record<ExitStatus, number>>>
}
