/**
 * The archive of the exits campaign in SQLite: every run that was ever kept.
 *
 * **Invariant**: a run that was acknowledged is on the disk; one that was not is not there at all. Reading goes on while
 * somebody writes, and sees what was there before.
 *
 * Format: docs/formats/archive.md
 */
import type { ExitArchive, ExitChanges } from '../model/exit-archive.ts'
import { resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { ExitResult } from '../model/exit-result.ts'
import type { ArchiveFault, ArchiveUsage, RetentionOutcome } from '../model/retention.ts'
import { createAppender, type RunEntry } from './archive-appender.node.ts'
import { archiveError, openArchiveDatabase } from './archive-database.node.ts'
import { createArchiveReader, type ArchiveReader } from './archive-reader.node.ts'
import { retainRuns, type RetentionTask } from './archive-retention.node.ts'
import { createArchiveRuns, type ArchiveRuns } from './archive-runs.node.ts'
import { createArchiveTexts } from './archive-texts.node.ts'
import { checkArchive, readUsage } from './archive-usage.node.ts'
import { createVerdictReader } from './archive-verdicts.node.ts'
import { compareExitRuns } from './compare-exit-runs.ts'
import { isFailureEvidence } from './pack-evidence.node.ts'
import { firstRunIdAt, momentOfRun } from './run-moment.ts'
import { formatIsoTime } from '../core/clock.ts'

/** Results between two turns for other work: a dozen of them with evidence are looked up in ten milliseconds. */
const RESULTS_PER_TURN = 200
/** Later than every run id. */
const NEWEST = 99_999_999_999_999

/** The archive with what only its keeper needs: import and generated histories. */
export interface ExitArchiveStore extends ExitArchive {
  /** Keeps several runs in one transaction, each with as much of its evidence as is said. */
  keep(runs: readonly RunEntry[]): Promise<void>
  /** Whether the report of a run and shard, or of its whole, is in the archive. */
  has(runId: string, shard: string): Promise<boolean>
  /**
   * All results of a run in order of fingerprint: of what is no untroubled success with its evidence, where that is kept.
   * `undefined` when the run is not known or its rows were given up. Gives other work a turn.
   */
  results(runId: string): Promise<readonly ExitResult[] | undefined>
  /** Gives up what is older than it has to be kept, in small pieces; says what that was. */
  retain(task: RetentionTask): Promise<RetentionOutcome>
  usage(): Promise<ArchiveUsage>
  /** Looks at everything there is. @returns What is not as it should be, at most 100 faults. */
  check(): Promise<readonly ArchiveFault[]>
}

/**
 * Opens the archive, creating the file (0600) when it is new and bringing an older schema up to date.
 *
 * @throws {RunError} When the file is no database of ours, is newer than this program, or cannot be used.
 */
export async function openExitArchive(path: string): Promise<ExitArchiveStore> {
  const connections = await openArchiveDatabase(path)
  const { writing, reading } = connections
  const runs = createArchiveRuns(reading)
  const texts = createArchiveTexts(reading)
  const reader = createArchiveReader(reading, runs, texts)
  const verdicts = createVerdictReader(reading, texts)
  const appender = createAppender(resolve(path), writing)
  const changes = (runId: string, spanMs: number): ExitChanges | undefined => {
    const rows = reader.rows(runId)
    if (rows === undefined) return undefined
    const earlier = runs.newestValid(firstRunIdAt(formatIsoTime(momentOfRun(runId) - spanMs)) + 1, true)
    const earlierRows = earlier === undefined ? undefined : reader.rows(earlier)
    if (earlier === undefined || earlierRows === undefined) {
      return { since: null, newlyFailing: [], recovered: [], appeared: 0, gone: 0 }
    }
    return compareExitRuns(rows, { runId: earlier, rows: earlierRows })
  }
  return {
    verdicts: (beforeRunId, among) => verdicts(beforeRunId, among),
    append: (report) => appender.append([{ report, evidence: 'all' }]),
    keep: (entries) => appender.append(entries),
    has: (runId, shard) => settle(() => runs.hasReport(withoutMark(runId), shard)),
    results: (runId) => readResults(runs, reader, withoutMark(runId)),
    retain: (task) => retainRuns(resolve(path), writing, task),
    usage: () => settle(() => readUsage(reading)),
    check: () => checkArchive(reading),
    runs: (before, limit) =>
      settle(() => runs.before(digitsOf(before), limit).flatMap((runId) => runs.summary(runId) ?? [])),
    run: (runId) => settle(() => runs.summary(withoutMark(runId))),
    latest: () =>
      settle(() => {
        const runId = runs.newestValid(NEWEST, false)
        return runId === undefined ? undefined : runs.summary(runId)
      }),
    rows: (runId) => settle(() => reader.rows(withoutMark(runId))),
    record: (runId, fingerprint) =>
      settle(() => {
        const run = runs.summary(withoutMark(runId))
        return run === undefined ? undefined : reader.record(run, fingerprint)
      }),
    newest: (fingerprint) => settle(() => reader.newest(fingerprint)),
    points: (fingerprint, limit) => settle(() => reader.points(fingerprint, limit)),
    trend: (since, limit) => settle(() => runs.trend(firstRunIdAt(since), limit)),
    relayDays: (fingerprint, since) => settle(() => reader.relayDays(fingerprint, since)),
    changes: (runId, spanMs) => settle(() => changes(withoutMark(runId), spanMs)),
    close: async () => {
      await appender.settled()
      connections.close()
    },
  }
}

async function readResults(
  runs: ArchiveRuns,
  reader: ArchiveReader,
  runId: string,
): Promise<readonly ExitResult[] | undefined> {
  const run = runs.summary(runId)
  const outlines = run === undefined ? undefined : reader.outlines(run)
  if (run === undefined || outlines === undefined) return undefined
  const results: ExitResult[] = []
  for (const [index, outline] of outlines.entries()) {
    const isSound = !isFailureEvidence(outline)
    results.push(isSound ? outline : (reader.record(run, outline.exit_fingerprint)?.result ?? outline))
    // Gives others a turn.
    if (index % RESULTS_PER_TURN === RESULTS_PER_TURN - 1) await setImmediate()
  }
  return results
}

/** SQLite answers at once; the port is asynchronous because other archives are not. */
async function settle<T>(action: () => T): Promise<T> {
  try {
    return action()
  } catch (cause) {
    if (cause instanceof Error && 'errcode' in cause) throw archiveError('the archive cannot be read', cause)
    throw cause
  }
}

function withoutMark(runId: string): string {
  return runId.replace('_', '')
}

function digitsOf(before: string | null): number {
  return before === null ? NEWEST : Number(withoutMark(before))
}
