/**
 * From events of incidents at exits to messages for people: one message for all relays of an operator, not forty.
 *
 * **Invariant**: pure; every event stands in exactly one message, and the id of a message follows from run and relays.
 *
 * Format: docs/formats/alerts.md
 */
import { formatIsoTime } from '../core/clock.ts'
import type { AlertItem, AlertMessage, AlertSeverity } from '../model/alert.ts'
import { ALERT_SEVERITIES } from '../model/alert.ts'
import type { ExitIncident } from '../model/incident.ts'
import type { ExitIncidentEvent } from './exit-incidents.ts'

/** More relays without a known operator than this share a message: what hits them all at once has one cause. */
const SINGLES_MAX = 10
/** Tags of a message; a family of some hundred relays fits. */
const TAGS_MAX = 2_000
/** A contact is at most some kilobytes; subscriptions look at its beginning. */
const CONTACT_CHARS_MAX = 500
/** Addresses that one message may name as those of its operator. */
const CONTACTS_MAX = 10

/** The published fields of an alert about one relay: these seven and no other. */
export interface ExitAlertPayload {
  readonly fingerprint: string
  readonly exit_ip: string
  readonly failure_type: string
  /** The first failure, ISO 8601 UTC. */
  readonly first_seen: string
  /** The newest failure, ISO 8601 UTC. */
  readonly last_seen: string
  /** Failures in a row, up to the newest one. */
  readonly consecutive_count: number
  readonly tor_metrics_url: string
}

/**
 * Composes the messages of a run.
 *
 * @returns In the order of first appearance; empty without events.
 */
export function composeExitMessages(
  runId: string,
  events: readonly ExitIncidentEvent[],
  nowMs: number,
): readonly AlertMessage[] {
  return groupEvents(events).map((group) => composeMessage(runId, group, nowMs))
}

/** The published fields of an incident. */
export function toExitAlertPayload(incident: ExitIncident): ExitAlertPayload {
  return {
    fingerprint: incident.fingerprint,
    exit_ip: incident.exitAddress,
    failure_type: incident.failureType,
    first_seen: incident.firstSeen,
    last_seen: incident.lastSeen,
    consecutive_count: incident.consecutiveCount,
    tor_metrics_url: `https://metrics.torproject.org/rs.html#details/${incident.fingerprint}`,
  }
}

function groupEvents(events: readonly ExitIncidentEvent[]): readonly (readonly ExitIncidentEvent[])[] {
  const groups = new Map<string, ExitIncidentEvent[]>()
  for (const event of events) {
    const { family, operator, contact } = event.incident
    const key = JSON.stringify([event.event, family, operator, operator === null ? contact : null])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [event])
    else group.push(event)
  }
  return [...groups.values()].flatMap((group) =>
    isUnknown(group[0]?.incident) && group.length <= SINGLES_MAX ? group.map((event) => [event]) : [group],
  )
}

/** Nothing says whose relay it is. */
function isUnknown(incident: ExitIncident | undefined): boolean {
  return incident?.operator === null && incident.contact === null
}

function composeMessage(runId: string, group: readonly ExitIncidentEvent[], nowMs: number): AlertMessage {
  const incidents = group.map(({ incident }) => incident)
  const [first] = group
  const event = first?.event ?? 'new'
  const family = first?.incident.family ?? 'ipv4'
  const fingerprint = incidents.map((incident) => incident.fingerprint).toSorted()[0] ?? ''
  return {
    id: `exits-${runId.replaceAll(/\D/g, '')}-${event}-${family}-${fingerprint}`,
    event,
    severity: incidents.map(({ severity }) => severity).reduce(worse, 'info'),
    campaign: 'exits',
    createdAt: formatIsoTime(nowMs),
    title: `${formatSubject(incidents)} ${VERBS[event][incidents.length === 1 ? 0 : 1]} ${QUESTIONS[family]}`,
    lines: [EXPLANATIONS[event]],
    items: incidents.map(composeItem),
    tags: collectTags(incidents),
    contacts: collectContacts(incidents),
  }
}

const VERBS = {
  new: ['fails at', 'fail at'],
  ongoing: ['still fails at', 'still fail at'],
  recovered: ['is right again at', 'are right again at'],
} as const
const QUESTIONS = { ipv4: 'DNS', ipv6: 'DNS for IPv6 addresses (AAAA)' } as const
const EXPLANATIONS = {
  new: 'The runs that saw it came one after the other, without a success between them.',
  ongoing: 'This has been reported before and was seen again in the newest run.',
  recovered: 'The newest runs in a row got right answers.',
} as const

function formatSubject(incidents: readonly ExitIncident[]): string {
  const [first] = incidents
  const owner = first?.operator ?? null
  if (incidents.length === 1) return `Exit ${first?.nickname ?? ''}${owner === null ? '' : ` of ${owner}`}`
  const whose = isUnknown(first) ? 'without a known operator' : owner === null ? 'with the same contact' : `of ${owner}`
  return `${incidents.length} exits ${whose}`
}

function composeItem(incident: ExitIncident): AlertItem {
  const data = toExitAlertPayload(incident)
  const since = data.first_seen.slice(0, 16).replace('T', ' ')
  const times = data.consecutive_count === 1 ? 'once' : `${data.consecutive_count} times in a row`
  return {
    text: `${incident.nickname} ${data.exit_ip}: ${data.failure_type} ${times}, first seen ${since} UTC`,
    url: data.tor_metrics_url,
    data: { ...data },
  }
}

function collectTags(incidents: readonly ExitIncident[]): readonly string[] {
  const tags = new Set<string>()
  for (const { fingerprint, operator, contact, relayFamily } of incidents) {
    if (operator !== null) tags.add(`operator:${operator}`)
    for (const member of [fingerprint, ...relayFamily]) tags.add(`family:${member.replace(/^\$/, '')}`)
    if (contact !== null) tags.add(`contact:${contact.slice(0, CONTACT_CHARS_MAX)}`)
  }
  return [...tags].slice(0, TAGS_MAX)
}

/** Addresses of the CIISS field `email:`, where `[]` stands for `@`, and plain ones. */
function collectContacts(incidents: readonly ExitIncident[]): readonly string[] {
  const found = new Set<string>()
  for (const { contact } of incidents) {
    const text = (contact ?? '').slice(0, CONTACT_CHARS_MAX).replaceAll('[]', '@').toLowerCase()
    for (const [address] of text.matchAll(/[a-z\d][a-z\d._+-]{0,63}@[a-z\d][a-z\d.-]{0,252}[a-z\d]/g))
      found.add(address)
  }
  return [...found].slice(0, CONTACTS_MAX)
}

function worse(a: AlertSeverity, b: AlertSeverity): AlertSeverity {
  return ALERT_SEVERITIES.indexOf(a) >= ALERT_SEVERITIES.indexOf(b) ? a : b
}
