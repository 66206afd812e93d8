/**
 * Which runs the archive has, and what they found in numbers.
 *
 * **Invariant**: a run of which only parts are there is shown as one run; nothing is counted twice, because the whole
 * replaced its parts when it came.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { ExitRunSummary, ExitTrendPoint, KeptEvidence } from '../model/exit-archive.ts'
import type { ExitMetadata } from '../model/exit-result.ts'
import { mergeRunMetadata } from './merge-run-metadata.ts'

/** One report in the archive: a run, or a part of one. */
export interface StoredRun {
  /** Its number; another one when the run was replaced. */
  readonly seq: number
  /** 14 digits. */
  readonly runId: string
  readonly evidence: KeptEvidence
  readonly hasRows: boolean
}

/** When a run was reported. */
export interface RunTime {
  readonly runId: string
  readonly timestamp: string
}

/** Runs, by moment. */
export interface ArchiveRuns {
  /** The parts of a run, in order of shard; empty for a run that is not known. */
  parts(runId: string): readonly StoredRun[]
  summary(runId: string): ExitRunSummary | undefined
  /** Whether the report of a run and shard, or of its whole, is there; what schema 1 left is no report. */
  hasReport(runId: string, shard: string): boolean
  /** Ids, newest first, earlier than `before`. */
  before(before: number, limit: number): readonly string[]
  /** The newest valid run earlier than `before` that still has rows, or any where `needsRows` is false. */
  newestValid(before: number, needsRows: boolean): string | undefined
  /** The newest invalid runs, newest first. */
  newestInvalid(limit: number): readonly string[]
  /** Valid runs, newest first. */
  validTimes(limit: number): readonly RunTime[]
  trend(sinceRunId: number, limit: number): readonly ExitTrendPoint[]
}

const COUNTS = [
  'success',
  'wrong_ip',
  'dns_fail',
  'timeout',
  'circuit_fail',
  'error',
  'exception',
  'not_tested',
] as const
const SUMS = COUNTS.map((name) => `sum(${name}) AS ${name}`).join(', ')

type Row = Readonly<Record<string, SQLOutputValue>>

/** @param database - A connection that reads. */
export function createArchiveRuns(database: DatabaseSync): ArchiveRuns {
  const parts = database.prepare('SELECT seq, run_id, evidence, has_rows FROM run WHERE run_id = ? ORDER BY shard')
  const metadata = database.prepare('SELECT value FROM run_metadata WHERE seq = ?')
  const before = database.prepare('SELECT DISTINCT run_id FROM run WHERE run_id < ? ORDER BY run_id DESC LIMIT ?')
  const newest = database.prepare(`SELECT run_id FROM run WHERE run_id < ?
    GROUP BY run_id HAVING max(invalid) IS NULL AND min(has_rows) >= ? ORDER BY run_id DESC LIMIT 1`)
  const invalid = database.prepare(
    'SELECT DISTINCT run_id FROM run WHERE invalid IS NOT NULL ORDER BY run_id DESC LIMIT ?',
  )
  const report = database.prepare(
    "SELECT 1 FROM run WHERE run_id = ? AND shard IN ('0/1', ?) AND origin = 'report' LIMIT 1",
  )
  const times = database.prepare(`SELECT run_id, max(timestamp) AS timestamp FROM run
    GROUP BY run_id HAVING max(invalid) IS NULL ORDER BY run_id DESC LIMIT ?`)
  const partsOf = (runId: string): readonly StoredRun[] => parts.all(Number(runId)).map(storedRunOf)
  const metadataOf = (seq: number): ExitMetadata => JSON.parse(String(metadata.get(seq)?.['value'])) as ExitMetadata
  return {
    parts: partsOf,
    summary: (runId) => {
      const found = partsOf(runId)
      if (found.length === 0) return undefined
      const kept = new Set(found.map(({ evidence }) => evidence))
      return {
        runId,
        metadata: mergeRunMetadata(found.map(({ seq }) => metadataOf(seq))),
        evidence: kept.has('none') ? 'none' : kept.has('failures') ? 'failures' : 'all',
        hasRows: found.every(({ hasRows }) => hasRows),
      }
    },
    hasReport: (runId, shard) => report.get(Number(runId), shard) !== undefined,
    before: (runId, limit) => before.all(runId, limit).map(runIdOf),
    newestValid: (runId, needsRows) => newest.all(runId, needsRows ? 1 : 0).map(runIdOf)[0],
    newestInvalid: (limit) => invalid.all(limit).map(runIdOf),
    validTimes: (limit) =>
      times.all(limit).map((row) => ({ runId: runIdOf(row), timestamp: String(row['timestamp']) })),
    trend: createTrend(database),
  }
}

function createTrend(database: DatabaseSync): ArchiveRuns['trend'] {
  const columns = `SELECT run_id, max(timestamp) AS timestamp, max(invalid) AS invalid, ${SUMS} FROM run`
  const ids = database.prepare('SELECT DISTINCT run_id FROM run WHERE run_id >= ? ORDER BY run_id')
  const all = database.prepare(`${columns} WHERE run_id >= ? GROUP BY run_id ORDER BY run_id`)
  const one = database.prepare(`${columns} WHERE run_id = ? GROUP BY run_id`)
  return (sinceRunId, limit) => {
    const found = ids.all(sinceRunId)
    if (found.length <= limit) return all.all(sinceRunId).map(trendPointOf)
    // Evenly thinned, the newest always among them.
    const chosen = Array.from({ length: limit }, (_, index) => {
      const place = limit === 1 ? found.length - 1 : Math.round((index * (found.length - 1)) / (limit - 1))
      return Number(found[place]?.['run_id'])
    })
    return chosen.flatMap((runId) => one.all(runId).map(trendPointOf))
  }
}

function trendPointOf(row: Row): ExitTrendPoint {
  const count = (name: (typeof COUNTS)[number]): number => Number(row[name])
  const counts = Object.fromEntries(COUNTS.map((name) => [name, count(name)])) as ExitTrendPoint['counts']
  return {
    runId: runIdOf(row),
    timestamp: String(row['timestamp']),
    invalid: row['invalid'] === null ? null : String(row['invalid']),
    candidates: COUNTS.reduce((sum, name) => sum + count(name), 0),
    counts,
  }
}

function storedRunOf(row: Row): StoredRun {
  return {
    seq: Number(row['seq']),
    runId: runIdOf(row),
    // Only the writer and retention set this column.
    evidence: String(row['evidence']) as KeptEvidence,
    hasRows: row['has_rows'] === 1,
  }
}

function runIdOf(row: Row): string {
  return String(row['run_id'])
}
