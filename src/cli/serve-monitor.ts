/**
 * The monitor as the daemon runs it: one watch, which the configuration begins, changes and ends.
 *
 * ```
 *   begin ──► watching ──follow──► watching with other names      (the archive stays open)
 *                 └────follow──► nothing watched ──follow──► …     (the archive is closed)
 *                 └─────stop──► written and closed
 * ```
 *
 * Invariant: of all programs on one data directory, one watches. A watch that fails is begun again, later and later, and
 * is shown as a problem meanwhile; measuring exits goes on beside it.
 */
import type { DigestNote } from '../alerts/daily-digest.ts'
import type { MonitorSettings } from '../config/monitor-settings.ts'
import { formatIsoTime, sleep } from '../core/clock.ts'
import { joinPath } from '../core/files.ts'
import type { Chore } from '../daemon/chore.ts'
import { createMonitorSource, type WatchedParts } from '../daemon/monitor-source.ts'
import { createMonitorWatch } from '../daemon/monitor-watch.ts'
import type { AlertOutbox } from '../model/alert.ts'
import type { MonitorPlan } from '../model/monitor-name.ts'
import type { MonitorSource } from '../model/monitor-view.ts'
import { openMonitorArchive, type MonitorArchive } from '../store/monitor-archive.node.ts'
import type { MonitorRetention } from '../store/monitor-retention.node.ts'
import { createVantageMemory } from '../store/vantage-memory.ts'
import type { CliContext } from './cli-context.ts'

/** Changes that are looked at for a digest. */
const NOTES_MAX = 5_000
const DAY_MS = 86_400_000
const OCTETS_PER_MIB = 1_048_576
/** Pauses after a watch that failed. */
const AGAIN_MS_FIRST = 5_000
const AGAIN_MS_MAX = 300_000

/** What is watched, as one reading of the configuration says. */
export interface MonitorConfig {
  /** `null`: nothing is. */
  readonly plan: MonitorPlan | null
  readonly settings: MonitorSettings
}

/** The monitor while a daemon runs. */
export interface ServedMonitor {
  /** For pages and API; also while nothing is watched. */
  readonly source: MonitorSource
  /** What waits for the daily digest, since a time. */
  notes(sinceMs: number): readonly DigestNote[]
  /** Gives up what is old. */
  readonly retention: Chore
  begin(config: MonitorConfig): Promise<void>
  /** Watches what another reading says from now on. */
  follow(config: MonitorConfig): Promise<void>
  /** Ends the watch, and writes everything. */
  stop(): Promise<void>
}

/** One plan being watched. */
interface Running {
  readonly parts: WatchedParts
  stop(): Promise<void>
}

/** Puts it together; nothing is opened before it begins. */
export function createServedMonitor(
  context: CliContext,
  dataDir: string,
  outbox: () => Pick<AlertOutbox, 'add'>,
): ServedMonitor {
  const { clock, log } = context
  let archive: MonitorArchive | undefined
  let running: Running | undefined
  let retention: MonitorRetention | undefined
  let failure: string | null = null
  const problems = (): readonly string[] => (failure === null ? [] : [failure])
  const fail = (message: string | null): void => {
    failure = message
  }
  const end = async (): Promise<void> => {
    await running?.stop()
    running = undefined
  }
  const close = async (): Promise<void> => {
    await end()
    await archive?.[Symbol.asyncDispose]()
    archive = undefined
  }
  const follow = async ({ plan, settings }: MonitorConfig): Promise<void> => {
    retention = toRetention(settings)
    failure = null
    if (plan === null) {
      await close()
      return
    }
    await end()
    archive ??= await openMonitorArchive(dataDir, 'candor serve')
    running = startWatch(context, { dataDir, archive, outbox: outbox(), plan, settings, fail })
    log.info('daemon.monitor.watching', { names: plan.names.length, resolvers: plan.resolvers.length })
  }
  return {
    source: createMonitorSource(clock, () => running?.parts, problems),
    begin: follow,
    follow,
    stop: close,
    notes: (sinceMs) =>
      (archive?.changes(null, sinceMs, NOTES_MAX) ?? [])
        .filter(({ kind, channel }) => channel === 'digest' && kind !== 'learned')
        .map(({ key, kind, severity, text, atMs }) => ({
          text: `${formatIsoTime(atMs).slice(11, 16)} ${text}`,
          data: { campaign: 'monitor', name: key, event: kind, severity },
        })),
    retention: {
      name: 'monitor',
      run: async (signal) => {
        if (archive === undefined || retention === undefined) return
        const pause = (): Promise<void> => sleep(clock, 0, signal)
        const days = await archive.retain(retention, clock.wallNowMs(), pause)
        log.info('daemon.monitor.retained', { rounds_days: days, used_octets: archive.usedOctets() })
      },
    },
  }
}

/** Watches a plan until it is stopped; a watch that fails is begun again. */
function startWatch(
  context: CliContext,
  parts: {
    readonly archive: MonitorArchive
    readonly outbox: Pick<AlertOutbox, 'add'>
    readonly plan: MonitorPlan
    readonly settings: MonitorSettings
    readonly dataDir: string
    readonly fail: (message: string | null) => void
  },
): Running {
  const { archive, plan, settings, fail } = parts
  const random = context.createRandom(context.newSeed())
  const vantage = createVantageMemory(context.files, joinPath(parts.dataDir, 'monitor'))
  const watch = createMonitorWatch({ ...context, ...parts, random, vantage, timeoutMs: settings.timeout })
  const controller = new AbortController()
  const { signal } = controller
  const untilStopped = async (): Promise<void> => {
    for (let pauseMs = AGAIN_MS_FIRST; !signal.aborted; pauseMs = Math.min(pauseMs * 2, AGAIN_MS_MAX)) {
      try {
        await watch.run(signal)
        fail(null)
        return
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        fail(`The monitor failed and begins again: ${message}`)
        context.log.error('daemon.monitor.failed', { message, again_ms: pauseMs })
        await sleep(context.clock, pauseMs, signal)
      }
    }
  }
  const ended = untilStopped()
  return {
    parts: { plan, archive, watch, budgetOctets: toRetention(settings).budgetOctets },
    stop: async () => {
      controller.abort()
      await ended
    },
  }
}

function toRetention({ roundsDays, hoursDays, diskBudget }: MonitorSettings): MonitorRetention {
  return {
    roundsMs: roundsDays * DAY_MS,
    hoursMs: hoursDays * DAY_MS,
    budgetOctets: diskBudget * OCTETS_PER_MIB,
  }
}
