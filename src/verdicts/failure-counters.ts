/**
 * How long a relay has been failing, and when somebody is told.
 *
 * Counters follow from history, never from the latest report: only DNS verdicts move them. A circuit that was not
 * built, our own trouble and absence say nothing about DNS and leave everything as it was.
 *
 * ```
 *            enough failures in a row, or spread over enough time
 *   quiet ──────────────────────────────────────────────────────► alerting
 *     ▲                                                              │
 *     └───────────────── enough successes in a row ──────────────────┘
 * ```
 *
 * **Invariant**: pure. Points of invalid runs do not belong into a history.
 *
 * Specification: docs/detectors/failure-counters.md
 */
import { parseTime } from '../core/clock.ts'
import type { ExitVerdictPoint } from '../model/exit-history.ts'
import type { ExitStatus } from '../model/exit-result.ts'
import type { ExitAlertState, VerdictFamily } from '../model/incident.ts'
import { isDnsVerdict } from './exit-relay.ts'

/** What the history of a relay adds up to. */
export interface FailureCount {
  /** DNS verdicts in a row, up to the newest, that were no success. */
  readonly consecutiveFailures: number
  /** The first of them, ISO 8601 UTC; `null` when the newest verdict is a success or there is none. */
  readonly failingSince: string | null
  /** The first DNS verdict about the relay, ISO 8601 UTC; `null` when there is none. */
  readonly firstSeen: string | null
  /** The newest one. */
  readonly lastSeen: string | null
}

/**
 * Counts.
 *
 * @param points - Earliest first, this run's included.
 */
export function countFailures(points: readonly ExitVerdictPoint[], family: VerdictFamily): FailureCount {
  const verdicts = points.filter((point) => isVerdict(point, family))
  const lastSuccess = verdicts.findLastIndex((point) => statusOf(point, family) === 'success')
  const failing = verdicts.slice(lastSuccess + 1)
  return {
    consecutiveFailures: failing.length,
    failingSince: failing[0]?.timestamp ?? null,
    firstSeen: verdicts[0]?.timestamp ?? null,
    lastSeen: verdicts.at(-1)?.timestamp ?? null,
  }
}

/** When an alert begins and ends. */
export interface ExitAlertRule {
  /** So many failures in a row are enough. */
  readonly failures: number
  /** So many are enough when the first and the last are `spanMs` apart. */
  readonly failuresOverSpan: number
  /** In milliseconds. */
  readonly spanMs: number
  /** So many successes in a row end it. */
  readonly successes: number
}

/** Five in a row, or three over at least twelve hours; over after two successes. */
export const DEFAULT_ALERT_RULE: ExitAlertRule = {
  failures: 5,
  failuresOverSpan: 3,
  spanMs: 12 * 3_600_000,
  successes: 2,
}

/** Two in a row, as the plan had it: 1,642 false alarms in the data where five in a row gave 40. */
export const TWO_IN_A_ROW_ALERT_RULE: ExitAlertRule = { failures: 2, failuresOverSpan: 2, spanMs: 0, successes: 1 }

/** The state before any verdict. */
export const QUIET_ALERT_STATE: ExitAlertState = {
  alerting: false,
  failures: 0,
  successes: 0,
  since: null,
  lastFailure: null,
  failureType: null,
}

/** What is to be told after a verdict. */
export type ExitAlertMessage = 'new' | 'ongoing' | 'recovered'

/**
 * Moves on by one verdict.
 *
 * @returns The next state, and what is to be told: `new` once, `ongoing` at every further failure, `recovered` once.
 *   A recovered state still says since when and what it was, until the next failure.
 */
export function judgeExitAlert(
  state: ExitAlertState,
  point: ExitVerdictPoint,
  family: VerdictFamily,
  rule: ExitAlertRule,
): { readonly state: ExitAlertState; readonly message: ExitAlertMessage | null } {
  if (!isVerdict(point, family)) return { state, message: null }
  const status = statusOf(point, family)
  return status === 'success' ? onSuccess(state, rule) : onFailure(state, status, point.timestamp, rule)
}

function onSuccess(
  state: ExitAlertState,
  rule: ExitAlertRule,
): { readonly state: ExitAlertState; readonly message: ExitAlertMessage | null } {
  const successes = state.successes + 1
  const recovered = state.alerting && successes >= rule.successes
  const next = { ...state, failures: 0, successes, alerting: state.alerting && !recovered }
  return { state: next, message: recovered ? 'recovered' : null }
}

function onFailure(
  state: ExitAlertState,
  failureType: ExitStatus | null,
  timestamp: string,
  rule: ExitAlertRule,
): { readonly state: ExitAlertState; readonly message: ExitAlertMessage | null } {
  const failures = state.failures + 1
  const since = state.alerting || state.failures > 0 ? (state.since ?? timestamp) : timestamp
  const spannedMs = parseTime(timestamp) - parseTime(since)
  const enough = failures >= rule.failures || (failures >= rule.failuresOverSpan && spannedMs >= rule.spanMs)
  const next = {
    alerting: state.alerting || enough,
    failures,
    successes: 0,
    since,
    lastFailure: timestamp,
    failureType,
  }
  if (state.alerting) return { state: next, message: 'ongoing' }
  return { state: next, message: enough ? 'new' : null }
}

function statusOf(point: ExitVerdictPoint, family: VerdictFamily): ExitStatus | null {
  return family === 'ipv4' ? point.status : point.statusIpv6
}

function isVerdict(point: ExitVerdictPoint, family: VerdictFamily): boolean {
  const status = statusOf(point, family)
  return status !== null && isDnsVerdict(status)
}
