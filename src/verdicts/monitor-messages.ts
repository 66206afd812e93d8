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
import type { MonitorNotice } from '../model/monitor-state.ts'
import { hashText } from './monitor-sha256.ts'

/** Values that one message shows. */
const VALUES_MAX = 10

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
      ...(values.length === 0 ? [] : [`new: ${values.slice(0, VALUES_MAX).join(', ')}`]),
      ...(incident === null || incident.asns.length === 0 ? [] : [`AS: ${incident.asns.join(', ')}`]),
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
