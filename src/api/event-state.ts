/**
 * What a reader of events is told beside results: where the run stands, incidents and the schedule, each when it has
 * changed since that reader was told.
 */
import type { ExitIncident } from '../model/incident.ts'
import type { EventHub } from './event-hub.ts'

const INCIDENTS_PER_CHUNK_MAX = 100

/** What one reader knows beside results. */
export interface EventState {
  /** The id of an event, with the place of the last change of an incident that the reader knows. */
  idOf(runId: string | null, index: number): string
  /** Events about what has changed; empty when nothing has. */
  take(runId: string | null, index: number): string
}

/** @param lastMark - What the reader knows of incidents; `undefined` is the present. */
export function createEventState(hub: EventHub, lastMark: string | undefined): EventState {
  let mark = lastMark
  let sentRun = ''
  let sentSchedule = ''
  let sentMonitor = ''
  const idOf = (runId: string | null, index: number): string =>
    `${runId ?? ''}.${index}${mark === undefined ? '' : `~${mark}`}`
  const takeIncidents = (runId: string | null, index: number): string => {
    if (hub.incidents === undefined) return ''
    mark ??= hub.incidents.newest()
    const changes = (mark === undefined ? undefined : hub.incidents.after(mark)) ?? []
    const lines = changes.slice(0, INCIDENTS_PER_CHUNK_MAX).map((change) => {
      mark = change.mark
      return formatEvent('incident', idOf(runId, index), formatIncident(change.incident))
    })
    return lines.join('')
  }
  return {
    idOf,
    take: (runId, index) => {
      const run = hub.describeRun()
      const schedule = hub.describeSchedule()
      const monitor = hub.describeMonitor()
      const text =
        takeIncidents(runId, index) +
        (run === sentRun ? '' : formatEvent('run', idOf(runId, index), run)) +
        (schedule === sentSchedule ? '' : formatEvent('schedule', null, schedule)) +
        (monitor === sentMonitor ? '' : formatEvent('monitor', null, monitor))
      sentRun = run
      sentSchedule = schedule
      sentMonitor = monitor
      return text
    },
  }
}

/** Writes one event. JSON has no line feeds outside strings and escapes those inside, so the data is always one line. */
export function formatEvent(event: string, id: string | null, data: string): string {
  return `event: ${event}\n${id === null ? '' : `id: ${id}\n`}data: ${data}\n\n`
}

function formatIncident(incident: ExitIncident): string {
  return JSON.stringify({
    id: incident.id,
    status: incident.status,
    exit_fingerprint: incident.fingerprint,
    address_family: incident.family,
    severity: incident.severity,
    failure_type: incident.failureType,
    consecutive_count: incident.consecutiveCount,
    opened_at: incident.openedAt,
    closed_at: incident.closedAt,
  })
}
