/**
 * The zone of a name: its servers and its DS at the parent, and the serials of its servers.
 *
 * What the parent says is confirmed by a second check, and is told by one name of the zone only.
 *
 * **Invariant**: pure. What nobody said changes nothing.
 *
 * Specification: docs/detectors/monitor-zone.md
 */
import { formatMonitorKey } from '../model/monitor-name.ts'
import type { Corroboration, ZoneFacts } from '../model/monitor-round.ts'
import type { KnownUnit, ZoneProfile, ZoneSubject } from '../model/monitor-state.ts'
import { isExpected } from './monitor-classes.ts'
import { acceptOpenIncident, applySighting, findOpenIncident, sightingOf, type MonitorStep } from './monitor-step.ts'

const HOUR_MS = 3_600_000
/** What an empty set is called in an incident. */
const NOTHING = '(none)'

/** How the parent stands to what is known. */
export type ParentCorroboration = Pick<Corroboration, 'parentNs' | 'parentDs'>

/** Compares what the parent says with what is known of it. */
export function compareParent(known: ZoneProfile | undefined, facts: ZoneFacts | undefined): ParentCorroboration {
  const ns = facts?.parentNs ?? null
  const ds = facts?.parentDs ?? null
  const [knownNs, knownDs] = [known?.ns ?? null, known?.ds ?? null]
  return {
    parentNs: ns === null || knownNs === null ? 'unknown' : toText(ns) === toText(knownNs) ? 'same' : 'changed',
    parentDs:
      ds === null || knownDs === null
        ? 'unknown'
        : toText(ds) === toText(knownDs)
          ? 'same'
          : ds.length === 0
            ? 'removed'
            : 'changed',
  }
}

/** Whether the zone is to be asked again soon: something is being confirmed, or is wrong. */
export function isZoneWanted(step: Pick<MonitorStep, 'profile' | 'incidents'>): boolean {
  const { zone } = step.profile
  return (
    (zone !== undefined && (zone.pending.ns !== null || zone.pending.ds !== null)) ||
    step.incidents.some(({ subject, status }) => status === 'open' && isZoneSubject(subject))
  )
}

/** Whether an incident is about the zone and not about answers. */
export function isZoneSubject(subject: string): subject is ZoneSubject {
  return subject === 'parent_ns' || subject === 'parent_ds' || subject === 'serials'
}

/** Judges what a round says about the zone; nothing where it was not asked. */
export function judgeZone(step: MonitorStep): void {
  const { zone: facts } = step.round
  if (facts === undefined) return
  const known = step.profile.zone
  const base: ZoneProfile =
    known?.zone === facts.zone
      ? known
      : { zone: facts.zone, ns: null, ds: null, pending: { ns: null, ds: null }, serialsDifferSinceMs: null }
  const ns = judgeSet(step, 'parent_ns', base.ns, facts.parentNs, base.pending.ns)
  const ds = judgeSet(step, 'parent_ds', base.ds, facts.parentDs, base.pending.ds)
  const serials = new Set(facts.serials.map(({ serial }) => serial))
  const differSinceMs = serials.size > 1 ? (base.serialsDifferSinceMs ?? step.round.atMs) : null
  const zone: ZoneProfile = {
    zone: facts.zone,
    ns: ns.known,
    ds: ds.known,
    pending: { ns: ns.pending, ds: ds.pending },
    serialsDifferSinceMs: facts.serials.length < 2 ? base.serialsDifferSinceMs : differSinceMs,
  }
  step.profile = { ...step.profile, zone }
  judgeSerials(step, zone, facts)
}

/** What an incident about the zone brought is right: it is known from now on. */
export function acceptZone(
  zone: ZoneProfile | undefined,
  subject: ZoneSubject,
  units: Readonly<Record<string, KnownUnit>>,
): ZoneProfile | undefined {
  const newest = Object.keys(units).at(-1)
  if (zone === undefined || newest === undefined || subject === 'serials') return zone
  const set = newest === NOTHING ? [] : newest.split('\n')
  const pending = { ...zone.pending, [subject === 'parent_ns' ? 'ns' : 'ds']: null }
  return subject === 'parent_ns' ? { ...zone, ns: set, pending } : { ...zone, ds: set, pending }
}

interface JudgedSet {
  readonly known: readonly string[] | null
  readonly pending: string | null
}

function judgeSet(
  step: MonitorStep,
  subject: 'parent_ns' | 'parent_ds',
  known: readonly string[] | null,
  said: readonly string[] | null,
  pending: string | null,
): JudgedSet {
  if (said === null) return { known, pending }
  if (known === null) return { known: said, pending: null }
  const text = toText(said)
  const isSame = text === toText(known)
  const { atMs } = step.round
  const unit = { text, asn: null, country: null, prefix: null, isBogus: false, zone: null }
  const expected = [...step.monitored.expect, ...step.monitored.approve]
  const identity = { monitor: formatMonitorKey(step.monitored), subject, resolver: null } as const
  if (!isSame && said.length > 0 && isExpected(unit, expected, atMs)) {
    acceptOpenIncident(step, identity)
    return { known: said, pending: null }
  }
  const isConfirmed = !isSame && pending === text
  if (!isConfirmed && findOpenIncident(step, identity) === undefined) return { known, pending: isSame ? null : text }
  const item = {
    firstSeenMs: atMs,
    lastSeenMs: atMs,
    resolvers: [],
    asn: null,
    prefix: null,
    country: null,
    zone: null,
  }
  const sighting = sightingOf(step, !isSame, isSame ? {} : { [text]: item }, 'critical', !isSame)
  const moved = applySighting(step, identity, { ...sighting, known: [toText(known)] })
  return moved.isChanged ? { known: said, pending: null } : { known, pending: isSame ? null : text }
}

function judgeSerials(step: MonitorStep, { serialsDifferSinceMs }: ZoneProfile, { serials }: ZoneFacts): void {
  const identity = { monitor: formatMonitorKey(step.monitored), subject: 'serials', resolver: null } as const
  const isShown = serialsDifferSinceMs !== null && step.round.atMs - serialsDifferSinceMs > HOUR_MS
  if (!isShown && findOpenIncident(step, identity) === undefined) return
  const { atMs } = step.round
  const item = { firstSeenMs: atMs, lastSeenMs: atMs, asn: null, prefix: null, country: null, zone: null }
  const units = Object.fromEntries(
    serials.map(({ server, serial }) => [`${server} ${serial}`, { ...item, resolvers: [server] }]),
  )
  applySighting(step, identity, sightingOf(step, isShown, isShown ? units : {}, 'low', false))
}

function toText(set: readonly string[]): string {
  return set.length === 0 ? NOTHING : set.join('\n')
}
