/** Incidents for people: what happened, since when, how sure, and what became of it. */
import { assertNever } from '../core/assert.ts'
import { parseTime } from '../core/clock.ts'
import type { ExitIncident } from '../model/incident.ts'
import { formatCounted, formatMinute, formatSpan } from './format-quantity.ts'
import { STATUS_WORDS } from './verdict-words.ts'

/** Says what an incident is: one sentence. */
export function formatIncidentSentence(incident: ExitIncident): string {
  const { nickname, family, failureType, firstSeen, status, closedAt } = incident
  const about = family === 'ipv6' ? 'DNS for IPv6 addresses' : 'DNS'
  const what = STATUS_WORDS[failureType].label
  switch (status) {
    case 'open':
      return `${about} at ${nickname} fails since ${formatMinute(firstSeen)}: ${what}.`
    case 'recovered':
      return `${about} at ${nickname} failed from ${formatMinute(firstSeen)} to ${closedAt === null ? 'now' : formatMinute(closedAt)} and works again.`
    case 'lapsed':
      return `${about} at ${nickname} failed from ${formatMinute(firstSeen)}, and nothing has been heard of it since ${formatMinute(incident.lastSeen)}.`
    default:
      return assertNever(status)
  }
}

/** Says on what it rests and how sure it is. */
export function formatIncidentEvidence(incident: ExitIncident): string {
  const { consecutiveCount, firstSeen, lastSeen } = incident
  const spanMs = Math.max(0, parseTime(lastSeen) - parseTime(firstSeen))
  const verdicts = formatCounted(consecutiveCount, 'verdict', 'verdicts')
  return `${verdicts} in a row over ${formatSpan(spanMs)}, one a run`
}
