/**
 * Schemas of what the monitor knows of names, as the API gives it out.
 *
 * Format: docs/formats/monitor.md
 */
import { z } from 'zod'
import { formatIsoTime } from '../core/clock.ts'
import { ALERT_SEVERITIES } from '../model/alert.ts'
import { MONITOR_TYPES } from '../model/monitor-name.ts'
import {
  MONITOR_STANDINGS,
  OBSERVED_MODES,
  type MonitorChange,
  type NamedIncident,
  type NameView,
  type SeenHour,
  type SeenRound,
} from '../model/monitor-view.ts'
import { COUNT, LINK } from './exit-schemas.ts'
import type * as records from './monitor-records.ts'

/** Where names are. */
export const MONITORS_PATH = '/api/v1/monitors'

const CLASS = z.enum(['K0', 'K1', 'K2', 'K3', 'K4', 'K5', 'K6'])
const SEVERITY = z.enum(ALERT_SEVERITIES)
const CHANNEL = z.enum(['page', 'ticket', 'digest', 'availability'])
const texts = z.array(z.string())

/** Rounds in a row in which the same was seen. */
export const SEEN_ROUND: z.ZodType<records.SeenRoundRecord> = z
  .strictObject({
    at: z.string(),
    until: z.string().describe('When the last of them was.'),
    count: COUNT,
    class: CLASS,
    answers: z.array(
      z.strictObject({
        resolver: z.string(),
        outcome: z.enum(['answer', 'nxdomain', 'nodata', 'servfail', 'failure']),
        reason: z.string().nullable(),
        values: texts,
        class: CLASS,
      }),
    ),
  })
  .meta({ id: 'MonitorRound' })

/** Hours in a row in which the same was seen, from the time before rounds are kept. */
export const SEEN_HOUR: z.ZodType<records.SeenHourRecord> = z
  .strictObject({
    from: z.string(),
    hours: COUNT,
    rounds: COUNT,
    failed: COUNT,
    class: CLASS,
    values: texts,
  })
  .meta({ id: 'MonitorHour' })

/** Something that happened. */
export const MONITOR_CHANGE: z.ZodType<records.MonitorChangeRecord> = z
  .strictObject({
    key: z.string().nullable().describe('Of the name; null for what is about the vantage.'),
    at: z.string(),
    kind: z.enum(['learned', 'new', 'ongoing', 'recovered', 'info']),
    severity: SEVERITY,
    channel: CHANNEL,
    text: z.string(),
  })
  .meta({ id: 'MonitorChange' })

const ADDRESS = z.strictObject({
  address: z.string(),
  country: z.string().nullable(),
  region: z.string().nullable(),
  asn: COUNT.nullable(),
  org: z.string().nullable(),
  ptr: z.string().nullable(),
  reputation: z.array(z.strictObject({ list: z.string(), category: z.string() })),
  score: z.number(),
  level: z.enum(['low', 'medium', 'high', 'critical']),
  reasons: texts,
  recommendation: z.string(),
})

/** An incident of a name. */
export const MONITOR_INCIDENT: z.ZodType<records.MonitorIncidentRecord> = z
  .strictObject({
    id: z.string(),
    campaign: z.literal('monitor'),
    key: z.string().describe('64 hexadecimal digits; the first 8 are enough to acknowledge it.'),
    name: z.string().describe('www.zone.example/A'),
    title: z.string(),
    subject: z.enum(['K3', 'K4', 'K5', 'diverges', 'unavailable', 'parent_ns', 'parent_ds', 'serials']),
    resolver: z.string().nullable(),
    severity: SEVERITY,
    channel: CHANNEL,
    status: z.enum(['open', 'resolved', 'changed']),
    opened_at: z.string(),
    last_seen: z.string(),
    closed_at: z.string().nullable(),
    told_at: z.string().nullable(),
    is_flapping: z.boolean(),
    asns: z.array(COUNT),
    values: texts,
    corroboration: z.strictObject({
      authoritative: z.enum(['all', 'some', 'none', 'unknown']),
      dnssec: z.enum(['validated', 'bogus', 'unknown']),
      tls: z.enum(['valid', 'invalid', 'unknown']),
      parent_ns: z.enum(['same', 'changed', 'unknown']),
      parent_ds: z.enum(['same', 'changed', 'removed', 'unknown']),
    }),
    recommendation: z.string().describe('What to do.'),
    intelligence: z.array(ADDRESS).describe('What is known about its first addresses.'),
    acknowledged: z.strictObject({ who: z.string(), note: z.string(), until: z.string() }).nullable(),
    url: LINK,
  })
  .meta({ id: 'MonitorIncident' })

const NAME_FIELDS = {
  key: z.string(),
  name: z.string().describe('What alerts show.'),
  domain: z.string(),
  record_type: z.enum(MONITOR_TYPES),
  category: z.string(),
  owner: z.string().nullable(),
  interval_ms: COUNT,
  mode: z.enum(['auto', 'pin']),
  observed_mode: z.enum(OBSERVED_MODES),
  standing: z.enum(MONITOR_STANDINGS),
  is_learning: z.boolean(),
  rounds: COUNT.describe('Rounds with an answer that the profile has seen.'),
  last_round: SEEN_ROUND.nullable(),
  open_incidents: texts.describe('Ids.'),
  url: LINK,
  page_url: LINK,
}

/** A name in a list. */
export const MONITOR_ROW: z.ZodType<records.MonitorRecord> = z.strictObject(NAME_FIELDS).meta({ id: 'Monitor' })

/** A name with its profile. */
export const MONITOR_DETAIL: z.ZodType<records.MonitorDetailRecord> = z
  .strictObject({
    ...NAME_FIELDS,
    resolvers: texts,
    expect: texts,
    baseline_at: z.string().nullable(),
    ttl_seconds: z.strictObject({ min: COUNT, max: COUNT }).nullable(),
    values: z.array(
      z.strictObject({
        value: z.string(),
        asn: COUNT.nullable(),
        prefix: z.string().nullable(),
        country: z.string().nullable(),
        first_seen: z.string(),
        last_seen: z.string(),
        resolvers: texts,
      }),
    ),
    incidents: z.array(MONITOR_INCIDENT).describe('Newest first, at most 100.'),
    rounds_url: LINK,
    hours_url: LINK,
    changes_url: LINK,
  })
  .meta({ id: 'MonitorDetail' })

/** A name as a row. */
export function formatMonitorRow(view: NameView): records.MonitorRecord {
  const { monitored, profile, last } = view
  return {
    key: view.key,
    name: monitored.name,
    domain: monitored.domain,
    record_type: monitored.type,
    category: monitored.category,
    owner: monitored.owner,
    interval_ms: monitored.intervalMs,
    mode: monitored.mode,
    observed_mode: view.observedMode,
    standing: view.standing,
    is_learning: view.isLearning,
    rounds: Math.round(profile?.rounds ?? 0),
    last_round: last === null ? null : formatSeenRound(last),
    open_incidents: view.open.map(({ key, openedAtMs }) => `monitor-${key.slice(0, 16)}-${Math.round(openedAtMs)}`),
    url: `${MONITORS_PATH}/${view.key}`,
    page_url: `/monitor/names/${view.key}`,
  }
}

/** A name with its profile and incidents. */
export function formatMonitorDetail(view: NameView, incidents: readonly NamedIncident[]): records.MonitorDetailRecord {
  const { monitored, profile } = view
  const url = `${MONITORS_PATH}/${view.key}`
  return {
    ...formatMonitorRow(view),
    resolvers: monitored.resolvers,
    expect: monitored.expect.map(({ text }) => text),
    baseline_at: toTime(profile?.baselineAtMs ?? null),
    ttl_seconds: profile === null || profile.ttl === null ? null : { min: profile.ttl.min, max: profile.ttl.max },
    values: Object.entries(profile?.units ?? {}).map(([value, unit]) => ({
      value,
      asn: unit.asn,
      prefix: unit.prefix,
      country: unit.country,
      first_seen: formatIsoTime(unit.firstSeenMs),
      last_seen: formatIsoTime(unit.lastSeenMs),
      resolvers: unit.resolvers,
    })),
    incidents: incidents.map(formatMonitorIncident),
    rounds_url: `${url}/rounds`,
    hours_url: `${url}/hours`,
    changes_url: `${url}/changes`,
  }
}

/** A round. */
export function formatSeenRound({ atMs, untilMs, ...round }: SeenRound): records.SeenRoundRecord {
  return { at: formatIsoTime(atMs), until: formatIsoTime(untilMs), ...round }
}

/** An hour. */
export function formatSeenHour({ fromMs, ...hour }: SeenHour): records.SeenHourRecord {
  return { from: formatIsoTime(fromMs), ...hour }
}

/** A change. */
export function formatMonitorChange({ atMs, ...change }: MonitorChange): records.MonitorChangeRecord {
  return { at: formatIsoTime(atMs), ...change }
}

/** An incident. */
export function formatMonitorIncident({
  id,
  key: name,
  title,
  incident,
  recommendation,
}: NamedIncident): records.MonitorIncidentRecord {
  const { acknowledgement, corroboration } = incident
  return {
    id,
    campaign: 'monitor',
    key: incident.key,
    name,
    title,
    subject: incident.subject,
    resolver: incident.resolver,
    severity: incident.severity,
    channel: incident.channel,
    status: incident.status,
    opened_at: formatIsoTime(incident.openedAtMs),
    last_seen: formatIsoTime(incident.lastSeenMs),
    closed_at: toTime(incident.closedAtMs),
    told_at: toTime(incident.toldAtMs),
    is_flapping: incident.isFlapping,
    asns: incident.asns,
    values: Object.keys(incident.units),
    corroboration: {
      authoritative: corroboration.authoritative,
      dnssec: corroboration.dnssec,
      tls: corroboration.tls,
      parent_ns: corroboration.parentNs,
      parent_ds: corroboration.parentDs,
    },
    recommendation,
    intelligence: (incident.intelligence ?? []).map((each) => ({ ...each, ptr: each.ptr ?? null })),
    acknowledged:
      acknowledgement === null
        ? null
        : { who: acknowledgement.who, note: acknowledgement.note, until: formatIsoTime(acknowledgement.untilMs) },
    url: `/api/v1/incidents/${id}`,
  }
}

function toTime(atMs: number | null): string | null {
  return atMs === null ? null : formatIsoTime(atMs)
}
