/**
 * What has to be written now, what can wait, and what the record of a name is to hold.
 *
 * **Invariant**: pure. What people are told about cannot wait; counters, and values that were seen again, can.
 */
import type { MonitorIncident } from '../model/monitor-state.ts'
import { findConsensus, formatAnswer } from '../verdicts/monitor-consensus.ts'
import type { JudgedName } from './judge-asked.ts'
import { toRecordValues, type NameRecord } from './name-record.ts'

const DAY_MS = 86_400_000
/** Where these counters stand beyond it makes no difference to anybody. */
const FAILED_ROUNDS_MAX = 3
const CLEAN_ROUNDS_MAX = 10

/** Whether something changed that a lost minute would undo: a baseline, a confirmation, an incident. */
export function isUrgent({ before, after, notices }: JudgedName): boolean {
  if (before === undefined || notices.some(({ channel }) => channel !== 'digest')) return true
  const [old, now] = [before.state, after.state]
  return (
    JSON.stringify(old.candidates) !== JSON.stringify(now.candidates) ||
    Math.min(old.failedRounds, FAILED_ROUNDS_MAX) !== Math.min(now.failedRounds, FAILED_ROUNDS_MAX) ||
    JSON.stringify(old.incidents.map(coreOf)) !== JSON.stringify(now.incidents.map(coreOf))
  )
}

/** What of an incident matters: not when it was seen last. */
function coreOf(incident: MonitorIncident): object {
  const { key, subject, resolver, status, severity, toldAtMs, isShown, isFlapping } = incident
  return {
    key,
    subject,
    resolver,
    status,
    severity,
    toldAtMs,
    isShown,
    isFlapping,
    cleanRounds: Math.min(incident.cleanRounds, CLEAN_ROUNDS_MAX),
    transitionAtMs: incident.transitionsAtMs.at(-1),
    standingSinceMs: incident.standingSinceMs,
    acknowledgement: incident.acknowledgement,
    values: Object.keys(incident.units),
  }
}

/** What a record is to hold. */
export interface RecordDecision {
  readonly record: NameRecord
  readonly isPressing: boolean
}

/**
 * What the record is to hold after a round: what most resolvers agree on, if nothing in it is new to the profile.
 *
 * A name whose known addresses rotate would be written each minute: such a record is renewed once a day.
 *
 * @returns `undefined` when the record can stay. `isPressing`: whether it is worth a write of its own; a new address in a network of
 *   the record is not, and goes with other writes.
 */
export function decideRecord({ judged, after, due }: JudgedName, atMs: number): RecordDecision | undefined {
  const consensus = findConsensus(judged.answers.map(({ answer }) => answer))
  if (consensus.kind !== 'agreed') return undefined
  const agreed = judged.answers.find(({ answer }) => formatAnswer(answer) === consensus.answer)
  if (agreed === undefined || agreed.answer.outcome !== 'answer') return undefined
  const { units } = after.state.profile
  const isKnown = agreed.class === 'K0' || agreed.answer.units.every(({ text }) => units[text] !== undefined)
  if (!judged.isBaseline && !isKnown) return undefined
  const ips = toRecordValues(agreed.answer, due.monitored.type)
  const { record } = after
  if (record === null) return { record: { ips, timestamp: atMs }, isPressing: true }
  if (JSON.stringify(record.ips.toSorted()) === JSON.stringify(ips)) return undefined
  const isNew =
    due.monitored.mode === 'auto' &&
    agreed.answer.units.some(({ text }) => (units[text]?.firstSeenMs ?? 0) > record.timestamp)
  const isOld = atMs - record.timestamp >= DAY_MS
  if (!isNew && !isOld) return undefined
  const networks = new Set(record.ips.flatMap((text) => units[text]?.asn ?? []))
  const isNear = agreed.answer.units.some(({ asn }) => asn !== null && networks.has(asn))
  return { record: { ips, timestamp: atMs }, isPressing: isOld || !isNear }
}
