/**
 * What pages and the API see of the Worker: the port of `model/monitor-view.ts` over what KV has. Of rounds that is the newest of
 * each name; of incidents, the open ones and those of the last hour.
 *
 * **Invariant**: judges nothing of its own. Reading is of one moment: everything was read before the request is answered.
 */
import type { Clock } from '../core/clock.ts'
import { ALERT_SEVERITIES } from '../model/alert.ts'
import { formatMonitorKey, type MonitoredName } from '../model/monitor-name.ts'
import type { Acknowledgement, MonitorIncident } from '../model/monitor-state.ts'
import {
  MONITOR_STANDINGS,
  type CheckedName,
  type MonitorChange,
  type MonitorSource,
  type MonitorSummary,
  type NamedIncident,
  type NameView,
  type SeenRound,
} from '../model/monitor-view.ts'
import { describeIncident } from '../verdicts/monitor-incident.ts'
import { isLearning, observeMode } from '../verdicts/monitor-profile.ts'
import { recommendFor } from '../verdicts/monitor-recommend.ts'
import type { RememberedName, RememberedRound, WorkerIndex } from './worker-memory.ts'

/** What KV holds without paying, in octets. */
const STORAGE_OCTETS = 1_000_000_000

/** Everything that was read. */
export interface WorkerSnapshot {
  readonly names: readonly MonitoredName[]
  readonly index: WorkerIndex
  /** By key. */
  readonly remembered: ReadonlyMap<string, RememberedName>
  readonly usedOctets: number
}

/** What orders lead to. */
export interface WorkerOrders {
  check(keys: readonly string[]): Promise<readonly CheckedName[]>
  acknowledge(keyStart: string, acknowledgement: Acknowledgement, isAccepted: boolean): Promise<number>
}

/** Makes the port. `snapshot` and `orders` give those of the request that is being answered. */
export function createWorkerSource(
  clock: Clock,
  snapshot: () => WorkerSnapshot,
  orders: () => WorkerOrders,
): MonitorSource {
  const views = (): readonly NameView[] =>
    snapshot().names.map((name) => toView(name, snapshot().remembered, clock.wallNowMs()))
  const incidents = (): readonly NamedIncident[] => listIncidents(snapshot())
  const roundsOf = (key: string): readonly SeenRound[] => {
    const last = snapshot().remembered.get(key)?.last ?? null
    return last === null ? [] : [toSeenRound(last)]
  }
  return {
    names: views,
    summary: () => summarize(snapshot(), views()),
    name: (key) => views().find((view) => view.key === key),
    rounds: (key, sinceMs, limit) =>
      Promise.resolve(
        roundsOf(key)
          .filter(({ untilMs }) => untilMs >= sinceMs)
          .slice(0, limit),
      ),
    hours: () => Promise.resolve([]),
    changes: (key, limit) => Promise.resolve(listChanges(snapshot(), key).slice(0, limit)),
    incidents: ({ status, sinceMs, key, limit }) =>
      Promise.resolve(
        incidents()
          .filter(
            ({ key: own, incident }) =>
              (key === undefined || own === key) &&
              (status === undefined || (incident.status === 'open') === (status === 'open')) &&
              (sinceMs === undefined || (incident.closedAtMs ?? Infinity) >= sinceMs),
          )
          .slice(0, limit),
      ),
    incident: (id) => Promise.resolve(incidents().find((named) => named.id === id)),
    check: (keys) => orders().check(keys),
    acknowledge: (keyStart, acknowledgement, isAccepted) => orders().acknowledge(keyStart, acknowledgement, isAccepted),
  }
}

/** A remembered round, as pages show it. */
export function toSeenRound({ atMs, class: roundClass, answers }: RememberedRound): SeenRound {
  return { atMs, untilMs: atMs, count: 1, class: roundClass, answers }
}

function toView(monitored: MonitoredName, remembered: WorkerSnapshot['remembered'], nowMs: number): NameView {
  const key = formatMonitorKey(monitored)
  const known = remembered.get(key)
  const open = (known?.state.incidents ?? [])
    .filter(({ status }) => status === 'open')
    .toSorted((a, b) => ALERT_SEVERITIES.indexOf(b.severity) - ALERT_SEVERITIES.indexOf(a.severity))
  const isYoung = known === undefined || (monitored.mode === 'auto' && isLearning(known.state.profile, nowMs))
  const last = known?.last ?? null
  return {
    key,
    monitored,
    standing: standingOf(open.length > 0, last, isYoung),
    observedMode: known === undefined ? 'unknown' : observeMode(known.state.profile),
    isLearning: isYoung,
    profile: known?.state.profile ?? null,
    last: last === null ? null : toSeenRound(last),
    open,
  }
}

function standingOf(isOpen: boolean, last: RememberedRound | null, isYoung: boolean): NameView['standing'] {
  if (isOpen) return 'incident'
  if (last === null) return 'waiting'
  if (last.class === 'K6') return 'unanswered'
  return isYoung ? 'learning' : 'steady'
}

function summarize({ index, remembered, usedOctets }: WorkerSnapshot, views: readonly NameView[]): MonitorSummary {
  const counts = MONITOR_STANDINGS.map((each) => [each, views.filter(({ standing }) => standing === each).length])
  const known = [...remembered.values()]
  const lastRoundMs = Math.max(0, ...known.map(({ last }) => last?.atMs ?? 0))
  return {
    names: views.length,
    standings: Object.fromEntries(counts) as MonitorSummary['standings'],
    downSinceMs: index.downSinceMs,
    lastRoundMs: lastRoundMs === 0 ? null : lastRoundMs,
    rounds: Math.round(known.reduce((sum, { state }) => sum + state.profile.rounds, 0)),
    startedMs: Math.min(...known.map(({ state }) => state.profile.baselineAtMs ?? Infinity), index.writtenAtMs),
    usedOctets,
    budgetOctets: STORAGE_OCTETS,
    problems: [],
  }
}

/** Newest first. */
function listIncidents({ names, remembered }: WorkerSnapshot): readonly NamedIncident[] {
  const all = names.flatMap((monitored) => {
    const key = formatMonitorKey(monitored)
    return (remembered.get(key)?.state.incidents ?? []).map((incident) => ({
      id: formatIncidentId(incident),
      key,
      monitored,
      incident,
      title: describeIncident(key, incident),
      recommendation: recommendFor(incident, monitored.type),
    }))
  })
  return all.toSorted((a, b) => b.incident.openedAtMs - a.incident.openedAtMs)
}

/** `monitor-KEY16-OPENED`, as in the daemon. */
function formatIncidentId({ key, openedAtMs }: MonitorIncident): string {
  return `monitor-${key.slice(0, 16)}-${Math.round(openedAtMs)}`
}

/** When values became known and incidents began and ended, newest first. */
function listChanges({ names, remembered }: WorkerSnapshot, wanted: string | null): readonly MonitorChange[] {
  const changes = names.flatMap((monitored): readonly MonitorChange[] => {
    const key = formatMonitorKey(monitored)
    const known = wanted === null || wanted === key ? remembered.get(key) : undefined
    if (known === undefined) return []
    const learned = Object.entries(known.state.profile.units).map(([text, { firstSeenMs: atMs }]): MonitorChange => ({
      key,
      atMs,
      kind: 'learned',
      severity: 'info',
      channel: 'digest',
      text,
    }))
    const told = known.state.incidents.flatMap((incident): readonly MonitorChange[] => {
      const { severity, channel, openedAtMs, closedAtMs } = incident
      const text = describeIncident(key, incident)
      return [
        { key, atMs: openedAtMs, kind: 'new', severity, channel, text },
        ...(closedAtMs === null
          ? []
          : [{ key, atMs: closedAtMs, kind: 'recovered' as const, severity, channel, text }]),
      ]
    })
    return [...learned, ...told]
  })
  return changes.toSorted((a, b) => b.atMs - a.atMs)
}
