/** Whether the Worker does its work: the answer of `/status`. */
import { formatIsoTime } from '../core/clock.ts'
import type { WorkerConfig } from './worker-config.ts'
import { writesPerDay } from './worker-limits.ts'
import type { WorkerIndex } from './worker-memory.ts'

/** The answer of `/status`. */
export interface WorkerHealth {
  /** `stale`: the cron seems to stand still. */
  readonly status: 'ok' | 'waiting' | 'down' | 'stale'
  readonly service: 'candor-monitor'
  readonly now: string
  readonly names: number
  readonly plan: string
  /** `null` where nobody is told. */
  readonly channel: 'telegram' | null
  readonly waiting_messages: number
  readonly confirming: number
  readonly vantage_down_since: string | null
  readonly last_write_at: string | null
  readonly urgent_writes_today: number
  readonly writes_per_day_max: number
}

/** What can wait is written within an hour or two, even of a thousand names. */
const STALE_MS = 4 * 3_600_000

/** Composes the health. `lastWriteMs`: when something was written last, or `null`. */
export function composeHealth(
  {
    config,
    channel,
    nowMs,
  }: { readonly config: WorkerConfig; readonly channel: object | null; readonly nowMs: number },
  index: WorkerIndex,
  lastWriteMs: number | null,
): WorkerHealth {
  const { plan, planName, limits } = config
  const { writes, downSinceMs } = index
  const isStale = lastWriteMs !== null && nowMs - lastWriteMs > STALE_MS
  return {
    status: downSinceMs !== null ? 'down' : lastWriteMs === null ? 'waiting' : isStale ? 'stale' : 'ok',
    service: 'candor-monitor',
    now: formatIsoTime(nowMs),
    names: plan.names.length,
    plan: planName,
    channel: channel === null ? null : 'telegram',
    waiting_messages: index.outbox.length,
    confirming: index.confirming.length,
    vantage_down_since: downSinceMs === null ? null : formatIsoTime(downSinceMs),
    last_write_at: lastWriteMs === null ? null : formatIsoTime(lastWriteMs),
    urgent_writes_today: writes.day === formatIsoTime(nowMs).slice(0, 10) ? writes.count : 0,
    writes_per_day_max: writesPerDay(limits),
  }
}
