/**
 * What pages and programs see of the Worker: everything that KV has, as one record.
 *
 * Format: docs/manual/worker.md
 */
import { formatIsoTime } from '../core/clock.ts'
import type { MonitorIncident } from '../model/monitor-state.ts'
import { isLearning, observeMode } from '../verdicts/monitor-profile.ts'
import { layOutNames, classesOf } from './plan-minute.ts'
import type { KvNamespace } from './subrequests.ts'
import type { WorkerConfig } from './worker-config.ts'
import { findStretch, writesPerDay } from './worker-limits.ts'
import type { RememberedAnswer, RememberedName, WorkerBatch, WorkerIndex, WorkerMemory } from './worker-memory.ts'

/** How a name stands. */
export type NameStanding = 'incident' | 'unanswered' | 'learning' | 'steady' | 'waiting'

/** An incident, for programs. */
export interface IncidentRecord {
  readonly key: string
  readonly subject: string
  readonly resolver: string | null
  readonly severity: string
  readonly status: string
  readonly opened_at: string
  readonly closed_at: string | null
  readonly values: readonly string[]
  readonly acknowledged_by: string | null
}

/** A name, for programs. */
export interface NameRow {
  readonly name: string
  readonly domain: string
  readonly record_type: string
  readonly category: string
  readonly owner: string | null
  readonly standing: NameStanding
  readonly observed_mode: string
  /** Seconds between two rounds. */
  readonly round_seconds: number
  /** What `dns:…` holds. */
  readonly ips: readonly string[]
  /** Time of that record. */
  readonly changed_at: string | null
  readonly last_round: {
    readonly at: string
    readonly class: string
    readonly answers: readonly RememberedAnswer[]
  } | null
  readonly incidents: readonly IncidentRecord[]
}

/** The answer of `/status`: whether the Worker does its work. */
export interface WorkerHealth {
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

/** Without any write for so long no invocation has run: what can wait, waits no longer than an hour on the free plan. */
const STALE_MS = 2 * 3_600_000

/** Composes the health from the index alone: one read. */
export function composeHealth(
  { plan, planName, limits }: WorkerConfig,
  index: WorkerIndex,
  lastWriteMs: number,
  hasChannel: boolean,
  nowMs: number,
): WorkerHealth {
  const isDown = index.downSinceMs !== null
  const isStale = lastWriteMs > 0 && nowMs - lastWriteMs > STALE_MS
  const { writes } = index
  return {
    status: isDown ? 'down' : lastWriteMs === 0 ? 'waiting' : isStale ? 'stale' : 'ok',
    service: 'candor-monitor',
    now: formatIsoTime(nowMs),
    names: plan.names.length,
    plan: planName,
    channel: hasChannel ? 'telegram' : null,
    waiting_messages: index.outbox.length,
    confirming: index.confirming.length,
    vantage_down_since: toTime(index.downSinceMs),
    last_write_at: toTime(lastWriteMs === 0 ? null : lastWriteMs),
    urgent_writes_today: writes.day === formatIsoTime(nowMs).slice(0, 10) ? writes.count : 0,
    writes_per_day_max: writesPerDay(limits),
  }
}

/** Reads all batches. @returns Rows in the order of the configuration. @throws {RunError} When KV cannot be read. */
export async function readNameRows(
  { plan, limits }: WorkerConfig,
  memory: WorkerMemory,
  kv: KvNamespace,
  index: WorkerIndex,
  nowMs: number,
): Promise<readonly NameRow[]> {
  const layout = layOutNames(index.batches, plan.names)
  const numbers = [...new Set(layout.names.map(({ batch }) => batch))]
  const loaded = await Promise.all(numbers.map(async (number) => [number, await memory.loadBatch(kv, number)] as const))
  const batches = new Map<number, WorkerBatch>(loaded)
  const stretch = findStretch(limits, classesOf(plan.names))
  const rows = new Map(
    layout.names.map(({ monitored, key, batch }) => {
      const known = batches.get(batch)?.names[key]
      const minutes = Math.max(1, Math.round(monitored.intervalMs / 60_000)) * stretch
      const { name, domain, type, category, owner } = monitored
      const row = { name, domain, record_type: type, category, owner, round_seconds: minutes * 60 }
      return [monitored, { ...row, ...describe(known, nowMs) }] as const
    }),
  )
  return plan.names.flatMap((monitored) => rows.get(monitored) ?? [])
}

function describe(
  known: RememberedName | undefined,
  nowMs: number,
): Pick<NameRow, 'standing' | 'observed_mode' | 'ips' | 'changed_at' | 'last_round' | 'incidents'> {
  if (known === undefined)
    return { standing: 'waiting', observed_mode: 'unknown', ips: [], changed_at: null, last_round: null, incidents: [] }
  const { state, record, last } = known
  const isOpen = state.incidents.some(({ status }) => status === 'open')
  const isUnanswered = last?.class === 'K6'
  const isYoung = isLearning(state.profile, nowMs)
  return {
    standing: isOpen ? 'incident' : isUnanswered ? 'unanswered' : isYoung ? 'learning' : 'steady',
    observed_mode: observeMode(state.profile),
    ips: record?.ips ?? [],
    changed_at: toTime(record?.timestamp ?? null),
    last_round:
      last === null
        ? null
        : {
            at: formatIsoTime(last.atMs),
            class: last.class,
            answers: last.answers,
          },
    incidents: state.incidents.map(describeIncident),
  }
}

function describeIncident(incident: MonitorIncident): IncidentRecord {
  const { key, subject, resolver, severity, status, openedAtMs, closedAtMs, units, acknowledgement } = incident
  return {
    key,
    subject,
    resolver,
    severity,
    status,
    opened_at: formatIsoTime(openedAtMs),
    closed_at: toTime(closedAtMs),
    values: Object.keys(units),
    acknowledged_by: acknowledgement?.who ?? null,
  }
}

function toTime(ms: number | null): string | null {
  return ms === null ? null : formatIsoTime(ms)
}
