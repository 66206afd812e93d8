/**
 * What earlier runs found out about each relay: the port between the exits campaign and `store/`. Without a data
 * directory the campaign reads the same from earlier reports.
 */
import type { ExitErrorCode, ExitStatus } from './exit-result.ts'

/** The verdict about one relay in one earlier run. */
export interface ExitVerdictPoint {
  /** 14 digits UTC. */
  readonly runId: string
  /** When the run was reported, ISO 8601 UTC. */
  readonly timestamp: string
  readonly status: ExitStatus
  /** The verdict about AAAA; `null` when it was not asked. */
  readonly statusIpv6: ExitStatus | null
}

/** One relay of a run, as history keeps it. */
export interface ExitHistoryRow {
  readonly fingerprint: string
  readonly status: ExitStatus
  readonly statusIpv6: ExitStatus | null
  readonly errorCode: ExitErrorCode | null
  readonly exitAddress: string | null
}

/** One run, or one shard of it. */
export interface ExitHistoryRun {
  readonly runId: string
  /** `0/1`, … */
  readonly shard: string
  /** ISO 8601 UTC. */
  readonly timestamp: string
  readonly rows: readonly ExitHistoryRow[]
}

/** The verdicts of earlier runs. */
export interface ExitHistory {
  /**
   * DNS verdicts of the runs before `beforeRunId`, by fingerprint, earliest first. A point has a DNS verdict (success,
   * wrong_ip, dns_fail or timeout) for A or for AAAA; circuit failures and absence are no points. Of each relay there
   * are at most 100: its very first, which says since when it is known, and the last 99.
   */
  verdicts(beforeRunId: string): Promise<ReadonlyMap<string, readonly ExitVerdictPoint[]>>
  /** Keeps a run. Keeping the same run and shard again replaces its rows, so that a resumed run counts once. */
  append(run: ExitHistoryRun): Promise<void>
  close(): Promise<void>
}
