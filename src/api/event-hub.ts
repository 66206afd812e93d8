/**
 * What all event streams of a server share: one subscription, the order of finishing, and what late readers need.
 *
 * Invariant: what is kept does not grow with the number of readers or of runs.
 */
import type { Clock } from '../core/clock.ts'
import type { CampaignState, DaemonControl } from '../model/daemon-control.ts'
import type { ExitArchive } from '../model/exit-archive.ts'
import type { ExitRunView, RunViewSource } from '../model/run-view.ts'
import type { MonitorSource } from '../model/monitor-view.ts'
import { createIncidentFeed, type IncidentFeed } from './incident-feed.ts'
import type { IncidentSource } from './incidents-resource.ts'
import { createMonitorPulse, type MonitorPulse } from './monitor-pulse.ts'
import { createRunEventLog, isFinished, toFinished, type LoggedRun } from './run-event-log.ts'
import { summarizeRun } from './run-summary.ts'

/** Where events come from. */
export interface EventSources {
  readonly runs: RunViewSource
  readonly clock: Clock
  readonly archive?: ExitArchive | undefined
  readonly control?: Pick<DaemonControl, 'campaigns'> | undefined
  readonly incidents?: IncidentSource | undefined
  readonly monitor?: Pick<MonitorSource, 'names'> | undefined
  /** Fingerprints of a run that has ended, in order of finishing; `undefined` when that is not known any more. */
  readonly finishOrder?: ((runId: string) => Promise<readonly string[] | undefined>) | undefined
}

/** The shared part. */
export interface EventHub {
  /** Calls back after each change. @returns A function that ends it. */
  join(onChange: () => void): () => void
  view(): ExitRunView
  /** The run at hand, as far as its order is known. */
  live(): LoggedRun | undefined
  /** A run with all its finished relays in order; `undefined` when there is none, or its order is not known. */
  resolve(runId: string): Promise<LoggedRun | undefined>
  /** Ids of kept runs after one, earliest first; at most {@link RUNS_REPLAYED_MAX} + 1, the newest ones. */
  runsAfter(runId: string): Promise<readonly string[]>
  /** Id of the newest kept run. */
  newestKept(): Promise<string | undefined>
  /** Where a run stands, as JSON. */
  describeRun(): string
  describeEndedRun(runId: string): Promise<string | undefined>
  /** What is planned, as JSON; empty where nothing is known of that. */
  describeSchedule(): string
  /** How watched names stand, as JSON; empty where none is. */
  describeMonitor(): string
  /** Changes of incidents; absent where there are none to be told. */
  readonly incidents: IncidentFeed | undefined
}

/** A reader who missed more runs than this is told so, and reads them as lists. */
export const RUNS_REPLAYED_MAX = 4

/** Runs whose order was read back and is kept for the next reader. */
const RESOLVED_MAX = 4

/** Makes the shared part. */
export function createEventHub(sources: EventSources): EventHub {
  const { runs, archive, control } = sources
  const log = createRunEventLog()
  const incidents = sources.incidents === undefined ? undefined : createIncidentFeed(sources.incidents, sources.clock)
  const pulse = sources.monitor === undefined ? undefined : createMonitorPulse(sources.monitor, sources.clock)
  const readers = new Set<() => void>()
  const resolved = new Map<string, Promise<LoggedRun | undefined>>()
  let unsubscribe = (): void => {}
  let stopFeed = (): void => {}
  let described: string | undefined
  /** A run whose journal knows better is read back from it. */
  const whereOrdered = (run: LoggedRun | undefined): LoggedRun | undefined =>
    run?.isTailSorted === true && sources.finishOrder !== undefined ? undefined : run
  const onChange = (): void => {
    described = undefined
    log.follow(runs.view())
    for (const notify of readers) notify()
  }
  return {
    incidents,
    join: (notify) => {
      if (readers.size === 0) {
        unsubscribe = runs.subscribe(onChange)
        described = undefined
        // From now on the order of finishing is seen as it happens.
        log.follow(runs.view())
        stopFeed = startAll([incidents, pulse], onChange)
      }
      readers.add(notify)
      return () => {
        readers.delete(notify)
        if (readers.size > 0) return
        unsubscribe()
        stopFeed()
      }
    },
    view: () => runs.view(),
    live: () => whereOrdered(log.follow(runs.view())),
    resolve: async (runId) => {
      const logged = whereOrdered(log.find(runId))
      if (logged !== undefined) return logged
      const found = resolved.get(runId) ?? readBack(sources, runId)
      resolved.delete(runId)
      resolved.set(runId, found)
      const [oldest] = resolved.keys()
      if (resolved.size > RESOLVED_MAX && oldest !== undefined) resolved.delete(oldest)
      // What is not there now may be there later: a run that is resumed.
      if ((await found) === undefined) resolved.delete(runId)
      return found
    },
    runsAfter: async (runId) => {
      const newest = (await archive?.runs(null, RUNS_REPLAYED_MAX + 1)) ?? []
      return newest
        .map((run) => run.runId)
        .filter((id) => id > runId)
        .toReversed()
    },
    newestKept: async () => (await archive?.runs(null, 1))?.[0]?.runId,
    describeRun: () => (described ??= JSON.stringify(formatProgress(runs.view()))),
    describeEndedRun: async (runId) => {
      const run = await archive?.run(runId)
      if (run === undefined) return undefined
      const { success, wrong_ip, dns_fail, timeout, circuit_fail, error, exception, not_tested, candidates } =
        run.metadata
      const counts = { wrong_ip, dns_fail, timeout, success, circuit_fail, error, exception, not_tested }
      return JSON.stringify({ run_id: runId, phase: 'done', message: 'Done', candidates, finished: candidates, counts })
    },
    describeMonitor: () => pulse?.describe() ?? '',
    describeSchedule: () => (control === undefined ? '' : JSON.stringify(control.campaigns().map(formatCampaign))),
  }
}

/** @returns A function that ends all of them. */
function startAll(
  feeds: readonly (Pick<IncidentFeed | MonitorPulse, 'start'> | undefined)[],
  onChange: () => void,
): () => void {
  const stops = feeds.map((feed) => feed?.start(onChange))
  return () => {
    for (const stop of stops) stop?.()
  }
}

/** A run that this process has not seen: its relays from the archive, their order from its journal. */
async function readBack({ runs, archive, finishOrder }: EventSources, runId: string): Promise<LoggedRun | undefined> {
  const view = runs.view()
  const rows = view.runId === runId && view.metadata !== null ? view.results : await archive?.rows(runId)
  if (rows === undefined) return undefined
  const order = await finishOrder?.(runId)
  if (order === undefined) return undefined
  const left = new Map(rows.filter(isFinished).map((row) => [row.exit_fingerprint, row]))
  const finished = order.flatMap((fingerprint) => {
    const row = left.get(fingerprint)
    left.delete(fingerprint)
    return row === undefined ? [] : [toFinished(row)]
  })
  return {
    runId,
    finished: [...finished, ...Array.from(left.values(), toFinished)],
    hasEnded: true,
    isTailSorted: false,
  }
}

function formatProgress(view: ExitRunView): unknown {
  const { candidates, finished, counts } = summarizeRun(view)
  return { run_id: view.runId, phase: view.phase, message: view.message, candidates, finished, counts }
}

function formatCampaign({ campaign, schedule, nextRunAt, runningId }: CampaignState): unknown {
  return { campaign, schedule, next_run_at: nextRunAt, running_id: runningId }
}
