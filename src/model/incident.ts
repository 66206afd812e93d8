/**
 * Incidents: trouble that has a beginning and, later, an end. One incident is told once when it begins, again while it
 * lasts, and once when it is over.
 *
 * Format: docs/formats/alerts.md
 */
import type { AlertMessage, AlertSeverity } from './alert.ts'
import type { ExitStatus } from './exit-result.ts'

/** Which verdict about an exit is meant: the one about A or about AAAA. */
export type VerdictFamily = 'ipv4' | 'ipv6'

/** Where the alert about one relay stands. */
export interface ExitAlertState {
  readonly alerting: boolean
  /** Failures in a row, up to the newest verdict. */
  readonly failures: number
  /** Successes in a row, up to the newest verdict. */
  readonly successes: number
  /** The first failure of the row, or of the alert while it lasts; ISO 8601 UTC. */
  readonly since: string | null
  /** The newest failure, ISO 8601 UTC. */
  readonly lastFailure: string | null
  /** What the newest failure was. */
  readonly failureType: ExitStatus | null
}

/** Why an incident is over: the relay answers again, or nothing has been heard of it for long. */
export type IncidentStatus = 'open' | 'recovered' | 'lapsed'

/** DNS at one exit relay fails. */
export interface ExitIncident {
  /** `exits-FINGERPRINT-ipv4-20260131120000`: the digits are those of the run that opened it. */
  readonly id: string
  readonly campaign: 'exits'
  readonly fingerprint: string
  readonly family: VerdictFamily
  readonly status: IncidentStatus
  readonly severity: AlertSeverity
  readonly nickname: string
  readonly exitAddress: string
  readonly operator: string | null
  readonly contact: string | null
  /** Members of the declared family. */
  readonly relayFamily: readonly string[]
  /** What the newest failure was. */
  readonly failureType: ExitStatus
  /** The first failure, ISO 8601 UTC. */
  readonly firstSeen: string
  /** The newest failure, ISO 8601 UTC. */
  readonly lastSeen: string
  /** Failures in a row, up to the newest failure. */
  readonly consecutiveCount: number
  /** When the rule was met, ISO 8601 UTC: the time of that run. */
  readonly openedAt: string
  /** ISO 8601 UTC; `null` while it is open. */
  readonly closedAt: string | null
  /** When people were last told that it lasts, or that it began; ISO 8601 UTC. */
  readonly toldAt: string
  readonly reminders: number
  /** Ids of runs that saw it fail since it was opened: the first and the newest 49. */
  readonly runs: readonly string[]
}

/** What one run changed. */
export interface ExitRunChange {
  readonly runId: string
  /** `0/1`, … */
  readonly shard: string
  /** `FINGERPRINT/ipv4` → state; `null` where there is nothing to remember. */
  readonly states: ReadonlyMap<string, ExitAlertState | null>
  readonly incidents: readonly ExitIncident[]
  readonly messages: readonly AlertMessage[]
}

/** Whether a run is to be processed: `late` came after a newer one and would turn time back. */
export type RunAdmission = 'new' | 'processed' | 'late'

/** Which incidents are wanted. */
export interface IncidentQuery {
  readonly status?: 'open' | 'closed'
  /** Those that were open at or after this time, ISO 8601 UTC. */
  readonly since?: string
  readonly fingerprint?: string
  /** 1 to 10,000. */
  readonly limit: number
}

/** Keeps incidents, and the state of the rules that open them. */
export interface IncidentStore {
  /**
   * A run whose id lies more than a day after `nowMs` (the clock was wrong when it was made) makes no later run late.
   */
  admit(runId: string, shard: string, nowMs: number): Promise<RunAdmission>
  /** States that differ from quiet, under `FINGERPRINT/ipv4`. */
  exitStates(): Promise<ReadonlyMap<string, ExitAlertState>>
  /** Open incidents, under `FINGERPRINT/ipv4`. */
  openExits(): Promise<ReadonlyMap<string, ExitIncident>>
  /** Keeps everything of a run, its messages included, or nothing. @returns `false` when the run was processed before. */
  commit(change: ExitRunChange): Promise<boolean>
  /** Newest first. */
  list(query: IncidentQuery): Promise<readonly ExitIncident[]>
}
