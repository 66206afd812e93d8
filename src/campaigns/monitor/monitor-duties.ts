/**
 * What a watch does beside its rounds: a heartbeat to an address that misses it when we are gone, and once a day a message
 * that proves that messages arrive.
 *
 * Invariant: no heartbeat leaves while this vantage reaches nobody. A heartbeat that fails is told once, until one
 * succeeds.
 */
import type { MonitorPlan } from '../../model/monitor-name.ts'
import { NO_MONITOR_EXTRAS } from '../../model/monitor-name.ts'
import type { MonitorRunOptions, WatchCapabilities } from './watch-options.ts'

const HEARTBEAT_MS = 60_000
const HEARTBEAT_TIMEOUT_MS = 10_000
const BODY_OCTETS_MAX = 65_536
/** So many in a row are told. */
const FAILURES = 3
const DAY_MS = 86_400_000

/** The duties of a watch. */
export interface MonitorDuties {
  /** When the next is due, monotonic milliseconds; infinity for none. */
  dueAtMs(): number
  /** Does what is due. */
  run(): Promise<void>
  /** From now on those of another plan. */
  follow(plan: MonitorPlan): void
}

/** Prepares them. @param isWell - Whether this vantage reaches resolvers. */
export function createDuties(
  { clock, http }: WatchCapabilities,
  { plan, tell }: Pick<MonitorRunOptions, 'plan' | 'tell'>,
  isWell: () => boolean,
): MonitorDuties {
  let { extras = NO_MONITOR_EXTRAS } = plan
  let heartbeatAtMs = clock.nowMs() + HEARTBEAT_MS
  let selfTestAtMs = clock.nowMs() + untilMinute(extras.selfTestMinute, clock.wallNowMs())
  let failures = 0
  let isTold = false
  const beat = async (url: string): Promise<void> => {
    const request = { method: 'GET', url, timeoutMs: HEARTBEAT_TIMEOUT_MS, bodyOctetsMax: BODY_OCTETS_MAX } as const
    const reply = await http?.request(request)
    const isTaken = reply?.kind === 'response' && reply.status < 400
    failures = isTaken ? 0 : failures + 1
    if (isTaken) isTold = false
  }
  return {
    dueAtMs: () =>
      Math.min(selfTestAtMs, extras.heartbeatUrl === null || http === undefined ? Infinity : heartbeatAtMs),
    run: async () => {
      const nowMs = clock.nowMs()
      const atMs = Math.round(clock.wallNowMs())
      if (extras.heartbeatUrl !== null && http !== undefined && heartbeatAtMs <= nowMs) {
        heartbeatAtMs = nowMs + HEARTBEAT_MS
        if (isWell()) void beat(extras.heartbeatUrl)
      }
      if (failures >= FAILURES && !isTold) {
        isTold = true
        const title = 'the address of the heartbeat takes none: who waits for it hears nothing of us'
        await tell({ event: 'info', channel: 'availability', severity: 'medium', atMs, title, incident: null }, null)
      }
      if (selfTestAtMs > nowMs) return
      selfTestAtMs = nowMs + untilMinute(extras.selfTestMinute, atMs)
      const title = 'the daily test: messages of the monitor arrive'
      await tell({ event: 'test', channel: 'availability', severity: 'info', atMs, title, incident: null }, null)
    },
    follow: (next) => {
      extras = next.extras ?? NO_MONITOR_EXTRAS
      selfTestAtMs = clock.nowMs() + untilMinute(extras.selfTestMinute, clock.wallNowMs())
    },
  }
}

/** Milliseconds until a minute of the day (UTC) comes next; infinity for none. */
function untilMinute(minute: number | null, wallMs: number): number {
  if (minute === null) return Infinity
  const passedMs = (wallMs - minute * 60_000) % DAY_MS
  return DAY_MS - passedMs
}
