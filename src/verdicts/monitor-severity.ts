/**
 * How much an incident matters, and where it is told: one table of class, type and corroboration. The first row that
 * fits decides.
 *
 * **Invariant**: the risk of an address raises a severity by one step, and never lowers it.
 *
 * Specification: docs/detectors/monitor-severity.md
 */
import { ALERT_SEVERITIES, type AlertSeverity } from '../model/alert.ts'
import type { MonitorType } from '../model/monitor-name.ts'
import type { Corroboration } from '../model/monitor-round.ts'
import type { CandidateClass, MonitorChannel } from '../model/monitor-state.ts'

/** Something about the new value that the table asks for. */
export type ValueDetail = 'new_zone' | 'caa_widened' | 'mail_policy_weakened'

/** What is judged. */
export interface SeverityCase {
  readonly class: CandidateClass
  readonly type: MonitorType
  /** Whether every resolver that answered shows it, or at least two operators. */
  readonly spread: 'all' | 'several'
  readonly corroboration: Corroboration
  readonly details: readonly ValueDetail[]
  /** Whether only expected values are right. */
  readonly isPinned: boolean
  /** Whether the profile is still being learned. */
  readonly isLearning: boolean
  /** Whether one of the addresses has a high risk. */
  readonly hasHighRisk: boolean
}

interface Row {
  readonly severity: AlertSeverity
  readonly fits: (item: SeverityCase) => boolean
}

const isAddress = ({ type }: SeverityCase): boolean => type === 'A' || type === 'AAAA'
const hasValidTls = ({ corroboration }: SeverityCase): boolean => corroboration.tls === 'valid'

const TABLE: readonly Row[] = [
  { severity: 'critical', fits: ({ corroboration }) => corroboration.parentNs === 'changed' },
  { severity: 'critical', fits: ({ corroboration: { parentDs } }) => parentDs === 'changed' || parentDs === 'removed' },
  { severity: 'critical', fits: ({ type }) => type === 'DS' },
  { severity: 'critical', fits: (item) => item.class === 'K4' },
  { severity: 'critical', fits: (item) => item.class === 'K5' && item.spread === 'all' },
  { severity: 'high', fits: (item) => item.class === 'K5' },
  { severity: 'critical', fits: (item) => isAddress(item) && item.spread === 'all' && !hasValidTls(item) },
  { severity: 'high', fits: ({ isPinned }) => isPinned },
  { severity: 'medium', fits: (item) => isAddress(item) && hasValidTls(item) },
  { severity: 'high', fits: isAddress },
  { severity: 'high', fits: ({ type }) => type === 'MX' || type === 'NS' },
  { severity: 'medium', fits: ({ details }) => details.length > 0 },
  { severity: 'low', fits: () => true },
]

/** Judges a case. K3 of a profile that is being learned is a ticket, whatever it is. */
export function judgeSeverity(item: SeverityCase): AlertSeverity {
  if (item.class === 'K3' && item.isLearning && !item.isPinned) return 'medium'
  const severity = TABLE.find(({ fits }) => fits(item))?.severity ?? 'low'
  return item.hasHighRisk ? (ALERT_SEVERITIES[ALERT_SEVERITIES.indexOf(severity) + 1] ?? severity) : severity
}

/** Critical and high page, medium opens a ticket, the rest waits for the digest. */
export function toMonitorChannel(severity: AlertSeverity): MonitorChannel {
  if (severity === 'critical' || severity === 'high') return 'page'
  return severity === 'medium' ? 'ticket' : 'digest'
}

/** The worse of two severities. */
export function worseSeverity(a: AlertSeverity, b: AlertSeverity): AlertSeverity {
  return ALERT_SEVERITIES.indexOf(a) >= ALERT_SEVERITIES.indexOf(b) ? a : b
}
