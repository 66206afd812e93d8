/**
 * The states and incidents of watched names, for commands: each change is on the disk when it returns.
 *
 * Invariant: a change is on the disk when it returns (`synchronous = FULL`), and two programs never change one state at
 * the same time.
 */
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { RunError } from '../core/config-error.ts'
import type { MonitorIncident, MonitorState, MonitorStateStore } from '../model/monitor-state.ts'
import { failedRun, openMonitorDatabase } from './monitor-database.node.ts'
import { acquireRunLock } from './run-lock.node.ts'

/** The open store. */
export interface MonitorStore extends MonitorStateStore, AsyncDisposable {
  /** Incidents of a name, newest first, at most `limit`. */
  incidents(name: string, limit: number): Promise<readonly MonitorIncident[]>
}

/** An open file and the lock of whoever watches. */
export interface MonitorFile extends AsyncDisposable {
  readonly database: DatabaseSync
}

/**
 * Opens the file of a data directory, creating it when it is new.
 *
 * @param holder - Who watches, for the message that others get; `null` for a command beside it.
 * @throws {BusyError} When somebody else watches.
 * @throws {RunError} When it cannot be used.
 */
export async function openMonitorFile(dataDirectory: string, holder: string | null): Promise<MonitorFile> {
  const directory = join(dataDirectory, 'monitor')
  const lock = holder === null ? undefined : await acquireRunLock(directory, holder)
  try {
    const database = await openMonitorDatabase(directory)
    return {
      database,
      [Symbol.asyncDispose]: async () => {
        database.close()
        await lock?.release()
      },
    }
  } catch (error) {
    await lock?.release()
    throw error
  }
}

/**
 * Opens the store of a data directory, creating it when it is new.
 *
 * @param holder - Who watches, for the message that others get; `null` for a command beside it.
 * @throws {BusyError} When somebody else watches.
 * @throws {RunError} When it cannot be used.
 */
export async function openMonitorStore(dataDirectory: string, holder: string | null): Promise<MonitorStore> {
  const file = await openMonitorFile(dataDirectory, holder)
  const { database } = file
  return {
    ...createStateStore(database),
    incidents: (name, limit) => Promise.resolve(readIncidents(database, name, limit)),
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}

/** Incidents of a name, newest first. */
export function readIncidents(database: DatabaseSync, name: string, limit: number): readonly MonitorIncident[] {
  const select = database.prepare('SELECT record FROM incident WHERE name = ? ORDER BY opened_ms DESC LIMIT ?')
  return select.all(name, limit).map(({ record }) => JSON.parse(String(record)) as MonitorIncident)
}

/** Reads a state. @returns `undefined` for a name that was never judged. */
export function readMonitorState(database: DatabaseSync, key: string): MonitorState | undefined {
  const row = database.prepare('SELECT record FROM state WHERE key = ?').get(key)
  return row === undefined ? undefined : (JSON.parse(String(row['record'])) as MonitorState)
}

/** Prepares writing a state and its incidents, inside a transaction of the caller. */
export function createStateWriter(database: DatabaseSync): (key: string, state: MonitorState) => void {
  const keepIncident = database.prepare(
    `INSERT INTO incident (name, key, opened_ms, record, closed_ms) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET record = excluded.record, closed_ms = excluded.closed_ms
     WHERE record <> excluded.record`,
  )
  const keepState = database.prepare(
    'INSERT INTO state (key, record) VALUES (?, ?) ON CONFLICT DO UPDATE SET record = excluded.record',
  )
  return (key, state) => {
    keepState.run(key, JSON.stringify(state))
    for (const incident of state.incidents) {
      const { openedAtMs, closedAtMs } = incident
      const closedMs = closedAtMs === null ? null : Math.round(closedAtMs)
      keepIncident.run(key, incident.key, Math.round(openedAtMs), JSON.stringify(incident), closedMs)
    }
  }
}

function createStateStore(database: DatabaseSync): MonitorStateStore {
  const write = createStateWriter(database)
  return {
    load: (key) => Promise.resolve(readMonitorState(database, key)),
    update: (key, change) => {
      try {
        return Promise.resolve(
          transact(database, () => {
            const { state, result } = change(readMonitorState(database, key))
            write(key, state)
            return result
          }),
        )
      } catch (cause) {
        return Promise.reject(cause instanceof Error ? cause : failedRun('the state could not be kept', cause))
      }
    },
  }
}

/** Does something in one transaction. @throws {RunError} When it cannot be kept; nothing is then. */
export function transact<T>(database: DatabaseSync, action: () => T): T {
  try {
    database.exec('BEGIN IMMEDIATE')
    const result = action()
    database.exec('COMMIT')
    return result
  } catch (cause) {
    if (database.isTransaction) database.exec('ROLLBACK')
    if (cause instanceof RunError || !(cause instanceof Error) || !('errcode' in cause)) throw cause
    throw failedRun('the state of the monitor could not be kept', cause)
  }
}
