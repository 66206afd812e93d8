/**
 * The file `monitor/monitor.db` of a data directory: states, incidents, rounds, hours and changes of watched names.
 *
 * An older schema is brought to this one, after a copy of the file was put beside it (`monitor.db.schema-1`).
 *
 * **Invariant**: a schema that is newer than this program is refused before anything is read or written.
 */
import { chmod, mkdir, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { RunError } from '../core/config-error.ts'

/** Kept in `PRAGMA user_version`. 1: states and incidents. 2: rounds, hours and changes as well. */
const SCHEMA_VERSION = 2
const BUSY_TIMEOUT_MS = 5_000

/** What schema 1 had. */
const SCHEMA_1 = `
  CREATE TABLE state (key TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE incident (
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    opened_ms INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (name, key, opened_ms)
  ) STRICT, WITHOUT ROWID;
`

/**
 * What schema 2 adds. A round names the answers of resolvers by numbers, because the same few come again and again:
 * `1.5.0 2.6.3` is resolver 1 with answer 5 of class K0, and resolver 2 with answer 6 of class K3. Equal rounds in a row
 * are one row, with their number and the time of the last.
 */
const SCHEMA_2 = `
  ALTER TABLE incident ADD COLUMN closed_ms INTEGER;
  UPDATE incident SET closed_ms = json_extract(record, '$.closedAtMs');
  CREATE INDEX incident_open ON incident (opened_ms) WHERE closed_ms IS NULL;
  CREATE INDEX incident_time ON incident (opened_ms);
  CREATE TABLE name (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE resolver (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE answer (id INTEGER PRIMARY KEY, record TEXT NOT NULL UNIQUE, used_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE round (
    name_id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    count INTEGER NOT NULL,
    class INTEGER NOT NULL,
    answers TEXT NOT NULL,
    PRIMARY KEY (name_id, at_ms)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX round_age ON round (until_ms);
  CREATE TABLE hour (
    name_id INTEGER NOT NULL,
    hour_ms INTEGER NOT NULL,
    hours INTEGER NOT NULL,
    rounds INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    class INTEGER NOT NULL,
    answer_values TEXT NOT NULL,
    PRIMARY KEY (name_id, hour_ms)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE change (
    id INTEGER PRIMARY KEY,
    name_id INTEGER,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    channel TEXT NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX change_name ON change (name_id, at_ms);
  CREATE INDEX change_time ON change (at_ms);
`

/**
 * Opens the file, creating it (0600) when it is new.
 *
 * @throws {RunError} When it cannot be used, or is newer than this program.
 */
export async function openMonitorDatabase(directory: string): Promise<DatabaseSync> {
  const path = join(directory, 'monitor.db')
  let connection: DatabaseSync | undefined
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await (await open(path, 'a', 0o600)).close()
    await chmod(path, 0o600)
    connection = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    await prepareSchema(connection, path)
    return connection
  } catch (cause) {
    connection?.close()
    throw cause instanceof RunError ? cause : failedRun(`the monitor's state ${path} cannot be used`, cause)
  }
}

/** An error of SQLite or of the disk, for people. */
export function failedRun(what: string, cause: unknown): RunError {
  return new RunError(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, '', { cause })
}

async function prepareSchema(connection: DatabaseSync, path: string): Promise<void> {
  const version = (): number => Number(connection.prepare('PRAGMA user_version').get()?.['user_version'])
  if (version() > SCHEMA_VERSION)
    throw new RunError(
      `the monitor's state ${path} has schema version ${version()}, and this program knows ${SCHEMA_VERSION}`,
      'use the newer program that wrote it, or another data directory',
    )
  if (version() === SCHEMA_VERSION) {
    connection.exec('PRAGMA synchronous = FULL')
    return
  }
  if (version() > 0) await backUp(connection, `${path}.schema-${version()}`)
  connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE')
  // Read again: two programs may have found the file as it was.
  if (version() === 0) connection.exec(SCHEMA_1)
  if (version() < SCHEMA_VERSION) connection.exec(`${SCHEMA_2} PRAGMA user_version = ${SCHEMA_VERSION}`)
  connection.exec('COMMIT')
}

/** A copy that is there already is the older one, and stays. */
async function backUp(connection: DatabaseSync, path: string): Promise<void> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  )
  if (isThere) return
  connection.prepare('VACUUM INTO ?').run(path)
  await chmod(path, 0o600)
}
