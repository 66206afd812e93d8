/**
 * The file `satellite.db` of a data directory: finished runs over resolvers, made from the files of their directories.
 *
 * **Invariant**: everything in it stands in those files too; a run is there as a whole or not at all.
 */
import { chmod, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { RunError } from '../core/config-error.ts'

const SCHEMA_VERSION = 1
const BUSY_TIMEOUT_MS = 5_000

/** `complete` is 1 when the last row of a run is in; what is not is removed at the next start. */
const SCHEMA = `
  CREATE TABLE run (
    run_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    summary TEXT NOT NULL,
    complete INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE country (
    run_id TEXT NOT NULL,
    country TEXT NOT NULL,
    resolvers INTEGER NOT NULL,
    PRIMARY KEY (run_id, country)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE cell (
    run_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    grp TEXT NOT NULL,
    domain TEXT NOT NULL,
    verdict TEXT NOT NULL,
    share REAL,
    record TEXT NOT NULL,
    PRIMARY KEY (run_id, kind, grp, domain)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX cell_domain ON cell (run_id, kind, domain);
  CREATE TABLE pair (
    run_id TEXT NOT NULL,
    domain TEXT NOT NULL,
    resolver TEXT NOT NULL,
    country TEXT NOT NULL,
    judgement TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (run_id, domain, resolver)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE control (
    run_id TEXT NOT NULL,
    domain TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (run_id, domain)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};
`
const TABLES = ['country', 'cell', 'pair', 'control', 'run']

/** Opens the file (0600), creating it when it is new. @throws {RunError} When it cannot be used. */
export async function openSatelliteDatabase(dataDirectory: string): Promise<DatabaseSync> {
  const path = join(dataDirectory, 'satellite.db')
  let database: DatabaseSync | undefined
  try {
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
    await (await open(path, 'a', 0o600)).close()
    await chmod(path, 0o600)
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    prepareSchema(database, path)
    for (const { run_id: runId } of database.prepare('SELECT run_id FROM run WHERE complete = 0').all())
      removeSatelliteRun(database, String(runId))
    return database
  } catch (cause) {
    database?.close()
    if (cause instanceof RunError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new RunError(`${path} cannot be used: ${reason}`, 'remove it: it is made again from the runs', { cause })
  }
}

/** Removes all rows of a run. */
export function removeSatelliteRun(database: DatabaseSync, runId: string): void {
  for (const table of TABLES) database.prepare(`DELETE FROM ${table} WHERE run_id = ?`).run(runId)
}

function prepareSchema(database: DatabaseSync, path: string): void {
  const version = database.prepare('PRAGMA user_version').get()?.['user_version']
  if (version !== 0 && version !== SCHEMA_VERSION) {
    throw new RunError(
      `${path} has schema version ${String(version)}, and this program knows ${SCHEMA_VERSION}`,
      'use the newer program that wrote it, or remove it: it is made again from the runs',
    )
  }
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  if (version === 0) database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT`)
}
