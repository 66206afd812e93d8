/**
 * Runs as pages show them: the one at hand and every one that was kept, behind one door. What is expensive about a closed
 * run stays here for the next page.
 *
 * Invariant: memory is bounded, whatever pages are asked for; a run that was kept again under its id is read again.
 */
import type { ListedExit } from '../api/select-exits.ts'
import { summarizeExits, summarizeRun, type RunSummary } from '../api/run-summary.ts'
import { formatIsoTime, parseTime, type Clock } from '../core/clock.ts'
import type { ExitArchive, ExitChanges, ExitRunSummary, ExitTrendPoint, KeptEvidence } from '../model/exit-archive.ts'
import type { ExitMetadata } from '../model/exit-result.ts'
import type { ExitRunView, RunViewSource } from '../model/run-view.ts'
import { createBoundedCache } from './bounded-cache.ts'

/** Runs whose counts stay in memory; the archive keeps the rows that it read last. */
const SUMMARIES_KEPT_MAX = 64
const TRENDS_KEPT_MAX = 8
const CHANGES_KEPT_MAX = 8
/** Points of a trend: more than one per pixel of a narrow chart shows nothing more. */
const TREND_POINTS_MAX = 400
const RUN_ID = /^\d{14}$/
/** A history that begins this far into the span asked for is shown from its own beginning. */
const YOUNG_SHARE = 0.1
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** One run, as a page shows it. */
export interface ShownRun {
  /** 14 digits; `null` before the run at hand has one. */
  readonly runId: string | null
  /** Whether it is the run at hand, which no archive has (yet). */
  readonly isCurrent: boolean
  /** `undefined` when the rows were given up; the counts are always there. */
  readonly rows: readonly ListedExit[] | undefined
  /** `null` while the run goes on. */
  readonly metadata: ExitMetadata | null
  readonly evidence: KeptEvidence
  readonly summary: RunSummary
  /** What is true, in a laboratory, and where the run stands. */
  readonly view: ExitRunView
}

/** Runs, and what pages ask about them. */
export interface RunShelf {
  /** Whether runs are kept at all. */
  readonly hasArchive: boolean
  /** The run that goes on, or the last one of this process. */
  current(): ExitRunView
  /**
   * Opens a run.
   *
   * @param run - 14 digits, or `current`; `undefined` for the newest valid one, and the one at hand where there is none.
   * @returns `undefined` when there is no such run.
   */
  open(run: string | undefined): Promise<ShownRun | undefined>
  /** Kept runs, newest first, earlier than `before`. */
  list(before: string | null, limit: number): Promise<readonly ExitRunSummary[]>
  /** Runs of the last `days` days, earliest first, and the span that they stand in. */
  trend(days: number): Promise<TrendSpan>
  /** A kept run compared with the newest valid one at least `spanMs` before it. */
  changes(runId: string, spanMs: number): Promise<ExitChanges | undefined>
}

/** Runs within a span of time. */
export interface TrendSpan {
  readonly days: number
  /** Unix milliseconds. */
  readonly fromMs: number
  readonly toMs: number
  /** Earliest first. */
  readonly points: readonly ExitTrendPoint[]
  /** How long ago the very first run was, in milliseconds, where that is less than the span asked for. */
  readonly youngMs: number | undefined
}

/** Makes the shelf. Without `archive` the run at hand is the only one. */
export function createRunShelf(runs: RunViewSource, archive: ExitArchive | undefined, clock: Clock): RunShelf {
  const summaries = createBoundedCache<RunSummary>(SUMMARIES_KEPT_MAX)
  const trends = createBoundedCache<readonly ExitTrendPoint[]>(TRENDS_KEPT_MAX)
  const comparisons = createBoundedCache<ExitChanges | undefined>(CHANGES_KEPT_MAX)
  /** A run that was kept twice (resumed, merged) has another time of its report. */
  const versionOf = ({ runId, metadata, hasRows }: ExitRunSummary): string =>
    `${runId} ${metadata.timestamp} ${hasRows ? 'rows' : ''}`
  const openKept = async (kept: ExitRunSummary): Promise<ShownRun> => {
    const rows = kept.hasRows ? await archive?.rows(kept.runId) : undefined
    const summary = await summaries.take(versionOf(kept), () => Promise.resolve(summarizeKept(kept.metadata, rows)))
    const { runId, metadata, evidence } = kept
    const current = runs.view()
    const view: ExitRunView = { ...current, phase: 'done', results: [], runId, metadata }
    const isLaboratory = rows !== undefined && current.truth.size > 0
    return {
      runId,
      isCurrent: false,
      rows,
      metadata,
      evidence,
      summary: isLaboratory ? summarizeExits(rows, metadata.candidates, view) : summary,
      view,
    }
  }
  const isFirst = async (point: ExitTrendPoint | undefined): Promise<boolean> =>
    point !== undefined && (await archive?.runs(point.runId, 1))?.length === 0
  const newestKept = async (): Promise<string> => (await archive?.runs(null, 1))?.[0]?.metadata.timestamp ?? ''
  return {
    hasArchive: archive !== undefined,
    current: () => runs.view(),
    open: async (run) => {
      const view = runs.view()
      if (run === 'current') return openCurrent(view)
      if (run !== undefined && !RUN_ID.test(run)) return undefined
      const kept = run === undefined ? await archive?.latest() : await archive?.run(run)
      if (kept !== undefined) return openKept(kept)
      return run === undefined || run === view.runId ? openCurrent(view) : undefined
    },
    list: async (before, limit) => (await archive?.runs(before, limit)) ?? [],
    trend: async (days) => {
      const toMs = Math.ceil(clock.wallNowMs() / HOUR_MS) * HOUR_MS
      const fromMs = toMs - days * DAY_MS
      const points = await trends.take(
        `${days} ${fromMs} ${await newestKept()}`,
        async () => (await archive?.trend(formatIsoTime(fromMs), TREND_POINTS_MAX)) ?? [],
      )
      const firstMs = parseTime(points[0]?.timestamp ?? '')
      const isYoung = firstMs - fromMs > YOUNG_SHARE * (toMs - fromMs) && (await isFirst(points[0]))
      if (!isYoung) return { days, fromMs, toMs, points, youngMs: undefined }
      const nowMs = Math.max(clock.wallNowMs(), parseTime(points.at(-1)?.timestamp ?? ''))
      return { days, fromMs: firstMs, toMs: Math.max(nowMs, firstMs + 1), points, youngMs: nowMs - firstMs }
    },
    changes: async (runId, spanMs) => {
      const kept = await archive?.run(runId)
      if (kept === undefined) return undefined
      return comparisons.take(`${spanMs} ${versionOf(kept)}`, async () => archive?.changes(runId, spanMs))
    },
  }
}

function openCurrent(view: ExitRunView): ShownRun {
  return {
    runId: view.runId,
    isCurrent: true,
    rows: view.results,
    metadata: view.metadata,
    evidence: 'all',
    summary: summarizeRun(view),
    view,
  }
}

/** Counts a kept run by its rows; by its metadata where the rows were given up, which do not know who is suspect. */
function summarizeKept(metadata: ExitMetadata, rows: readonly ListedExit[] | undefined): RunSummary {
  if (rows !== undefined) return summarizeExits(rows, metadata.candidates)
  const { success, wrong_ip, dns_fail, timeout, circuit_fail, error, exception, not_tested } = metadata
  return {
    candidates: metadata.candidates,
    finished: metadata.candidates,
    counts: { success, wrong_ip, dns_fail, timeout, circuit_fail, error, exception, not_tested },
    measured: metadata.dns_tested,
    sound: success,
    suspect: 0,
    failing: wrong_ip + dns_fail + timeout,
    unreachable: circuit_fail,
    notJudged: error + exception,
    notTested: not_tested,
    truth: null,
  }
}
