/**
 * What pages and programs see of a watch: the port of `model/monitor-view.ts` over plan, archive and watch.
 *
 * **Invariant**: judges nothing of its own; modes, classes and incidents are those of `verdicts/`.
 */
import type { Clock } from '../core/clock.ts'
import { ALERT_SEVERITIES } from '../model/alert.ts'
import { formatMonitorKey, type MonitoredName, type MonitorPlan } from '../model/monitor-name.ts'
import type { MonitorIncident } from '../model/monitor-state.ts'
import {
  MONITOR_STANDINGS,
  type MonitorSource,
  type MonitorStanding,
  type MonitorSummary,
  type NamedIncident,
  type NameView,
} from '../model/monitor-view.ts'
import type { MonitorArchive } from '../store/monitor-archive.node.ts'
import { acknowledgeIncidents } from '../verdicts/monitor-acknowledge.ts'
import { describeIncident } from '../verdicts/monitor-incident.ts'
import { createMonitorState, isLearning, observeMode } from '../verdicts/monitor-profile.ts'
import { recommendFor } from '../verdicts/monitor-recommend.ts'
import type { MonitorWatch } from './monitor-watch.ts'

/** Beyond this the file is said to be nearly full. */
const NEARLY_FULL = 0.8

/** What goes on; absent parts are those of a daemon that watches nothing. */
export interface WatchedParts {
  readonly plan: MonitorPlan
  readonly archive: MonitorArchive
  readonly watch: MonitorWatch
  readonly budgetOctets: number
}

/** Makes the port. `current`: what goes on just now; `undefined` while nothing is watched. */
export function createMonitorSource(
  clock: Clock,
  current: () => WatchedParts | undefined,
  problems: () => readonly string[],
): MonitorSource {
  const startedMs = clock.wallNowMs()
  const find = (key: string): MonitoredName | undefined =>
    current()?.plan.names.find((name) => formatMonitorKey(name) === key)
  const viewOf = (parts: WatchedParts, name: MonitoredName): NameView => toView(parts.archive, name, clock.wallNowMs())
  const names = (): readonly NameView[] => {
    const parts = current()
    return parts === undefined ? [] : parts.plan.names.map((name) => viewOf(parts, name))
  }
  const toNamed = ({ key, incident }: { readonly key: string; readonly incident: MonitorIncident }): NamedIncident => ({
    id: formatIncidentId(incident),
    key,
    monitored: find(key) ?? null,
    incident,
    title: describeIncident(key, incident),
    recommendation: recommendFor(incident, find(key)?.type ?? 'A'),
  })
  return {
    names,
    summary: () => summarize(current(), names(), startedMs, problems()),
    name: (key) => {
      const [parts, name] = [current(), find(key)]
      return parts === undefined || name === undefined ? undefined : viewOf(parts, name)
    },
    rounds: async (key, sinceMs, limit) => current()?.archive.rounds(key, sinceMs, limit) ?? [],
    hours: async (key, sinceMs, limit) => current()?.archive.hours(key, sinceMs, limit) ?? [],
    changes: async (key, limit) => current()?.archive.changes(key, 0, limit) ?? [],
    incidents: async (query) => {
      flushPressing(current())
      return (current()?.archive.incidents(query) ?? []).map(toNamed)
    },
    incident: async (id) => {
      flushPressing(current())
      const [, keyStart = '', openedMs = ''] = /^monitor-([\da-f]{16})-(\d{1,16})$/.exec(id) ?? []
      const found = keyStart === '' ? undefined : current()?.archive.incident(keyStart, Number(openedMs))
      return found === undefined ? undefined : toNamed(found)
    },
    check: (keys) => current()?.watch.check(keys) ?? Promise.resolve([]),
    acknowledge: async (keyStart, acknowledgement, isAccepted) => {
      const parts = current()
      if (parts === undefined) return 0
      let total = 0
      for (const name of parts.plan.names) {
        const key = formatMonitorKey(name)
        const state = parts.archive.states.peek(key)
        if (state?.incidents.some((each) => each.status === 'open' && each.key.startsWith(keyStart)) !== true) continue
        const { notices, count } = await parts.archive.states.update(key, (before) => {
          const start = before ?? createMonitorState()
          const done = acknowledgeIncidents(start, name, keyStart, acknowledgement, isAccepted, clock.wallNowMs())
          return { state: done.state, result: done }
        })
        for (const notice of notices) await parts.watch.tell(notice, name)
        total += count
      }
      parts.archive.flush(false)
      return total
    },
  }
}

/** So that a list shows what was told a moment ago. */
function flushPressing(parts: WatchedParts | undefined): void {
  if (parts?.archive.isPressing() === true) parts.archive.flush(false)
}

/** `monitor-KEY16-OPENED`. */
function formatIncidentId({ key, openedAtMs }: MonitorIncident): string {
  return `monitor-${key.slice(0, 16)}-${Math.round(openedAtMs)}`
}

function toView(archive: MonitorArchive, monitored: MonitoredName, nowMs: number): NameView {
  const key = formatMonitorKey(monitored)
  const state = archive.states.peek(key)
  const last = archive.newestRound(key) ?? null
  const open = (state?.incidents ?? [])
    .filter(({ status }) => status === 'open')
    .toSorted((a, b) => ALERT_SEVERITIES.indexOf(b.severity) - ALERT_SEVERITIES.indexOf(a.severity))
  const learning = state === undefined || (monitored.mode === 'auto' && isLearning(state.profile, nowMs))
  const standing: MonitorStanding =
    open.length > 0
      ? 'incident'
      : last === null
        ? 'waiting'
        : last.class === 'K6'
          ? 'unanswered'
          : learning
            ? 'learning'
            : 'steady'
  return {
    key,
    monitored,
    standing,
    observedMode: state === undefined ? 'unknown' : observeMode(state.profile),
    isLearning: learning,
    profile: state?.profile ?? null,
    last,
    open,
  }
}

function summarize(
  parts: WatchedParts | undefined,
  names: readonly NameView[],
  startedMs: number,
  problems: readonly string[],
): MonitorSummary {
  const counts = MONITOR_STANDINGS.map((each) => [each, names.filter(({ standing }) => standing === each).length])
  const usedOctets = parts?.archive.usedOctets() ?? 0
  const budgetOctets = parts?.budgetOctets ?? 0
  const writing = parts?.watch.problem() ?? null
  const share = budgetOctets === 0 ? 0 : usedOctets / budgetOctets
  const full = `The monitor takes ${Math.round(share * 100)} % of monitor.disk_budget.`
  return {
    names: names.length,
    standings: Object.fromEntries(counts) as MonitorSummary['standings'],
    downSinceMs: parts?.watch.downSinceMs() ?? null,
    lastRoundMs: parts?.watch.lastRoundMs() ?? null,
    rounds: parts?.watch.rounds() ?? 0,
    startedMs,
    usedOctets,
    budgetOctets,
    problems: [...problems, ...(writing === null ? [] : [writing]), ...(share >= NEARLY_FULL ? [full] : [])],
  }
}
