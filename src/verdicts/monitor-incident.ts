/**
 * The life of one incident of the monitor.
 *
 * ```
 *            confirmed              10 clean rounds
 *   (nothing) ───────► open ────────────────────────► resolved
 *                       │ ▲ shown, away, shown …  │     └── shown again within an hour: the same incident
 *                       │ └── flapping: silent ───┘
 *                       └── approved, accepted, or stood for a day ──► changed
 * ```
 *
 * **Invariant**: pure. One open incident per subject; what else is new joins it. A message is told once.
 *
 * Specification: docs/detectors/monitor-incidents.md
 */
import type { AlertSeverity } from '../model/alert.ts'
import type { AddressIntelligence, Corroboration } from '../model/monitor-round.ts'
import type {
  IncidentSubject,
  KnownUnit,
  MonitorChannel,
  MonitorIncident,
  MonitorNotice,
} from '../model/monitor-state.ts'
import { mergeUnits } from './monitor-profile.ts'
import { toMonitorChannel, worseSeverity } from './monitor-severity.ts'
import { hashText } from './monitor-sha256.ts'

const HOUR_MS = 3_600_000
const REMINDER_MS = 6 * HOUR_MS
const CLEAN_ROUNDS = 10
/** So many transitions within an hour are flapping, until so long nothing moved. */
const FLAPPING_TRANSITIONS = 4
const QUIET_MS = HOUR_MS / 2
const STANDING_MS = 24 * HOUR_MS
/** Values that an incident keeps as evidence; an attacker may rotate through any number. */
const UNITS_MAX = 64
const INTELLIGENCE_MAX = 8

/** What a round says about an incident. */
export interface IncidentSighting {
  readonly nowMs: number
  readonly isConfirmation: boolean
  readonly isShown: boolean
  readonly units: Readonly<Record<string, KnownUnit>>
  /** Of this round alone; the incident keeps the worst. */
  readonly severity: AlertSeverity
  readonly corroboration: Corroboration
  /** Whether what is new is on all resolvers and somebody vouches for it. */
  readonly isStanding: boolean
  /** Whether nobody is to be told now: a maintenance window. */
  readonly isSilenced: boolean
  /** Of addresses that are new. */
  readonly intelligence: readonly AddressIntelligence[]
  /** What is known, newest first. */
  readonly known: readonly string[]
  /** What each resolver says: `resolver: answer`. */
  readonly answers: readonly string[]
}

/** An incident after a round, and what is told. */
export interface MovedIncident {
  readonly incident: MonitorIncident
  readonly notices: readonly MonitorNotice[]
  /** Whether what is new has stood long enough to be learned. */
  readonly isChanged: boolean
}

/** What an incident is about. */
export interface IncidentIdentity {
  /** `www.zone.example/A`. */
  readonly monitor: string
  readonly subject: IncidentSubject
  readonly resolver: string | null
}

/** The key: SHA-256 of monitor, class and sorted new ASNs. */
export function formatIncidentHash({ monitor, subject, resolver }: IncidentIdentity, asns: readonly number[]): string {
  return hashText(JSON.stringify([monitor, subject, ...(resolver === null ? [] : [resolver]), ...asns]))
}

/** Opens an incident, or opens one again that closed within the last hour. */
export function openIncident(
  identity: IncidentIdentity,
  earlier: MonitorIncident | undefined,
  sighting: IncidentSighting,
): MovedIncident {
  const { nowMs, units, severity, corroboration } = sighting
  if (earlier !== undefined) {
    const reopened: MonitorIncident = { ...earlier, status: 'open', closedAtMs: null, toldAtMs: null, severity }
    return moveIncident(identity, reopened, sighting)
  }
  const asns = asnsOf(units)
  const incident: MonitorIncident = {
    key: formatIncidentHash(identity, asns),
    subject: identity.subject,
    resolver: identity.resolver,
    asns,
    units: boundUnits(units),
    severity,
    channel: channelOf(identity.subject, severity),
    status: 'open',
    openedAtMs: nowMs,
    lastSeenMs: nowMs,
    closedAtMs: null,
    toldAtMs: null,
    cleanRounds: 0,
    isShown: true,
    transitionsAtMs: [nowMs],
    isFlapping: false,
    standingSinceMs: sighting.isStanding ? nowMs : null,
    acknowledgement: null,
    corroboration,
    previous: sighting.known,
    answers: sighting.answers,
    ...joinIntelligence([], sighting),
  }
  return tell(identity, incident, sighting)
}

/** Moves an open incident by one round. */
export function moveIncident(
  identity: IncidentIdentity,
  before: MonitorIncident,
  sighting: IncidentSighting,
): MovedIncident {
  const { nowMs, isShown, isConfirmation } = sighting
  const isTransition = isShown !== before.isShown
  const recent = before.transitionsAtMs.filter((atMs) => nowMs - atMs < HOUR_MS)
  const transitionsAtMs = isTransition ? [...recent, nowMs].slice(-100) : recent
  const lastMs = transitionsAtMs.at(-1) ?? 0
  const isFlapping = before.isFlapping
    ? nowMs - lastMs < QUIET_MS
    : isTransition && transitionsAtMs.length >= FLAPPING_TRANSITIONS
  const { acknowledgement } = before
  const moved: MonitorIncident = {
    ...before,
    isShown,
    transitionsAtMs,
    isFlapping,
    acknowledgement: acknowledgement !== null && acknowledgement.untilMs <= nowMs ? null : acknowledgement,
    cleanRounds: isShown ? 0 : before.cleanRounds + (isConfirmation ? 0 : 1),
  }
  if (isShown) return show(identity, moved, sighting)
  if (moved.cleanRounds < CLEAN_ROUNDS || isFlapping) return { incident: moved, notices: [], isChanged: false }
  return close(identity, moved, 'resolved', nowMs)
}

/** Ends an incident because what was new is right. */
export function closeAsChanged(identity: IncidentIdentity, incident: MonitorIncident, nowMs: number): MovedIncident {
  return close(identity, incident, 'changed', nowMs)
}

function show(identity: IncidentIdentity, incident: MonitorIncident, sighting: IncidentSighting): MovedIncident {
  const { nowMs, units, corroboration, isStanding } = sighting
  const severity = worseSeverity(incident.severity, sighting.severity)
  const joined: MonitorIncident = {
    ...incident,
    severity,
    channel: channelOf(incident.subject, severity),
    corroboration,
    answers: sighting.answers,
    lastSeenMs: nowMs,
    units: boundUnits(mergeUnits(incident.units, units)),
    asns: [...new Set([...incident.asns, ...asnsOf(units)])].toSorted((a, b) => a - b).slice(0, UNITS_MAX),
    standingSinceMs: isStanding ? (incident.standingSinceMs ?? nowMs) : null,
    ...joinIntelligence(incident.intelligence ?? [], sighting),
  }
  if (joined.standingSinceMs !== null && nowMs - joined.standingSinceMs >= STANDING_MS)
    return close(identity, joined, 'changed', nowMs)
  return tell(identity, joined, sighting, incident.channel)
}

/** Tells what was not told, what got worse, and what lasts. */
function tell(
  identity: IncidentIdentity,
  incident: MonitorIncident,
  { nowMs, isSilenced }: IncidentSighting,
  channelBefore: MonitorChannel = incident.channel,
): MovedIncident {
  const { toldAtMs, channel } = incident
  const isWorse = channel === 'page' && channelBefore !== 'page'
  const isReminded = channel === 'page' || channel === 'ticket'
  const isDue = toldAtMs === null || isWorse || (isReminded && nowMs - toldAtMs >= REMINDER_MS)
  const isHeld = isSilenced || incident.isFlapping || (incident.acknowledgement !== null && !isWorse)
  if (!isDue || isHeld) return { incident, notices: [], isChanged: false }
  const told = { ...incident, toldAtMs: nowMs }
  const event = toldAtMs === null || isWorse ? 'new' : 'ongoing'
  return { incident: told, notices: [noticeOf(identity, told, event, nowMs)], isChanged: false }
}

function close(
  identity: IncidentIdentity,
  incident: MonitorIncident,
  status: 'resolved' | 'changed',
  nowMs: number,
): MovedIncident {
  const closed: MonitorIncident = {
    ...incident,
    status,
    closedAtMs: nowMs,
    acknowledgement: null,
    standingSinceMs: null,
  }
  const notices = incident.toldAtMs === null ? [] : [noticeOf(identity, closed, 'recovered', nowMs)]
  return { incident: closed, notices, isChanged: status === 'changed' }
}

function noticeOf(
  identity: IncidentIdentity,
  incident: MonitorIncident,
  event: MonitorNotice['event'],
  atMs: number,
): MonitorNotice {
  const { channel, severity } = incident
  return { event, channel, severity, atMs, title: titleOf(identity, incident, event), incident }
}

/** What an incident is about, one sentence without full stop. */
export function describeIncident(monitor: string, { subject, resolver, corroboration }: MonitorIncident): string {
  const isBogus = corroboration.dnssec === 'bogus'
  return {
    K3: `${monitor} has a new answer`,
    K4: `${monitor} leads to an address that no public name has`,
    K5: `${monitor} has no answer where it had one`,
    diverges: `${resolver ?? 'a resolver'} gives other answers for ${monitor} than everybody else`,
    unavailable: isBogus
      ? `no resolver gives an answer for ${monitor}: its signatures do not verify`
      : `no resolver gives an answer for ${monitor}`,
    parent_ns: `the parent names other servers for the zone of ${monitor}`,
    parent_ds: `the parent has another DS, or none, for the zone of ${monitor}`,
    serials: `the servers of the zone of ${monitor} have had different serials for over an hour`,
  }[subject]
}

function titleOf({ monitor }: IncidentIdentity, incident: MonitorIncident, event: string): string {
  const what = describeIncident(monitor, incident)
  if (event === 'ongoing') return `still: ${what}`
  if (event !== 'recovered') return what
  return incident.status === 'changed' ? `accepted as changed: ${what}` : `over: ${what}`
}

function channelOf(subject: IncidentSubject, severity: AlertSeverity): MonitorChannel {
  return subject === 'unavailable' ? 'availability' : toMonitorChannel(severity)
}

function asnsOf(units: Readonly<Record<string, KnownUnit>>): readonly number[] {
  return [...new Set(Object.values(units).flatMap(({ asn }) => asn ?? []))].toSorted((a, b) => a - b)
}

function boundUnits(units: Readonly<Record<string, KnownUnit>>): Readonly<Record<string, KnownUnit>> {
  const entries = Object.entries(units)
  return entries.length <= UNITS_MAX ? units : Object.fromEntries(entries.slice(0, UNITS_MAX))
}

/** What was found out about the first addresses stays, newest knowledge first. */
function joinIntelligence(
  before: readonly AddressIntelligence[],
  { intelligence, units }: IncidentSighting,
): Pick<MonitorIncident, 'intelligence'> {
  const own = intelligence.filter(({ address }) => units[address] !== undefined)
  const kept = before.filter(({ address }) => own.every((other) => other.address !== address))
  const all = [...own, ...kept].slice(0, INTELLIGENCE_MAX)
  return all.length === 0 ? {} : { intelligence: all }
}
