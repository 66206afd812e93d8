/**
 * Acknowledging an incident: somebody takes care, or says that what is new is right.
 *
 * **Invariant**: pure; an acknowledgement clears itself at its end, and with the incident.
 */
import { formatMonitorKey, type MonitoredName } from '../model/monitor-name.ts'
import type { Acknowledgement, MonitorNotice, MonitorState } from '../model/monitor-state.ts'
import { closeAsChanged } from './monitor-incident.ts'
import { learnUnits } from './monitor-profile.ts'
import { acceptZone, isZoneSubject } from './monitor-zone.ts'

/** What came of it. */
export interface AcknowledgedState {
  readonly state: MonitorState
  readonly notices: readonly MonitorNotice[]
  /** How many open incidents it met. */
  readonly count: number
}

/** Acknowledges open incidents whose key begins with `keyStart`; `isAccepted`: what is new is learned. */
export function acknowledgeIncidents(
  before: MonitorState,
  monitored: MonitoredName,
  keyStart: string,
  acknowledgement: Acknowledgement,
  isAccepted: boolean,
  nowMs: number,
): AcknowledgedState {
  let { profile } = before
  const notices: MonitorNotice[] = []
  let count = 0
  const incidents = before.incidents.map((incident) => {
    if (incident.status !== 'open' || !incident.key.startsWith(keyStart)) return incident
    count += 1
    if (!isAccepted) return { ...incident, acknowledgement }
    const { subject, resolver } = incident
    const closed = closeAsChanged({ monitor: formatMonitorKey(monitored), subject, resolver }, incident, nowMs)
    if (isZoneSubject(subject)) {
      const zone = acceptZone(profile.zone, subject, incident.units)
      profile = { ...profile, ...(zone === undefined ? {} : { zone }) }
    } else profile = learnUnits(profile, incident.units)
    notices.push(...closed.notices)
    return closed.incident
  })
  return { state: { ...before, profile, incidents }, notices, count }
}
