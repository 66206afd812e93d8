/**
 * What an invocation does beside its rounds: a heartbeat to an address that misses it when the cron stands still, and once a day
 * a message that proves that messages arrive.
 *
 * **Invariant**: no heartbeat leaves while the Worker reaches nobody.
 */
import { NO_MONITOR_EXTRAS, type MonitorPlan } from '../model/monitor-name.ts'
import type { MonitorNotice } from '../model/monitor-state.ts'
import type { HttpClient } from '../net/http-client.ts'

const MINUTE_MS = 60_000
const DAY_MINUTES = 1_440
const TIMEOUT_MS = 10_000
const BODY_OCTETS_MAX = 65_536

/** Says that the Worker lives. Whether it was heard is for who listens to notice. */
export async function sendHeartbeat({ extras = NO_MONITOR_EXTRAS }: MonitorPlan, http: HttpClient): Promise<void> {
  if (extras.heartbeatUrl === null) return
  const request = { url: extras.heartbeatUrl, timeoutMs: TIMEOUT_MS, bodyOctetsMax: BODY_OCTETS_MAX } as const
  await http.request({ method: 'GET', ...request })
}

/** The daily test, when it is its minute. */
export function listDailyTest({ extras = NO_MONITOR_EXTRAS }: MonitorPlan, atMs: number): readonly MonitorNotice[] {
  const minute = Math.floor(atMs / MINUTE_MS) % DAY_MINUTES
  if (extras.selfTestMinute !== minute) return []
  const title = 'the daily test: messages of the monitor arrive'
  return [{ event: 'test', channel: 'availability', severity: 'info', atMs, title, incident: null }]
}
