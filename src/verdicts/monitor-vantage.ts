/**
 * Our own outage: when more than half of all names get no answer, the trouble is here and not with the names.
 *
 * **Invariant**: pure; while it lasts, rounds of names are judged by nobody.
 *
 * Specification: docs/detectors/monitor-incidents.md
 */
import type { MonitorNotice } from '../model/monitor-state.ts'

/** With one name there is no telling whose trouble it is. */
const NAMES_MIN = 2

/** Since when this vantage reaches nobody, Unix milliseconds; `null` while it does. */
export type VantageState = number | null

/** Judges how many of all names got no answer in their newest round. */
export function judgeVantage(
  before: VantageState,
  { names, failed }: { readonly names: number; readonly failed: number },
  nowMs: number,
): { readonly state: VantageState; readonly notices: readonly MonitorNotice[] } {
  const isDown = names >= NAMES_MIN && failed * 2 > names
  if (isDown === (before !== null)) return { state: before, notices: [] }
  const title = isDown
    ? `this vantage gets no answer for ${failed} of ${names} names; nothing is judged until it does`
    : 'this vantage gets answers again'
  const event = isDown ? 'new' : 'recovered'
  const notice = { event, channel: 'availability', severity: 'medium', atMs: nowMs, title, incident: null } as const
  return { state: isDown ? nowMs : null, notices: [notice] }
}
