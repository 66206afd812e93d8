/**
 * The file `alerts.db`: incidents, messages and their deliveries together, so that what a run found and what people are
 * told of it are one transaction.
 *
 * Invariant: a commit is on the disk when it returns (`synchronous = FULL`). A schema that is newer than this program is
 * refused before anything is read or written.
 *
 * Sources: https://sqlite.org/wal.html
 */
import { chmod, open } from 'node:fs/promises'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import { RunError } from '../core/config-error.ts'

/** Kept in `PRAGMA user_version`. 1: the first. */
const SCHEMA_VERSION = 1
/** How long another process (a command beside the daemon) may hold the database. */
const BUSY_TIMEOUT_MS = 5_000

const SCHEMA = `
  CREATE TABLE processed_run (run_id TEXT NOT NULL, shard TEXT NOT NULL, PRIMARY KEY (run_id, shard)) STRICT, WITHOUT ROWID;
  CREATE TABLE alert_state (key TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE incident (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    closed_at TEXT,
    record TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX incident_open ON incident (key) WHERE closed_at IS NULL;
  CREATE INDEX incident_time ON incident (opened_at);
  CREATE INDEX incident_fingerprint ON incident (fingerprint, opened_at);
  CREATE TABLE message (
    id TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    routed INTEGER NOT NULL DEFAULT 0,
    record TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX message_order ON message (sequence);
  CREATE INDEX message_unrouted ON message (sequence) WHERE routed = 0;
  CREATE TABLE delivery (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    rank INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    parts_done INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    settled_ms INTEGER,
    error TEXT,
    error_ms INTEGER,
    UNIQUE (message_id, channel, recipient)
  ) STRICT;
  CREATE INDEX delivery_open ON delivery (channel, recipient, sequence) WHERE state IN ('waiting', 'sending');
  CREATE INDEX delivery_settled ON delivery (state, settled_ms);
  CREATE INDEX delivery_channel ON delivery (channel, state, settled_ms);
  PRAGMA user_version = ${SCHEMA_VERSION};
`

/** A row as SQLite gives it. */
export type Row = Readonly<Record<string, SQLOutputValue>>

/** The open file. */
export interface AlertDatabase {
  readonly connection: DatabaseSync
  /** Runs `action` in one transaction. @throws {RunError} When it cannot be kept; nothing is then. */
  transact<T>(action: () => T): T
  close(): void
}

/**
 * Opens the file, creating it (0600) when it is new.
 *
 * @throws {RunError} When the file is no database of ours, is newer than this program, or cannot be used.
 */
export async function openAlertDatabase(path: string): Promise<AlertDatabase> {
  let connection: DatabaseSync | undefined
  try {
    await (await open(path, 'a', 0o600)).close()
    await chmod(path, 0o600)
    connection = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    prepareSchema(connection, path)
    return wrap(connection)
  } catch (cause) {
    connection?.close()
    if (cause instanceof RunError) throw cause
    throw failed(`the alerts ${path} cannot be used`, cause)
  }
}

function wrap(connection: DatabaseSync): AlertDatabase {
  return {
    connection,
    transact: (action) => {
      try {
        connection.exec('BEGIN IMMEDIATE')
        const result = action()
        connection.exec('COMMIT')
        return result
      } catch (cause) {
        if (connection.isTransaction) connection.exec('ROLLBACK')
        throw failed('alerts could not be kept', cause)
      }
    },
    close: () => {
      if (connection.isOpen) connection.close()
    },
  }
}

function failed(what: string, cause: unknown): RunError {
  return new RunError(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, '', { cause })
}

function prepareSchema(connection: DatabaseSync, path: string): void {
  const version = (): SQLOutputValue | undefined => connection.prepare('PRAGMA user_version').get()?.['user_version']
  if (version() === 0 || version() === SCHEMA_VERSION) {
    connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    connection.exec('BEGIN IMMEDIATE')
    // Read again: two programs may have found the file empty.
    if (version() === 0) connection.exec(SCHEMA)
    connection.exec('COMMIT')
  }
  if (version() !== SCHEMA_VERSION) {
    throw new RunError(
      `the alerts ${path} have schema version ${String(version())}, and this program knows ${SCHEMA_VERSION}`,
      'use the newer program that wrote them, or another data directory',
    )
  }
}
