/**
 * The verdict history of relays in SQLite: one row per relay and run.
 *
 * Invariant: rows are never changed by anything but the same run and shard. A schema that is newer than this program is
 * refused before anything is read or written.
 *
 * Sources: https://sqlite.org/wal.html
 */
import { chmod, open } from 'node:fs/promises'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import { RunError } from '../core/config-error.ts'
import type { ExitHistory, ExitHistoryRun, ExitVerdictPoint } from '../model/exit-history.ts'
import type { ExitStatus } from '../model/exit-result.ts'

/** Kept in `PRAGMA user_version`. 1: the first. */
const SCHEMA_VERSION = 1
/** Points per relay that a run is given, beside the very first. */
const NEWEST_POINTS_MAX = 99
/** How long another process (the daemon's pages) may hold the database. */
const BUSY_TIMEOUT_MS = 5_000

const SCHEMA = `
  CREATE TABLE exit_verdict (
    fingerprint TEXT NOT NULL,
    run_id TEXT NOT NULL,
    shard TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    status TEXT NOT NULL,
    status_ipv6 TEXT,
    error_code TEXT,
    exit_address TEXT,
    PRIMARY KEY (fingerprint, run_id, shard)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};
`
const IS_DNS_VERDICT = `(status IN ('success', 'wrong_ip', 'dns_fail', 'timeout')
  OR status_ipv6 IN ('success', 'wrong_ip', 'dns_fail', 'timeout'))`
const SELECT_POINTS = `SELECT run_id, timestamp, status, status_ipv6 FROM exit_verdict
  WHERE fingerprint = ? AND run_id < ? AND ${IS_DNS_VERDICT}`
const UPSERT = `INSERT OR REPLACE INTO exit_verdict
  (fingerprint, run_id, shard, timestamp, status, status_ipv6, error_code, exit_address)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

/**
 * Opens the history, creating the file (0600) when it is new.
 *
 * @throws {RunError} When the file is no database of ours, is newer than this program, or cannot be used.
 */
export async function openExitHistory(path: string): Promise<ExitHistory> {
  let database: DatabaseSync | undefined
  try {
    await (await open(path, 'a', 0o600)).close()
    await chmod(path, 0o600)
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    prepareSchema(database, path)
    return createHistory(database)
  } catch (cause) {
    database?.close()
    if (cause instanceof RunError) throw cause
    throw failed(`the history ${path} cannot be used`, cause)
  }
}

function failed(what: string, cause: unknown): RunError {
  return new RunError(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, '', { cause })
}

function prepareSchema(database: DatabaseSync, path: string): void {
  const version = (): SQLOutputValue | undefined => database.prepare('PRAGMA user_version').get()?.['user_version']
  if (version() === 0 || version() === SCHEMA_VERSION) {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    database.exec('BEGIN IMMEDIATE')
    // Read again: two programs may have found the file empty.
    if (version() === 0) database.exec(SCHEMA)
    database.exec('COMMIT')
  }
  if (version() !== SCHEMA_VERSION) {
    throw new RunError(
      `the history ${path} has schema version ${String(version())}, and this program knows ${SCHEMA_VERSION}`,
      'use the newer program that wrote it, or another data directory',
    )
  }
}

function createHistory(database: DatabaseSync): ExitHistory {
  const nextFingerprint = database.prepare('SELECT min(fingerprint) AS found FROM exit_verdict WHERE fingerprint > ?')
  const oldest = database.prepare(`${SELECT_POINTS} ORDER BY run_id, shard LIMIT 1`)
  const newest = database.prepare(`${SELECT_POINTS} ORDER BY run_id DESC, shard DESC LIMIT ${NEWEST_POINTS_MAX}`)
  const upsert = database.prepare(UPSERT)

  const pointsOf = (fingerprint: string, beforeRunId: string): readonly ExitVerdictPoint[] => {
    const points = newest.all(fingerprint, beforeRunId).map(pointOf).reverse()
    if (points.length < NEWEST_POINTS_MAX) return points
    const first = oldest.all(fingerprint, beforeRunId).map(pointOf)
    return first[0]?.runId === points[0]?.runId ? points : [...first, ...points]
  }
  const append = (run: ExitHistoryRun): void => {
    const runId = run.runId.replace('_', '')
    database.exec('BEGIN IMMEDIATE')
    try {
      for (const { fingerprint, status, statusIpv6, errorCode, exitAddress } of run.rows) {
        upsert.run(fingerprint, runId, run.shard, run.timestamp, status, statusIpv6, errorCode, exitAddress)
      }
      database.exec('COMMIT')
    } catch (cause) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw failed('the run could not be added to the history', cause)
    }
  }
  return {
    verdicts: (beforeRunId) =>
      settle(() => {
        const found = new Map<string, readonly ExitVerdictPoint[]>()
        // Skips from relay to relay over the primary key; DISTINCT would read every row.
        let fingerprint = nextFingerprint.get('')?.['found']
        while (typeof fingerprint === 'string') {
          const points = pointsOf(fingerprint, beforeRunId.replace('_', ''))
          if (points.length > 0) found.set(fingerprint, points)
          fingerprint = nextFingerprint.get(fingerprint)?.['found']
        }
        return found
      }),
    append: (run) =>
      settle(() => {
        append(run)
      }),
    close: () =>
      settle(() => {
        if (database.isOpen) database.close()
      }),
  }
}

/** SQLite answers at once; the port is asynchronous because other histories are not. */
async function settle<T>(action: () => T): Promise<T> {
  return action()
}

function pointOf(row: Readonly<Record<string, SQLOutputValue>>): ExitVerdictPoint {
  return {
    runId: String(row['run_id']),
    timestamp: String(row['timestamp']),
    // Only `append` writes these columns.
    status: String(row['status']) as ExitStatus,
    statusIpv6: row['status_ipv6'] === null ? null : (String(row['status_ipv6']) as ExitStatus),
  }
}
