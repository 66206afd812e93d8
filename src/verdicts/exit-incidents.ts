/**
 * The life of incidents at exits: from the verdicts of one run to incidents that open, last and close.
 *
 * ```
 *                rule met                 successes in a row
 *   (nothing) ─────────────► open ─────────────────────────────► recovered
 *                             │ ▲                    30 days without a failure seen
 *                             └─┘ a further failure  └─────────► lapsed
 * ```
 *
 * **Invariant**: pure, and a relay without a DNS verdict in the run moves nothing. Runs come in order, each once, and
 * only valid ones: see `run-validity`.
 *
 * Specification: docs/detectors/failure-counters.md
 */
import { formatCompactTime, formatIsoTime, parseTime } from '../core/clock.ts'
import type { AlertSeverity } from '../model/alert.ts'
import type { ExitVerdictPoint } from '../model/exit-history.ts'
import type { ExitResult, ExitStatus } from '../model/exit-result.ts'
import type { ExitAlertState, ExitIncident, VerdictFamily } from '../model/incident.ts'
import { judgeExitAlert, QUIET_ALERT_STATE, type ExitAlertMessage, type ExitAlertRule } from './failure-counters.ts'

const FAMILIES: readonly VerdictFamily[] = ['ipv4', 'ipv6']
/** A relay that was not seen failing for so long is gone, or its operator has started anew. */
const LAPSE_MS = 30 * 86_400_000
/** Run ids kept as evidence: the one that opened the incident, and the newest. */
const RUNS_MAX = 50

/** What is known before a run. */
export interface ExitIncidentBook {
  /** States that differ from quiet, under `FINGERPRINT/ipv4`. */
  readonly states: ReadonlyMap<string, ExitAlertState>
  /** Open incidents, under the same keys. */
  readonly open: ReadonlyMap<string, ExitIncident>
}

/** When people are told. */
export interface ExitIncidentPolicy {
  readonly rule: ExitAlertRule
  /** A lasting incident is told again after so long, in milliseconds; 0 for never. */
  readonly reminderMs: number
}

/** A run, as far as incidents go. */
export interface JudgedExitRun {
  readonly runId: string
  /** When the run was reported, ISO 8601 UTC. */
  readonly timestamp: string
  readonly results: readonly ExitResult[]
}

/** Something that people are to be told. */
export interface ExitIncidentEvent {
  readonly event: ExitAlertMessage
  readonly incident: ExitIncident
}

/** What a run changed. */
export interface ExitIncidentChange {
  /** States that moved; `null` where the relay is quiet again. */
  readonly states: ReadonlyMap<string, ExitAlertState | null>
  readonly incidents: readonly ExitIncident[]
  /** In the order of the results. */
  readonly events: readonly ExitIncidentEvent[]
}

/** Judges a run. @param nowMs - When people would be told, Unix milliseconds; it decides about reminders alone. */
export function judgeExitRun(
  book: ExitIncidentBook,
  run: JudgedExitRun,
  policy: ExitIncidentPolicy,
  nowMs: number,
): ExitIncidentChange {
  const states = new Map<string, ExitAlertState | null>()
  const incidents = new Map<string, ExitIncident>()
  const events: ExitIncidentEvent[] = []
  for (const result of run.results) {
    for (const family of FAMILIES) {
      const key = formatIncidentKey(result.exit_fingerprint, family)
      // A report that names a relay twice counts it once.
      if (states.has(key)) continue
      const before = book.states.get(key) ?? QUIET_ALERT_STATE
      const { state, message } = judgeExitAlert(before, pointOf(run, result), family, policy.rule)
      if (state === before) continue
      states.set(key, isQuiet(state) ? null : state)
      const step = { run, result, family, state, policy, nowMs }
      const changed = moveIncident(book.open.get(key), message, step)
      if (changed === undefined) continue
      incidents.set(key, changed.incident)
      if (changed.event !== null) events.push({ event: changed.event, incident: changed.incident })
    }
  }
  lapse(book, run, states, incidents)
  return { states, incidents: [...incidents.values()], events }
}

/** The key of states and open incidents: `FINGERPRINT/ipv4`. */
export function formatIncidentKey(fingerprint: string, family: VerdictFamily): string {
  return `${fingerprint}/${family}`
}

interface Step {
  readonly run: JudgedExitRun
  readonly result: ExitResult
  readonly family: VerdictFamily
  readonly state: ExitAlertState
  readonly policy: ExitIncidentPolicy
  readonly nowMs: number
}

function moveIncident(
  open: ExitIncident | undefined,
  message: ExitAlertMessage | null,
  step: Step,
): { readonly incident: ExitIncident; readonly event: ExitAlertMessage | null } | undefined {
  const { run, state, policy, nowMs } = step
  if (message === null) return undefined
  if (message === 'recovered') {
    return open && { incident: { ...open, status: 'recovered', closedAt: run.timestamp }, event: 'recovered' }
  }
  // An alert that lasts without an incident (its record was lost) is told as if it began now.
  if (open === undefined) return { incident: openIncident(step), event: 'new' }
  // A time in the future was written by a clock that was wrong.
  const isDue = policy.reminderMs > 0 && Math.abs(nowMs - parseTime(open.toldAt)) >= policy.reminderMs
  return {
    incident: {
      ...open,
      ...factsOf(step),
      failureType: state.failureType ?? open.failureType,
      severity: atLeast(open.severity, severityOf(state.failureType)),
      lastSeen: state.lastFailure ?? open.lastSeen,
      consecutiveCount: state.failures,
      runs: [...open.runs.slice(0, 1), ...open.runs.slice(1).slice(2 - RUNS_MAX), run.runId],
      ...(isDue ? { toldAt: formatIsoTime(nowMs), reminders: open.reminders + 1 } : {}),
    },
    event: isDue ? 'ongoing' : null,
  }
}

function openIncident(step: Step): ExitIncident {
  const { run, result, family, state, nowMs } = step
  const openedMs = parseTime(run.timestamp)
  return {
    id: `exits-${result.exit_fingerprint}-${family}-${formatCompactTime(openedMs)}`,
    campaign: 'exits',
    fingerprint: result.exit_fingerprint,
    family,
    status: 'open',
    severity: severityOf(state.failureType),
    ...factsOf(step),
    failureType: state.failureType ?? 'dns_fail',
    firstSeen: state.since ?? run.timestamp,
    lastSeen: state.lastFailure ?? run.timestamp,
    consecutiveCount: state.failures,
    openedAt: run.timestamp,
    closedAt: null,
    toldAt: formatIsoTime(nowMs),
    reminders: 0,
    runs: [run.runId],
  }
}

/** What the newest run says about the relay itself. */
function factsOf({
  result,
}: Step): Pick<ExitIncident, 'nickname' | 'exitAddress' | 'operator' | 'contact' | 'relayFamily'> {
  return {
    nickname: result.exit_nickname,
    exitAddress: result.exit_address,
    operator: result.operator,
    contact: result.contact,
    relayFamily: result.family,
  }
}

/** A wrong address accuses more than no answer. */
function severityOf(failureType: ExitStatus | null): AlertSeverity {
  return failureType === 'wrong_ip' ? 'high' : 'medium'
}

function atLeast(a: AlertSeverity, b: AlertSeverity): AlertSeverity {
  return a === 'high' || b === 'high' ? 'high' : a
}

/** Closes what was not seen failing for long, in silence. */
function lapse(
  { open }: ExitIncidentBook,
  { timestamp }: JudgedExitRun,
  states: Map<string, ExitAlertState | null>,
  incidents: Map<string, ExitIncident>,
): void {
  for (const [key, incident] of open) {
    if (states.has(key) || parseTime(timestamp) - parseTime(incident.lastSeen) < LAPSE_MS) continue
    states.set(key, null)
    incidents.set(key, { ...incident, status: 'lapsed', closedAt: timestamp })
  }
}

function pointOf({ runId, timestamp }: JudgedExitRun, { status, status_ipv6 }: ExitResult): ExitVerdictPoint {
  return { runId, timestamp, status, statusIpv6: status_ipv6 }
}

/** Nothing that a later verdict would look at. */
function isQuiet({ alerting, failures }: ExitAlertState): boolean {
  return !alerting && failures === 0
}
