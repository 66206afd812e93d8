/**
 * From notices of the monitor to messages for people.
 *
 * **Invariant**: pure; the id of a message follows from name, incident, event and time, so that it is told once.
 *
 * Format: docs/formats/alerts.md
 */
import { formatIsoTime, formatCompactTime } from '../core/clock.ts'
import type { AlertMessage } from '../model/alert.ts'
import { formatMonitorKey, type MonitoredName } from '../model/monitor-name.ts'
import type { AddressIntelligence, Corroboration } from '../model/monitor-round.ts'
import type { MonitorIncident, MonitorNotice } from '../model/monitor-state.ts'
import { recommendFor } from './monitor-recommend.ts'
import { hashText } from './monitor-sha256.ts'

/** Values that one message shows. */
const VALUES_MAX = 10
/** Addresses that one message says more about. */
const ADDRESSES_MAX = 3

/** Composes a message. `monitored`: what it is about; `null` for our own outage. */
export function composeMonitorMessage(notice: MonitorNotice, monitored: MonitoredName | null): AlertMessage {
  const { event, severity, atMs, title, incident, channel } = notice
  const key = monitored === null ? 'vantage' : formatMonitorKey(monitored)
  const values = Object.keys(incident?.units ?? {})
  const mark = (incident?.key ?? hashText(`${key} ${title}`)).slice(0, 16)
  return {
    id: `monitor-${formatCompactTime(atMs)}-${event}-${mark}`,
    event: event === 'info' ? 'digest' : event,
    severity,
    campaign: 'monitor',
    createdAt: formatIsoTime(atMs),
    title: monitored === null ? title : `${monitored.name}: ${title}`,
    lines: [
      ...(values.length === 0 ? [] : [`new: ${formatValues(values)}`]),
      ...(incident === null ? [] : formatBefore(incident)),
      ...(incident === null || incident.asns.length === 0 ? [] : [`AS: ${incident.asns.join(', ')}`]),
      ...(incident?.intelligence ?? []).slice(0, ADDRESSES_MAX).map(formatIntelligence),
      ...(incident === null || incident.status !== 'open' || monitored === null
        ? []
        : [`${formatCorroboration(incident.corroboration)}to do: ${recommendFor(incident, monitored.type)}`]),
      ...(incident === null ? [] : [`since ${formatIsoTime(incident.openedAtMs)}; candor monitor ack ${mark}`]),
    ],
    items: [],
    tags: [
      `channel:${channel}`,
      ...(monitored === null ? [] : [`domain:${monitored.domain}`]),
      ...(monitored === null || monitored.category === '' ? [] : [`category:${monitored.category}`]),
      ...(monitored === null || monitored.owner === null ? [] : [`owner:${monitored.owner}`]),
      ...(monitored === null ? [] : monitored.channels.map((name) => `to:${name}`)),
    ],
    contacts: [],
  }
}

function formatIntelligence({ address, country, asn, org, ptr, level, score, reasons }: AddressIntelligence): string {
  const facts = [
    ...(asn === null ? [] : [`AS${asn}${org === null ? '' : ` ${org}`}`]),
    ...(country === null ? [] : [country]),
    ...(ptr === undefined ? [] : [ptr ?? 'no PTR']),
  ]
  const why = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`
  return `${address} (${facts.join(', ')}), risk ${level} ${score}${why}`
}

/** What others said, where they said anything. */
function formatCorroboration({ authoritative, dnssec, tls }: Corroboration): string {
  const said = [
    ...(authoritative === 'unknown' ? [] : [`authoritative servers: ${authoritative}`]),
    ...(dnssec === 'unknown' ? [] : [`DNSSEC: ${dnssec}`]),
    ...(tls === 'unknown' ? [] : [`certificate: ${tls}`]),
  ]
  return said.length === 0 ? '' : `${said.join(', ')}; `
}

/** Values on one line: the records of a set stand beside each other. */
function formatValues(values: readonly string[]): string {
  return values
    .slice(0, VALUES_MAX)
    .map((value) => value.replaceAll('\n', ' + '))
    .join(', ')
}

/** What was there before; of a resolver that diverges, and of a name without answer, what everybody says. */
function formatBefore({ subject, previous = [], answers = [] }: MonitorIncident): readonly string[] {
  if (subject === 'serials') return []
  const before = previous.length === 0 ? [] : [`before: ${formatValues(previous)}`]
  return subject === 'diverges' || subject === 'unavailable' ? [...before, ...answers] : before
}
