/**
 * What earlier runs found out about each relay: the port between the exits campaign and `store/`. Without a data
 * directory the campaign reads the same from earlier reports.
 */
import type { ExitStatus } from './exit-result.ts'

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

/** The verdicts of earlier runs. */
export interface ExitHistory {
  /**
   * DNS verdicts of the runs before `beforeRunId`, by fingerprint, earliest first. A point has a DNS verdict (success,
   * wrong_ip, dns_fail or timeout) for A or for AAAA; circuit failures and absence are no points. Of each relay there
   * are at most 100: its very first, which says since when it is known, and the last 99.
   *
   * @param among - Fingerprints of the relays that are asked about; without it, every relay there is.
   */
  verdicts(beforeRunId: string, among?: readonly string[]): Promise<ReadonlyMap<string, readonly ExitVerdictPoint[]>>
  close(): Promise<void>
}
