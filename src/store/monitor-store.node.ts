/**
 * The file `monitor/monitor.db` of a data directory: the state of each watched name, and every incident for ever.
 *
 * Invariant: a change is on the disk when it returns (`synchronous = FULL`), and two programs never change one state at
 * the same time. A schema that is newer than this program is refused.
 */
import { chmod, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { RunError } from '../core/config-error.ts'
import type { MonitorIncident, MonitorState, MonitorStateStore } from '../model/monitor-state.ts'
import { acquireRunLock } from './run-lock.node.ts'

/** Kept in `PRAGMA user_version`. 1: the first. */
const SCHEMA_VERSION = 1
const BUSY_TIMEOUT_MS = 5_000

const SCHEMA = `
  CREATE TABLE state (key TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE incident (
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    opened_ms INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (name, key, opened_ms)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};
`

/** The open store. */
export interface MonitorStore extends MonitorStateStore, AsyncDisposable {
  /** Incidents of a name, newest first, at most `limit`. */
  incidents(name: string, limit: number): Promise<readonly MonitorIncident[]>
}

/**
 * Opens the store of a data directory, creating it when it is new.
 *
 * @param holder - Who watches, for the message that others get; `null` for a command beside it.
 * @throws {BusyError} When somebody else watches.
 * @throws {RunError} When it cannot be used.
 */
export async function openMonitorStore(dataDirectory: string, holder: string | null): Promise<MonitorStore> {
  const directory = join(dataDirectory, 'monitor')
  const path = join(directory, 'monitor.db')
  const lock = holder === null ? undefined : await acquireRunLock(directory, holder)
  let connection: DatabaseSync | undefined
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await (await open(path, 'a', 0o600)).close()
    await chmod(path, 0o600)
    connection = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    prepareSchema(connection, path)
  } catch (cause) {
    connection?.close()
    await lock?.release()
    throw cause instanceof RunError ? cause : failed(`the monitor's state ${path} cannot be used`, cause)
  }
  const database = connection
  return {
    ...createStateStore(database),
    incidents: (name, limit) => {
      const select = database.prepare('SELECT record FROM incident WHERE name = ? ORDER BY opened_ms DESC LIMIT ?')
      const records = select.all(name, limit).map(({ record }) => JSON.parse(String(record)) as MonitorIncident)
      return Promise.resolve(records)
    },
    [Symbol.asyncDispose]: async () => {
      database.close()
      await lock?.release()
    },
  }
}

function createStateStore(database: DatabaseSync): MonitorStateStore {
  const load = (key: string): MonitorState | undefined => {
    const row = database.prepare('SELECT record FROM state WHERE key = ?').get(key)
    return row === undefined ? undefined : (JSON.parse(String(row['record'])) as MonitorState)
  }
  const keepIncident = database.prepare(
    `INSERT INTO incident (name, key, opened_ms, record) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET record = excluded.record WHERE record <> excluded.record`,
  )
  const keepState = database.prepare(
    'INSERT INTO state (key, record) VALUES (?, ?) ON CONFLICT DO UPDATE SET record = excluded.record',
  )
  return {
    load: (key) => Promise.resolve(load(key)),
    update: (key, change) => {
      try {
        database.exec('BEGIN IMMEDIATE')
        const { state, result } = change(load(key))
        keepState.run(key, JSON.stringify(state))
        for (const incident of state.incidents)
          keepIncident.run(key, incident.key, Math.round(incident.openedAtMs), JSON.stringify(incident))
        database.exec('COMMIT')
        return Promise.resolve(result)
      } catch (cause) {
        if (database.isTransaction) database.exec('ROLLBACK')
        return Promise.reject(
          cause instanceof Error && 'errcode' in cause ? failed('the state could not be kept', cause) : cause,
        )
      }
    },
  }
}

function failed(what: string, cause: unknown): RunError {
  return new RunError(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, '', { cause })
}

function prepareSchema(connection: DatabaseSync, path: string): void {
  const version = (): unknown => connection.prepare('PRAGMA user_version').get()?.['user_version']
  if (version() === 0 || version() === SCHEMA_VERSION) {
    connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE')
    // Read again: two programs may have found the file empty.
    if (version() === 0) connection.exec(SCHEMA)
    connection.exec('COMMIT')
  }
  if (version() === SCHEMA_VERSION) return
  throw new RunError(
    `the monitor's state ${path} has schema version ${String(version())}, and this program knows ${SCHEMA_VERSION}`,
    'use the newer program that wrote it, or another data directory',
  )
}
