/**
 * Incidents in SQLite. A run's incidents, the state of its rules and its messages are one transaction.
 *
 * Invariant: of each relay and family at most one incident is open; a run is kept once.
 */
import { formatCompactTime } from '../core/clock.ts'
import type { ExitAlertState, ExitIncident, ExitRunChange, IncidentQuery, IncidentStore } from '../model/incident.ts'
import type { AlertDatabase, Row } from './alert-database.node.ts'
import { insertMessage } from './alert-outbox.node.ts'

/** Ids are times; those that are later than this from now are a clock's mistake. */
const CLOCK_ERROR_MS = 86_400_000
const LIMIT_MAX = 10_000

/** The store over an open file; whoever opened the file closes it. */
export function createIncidentStore(database: AlertDatabase): IncidentStore {
  const { connection } = database
  const find = connection.prepare('SELECT 1 FROM processed_run WHERE run_id = ? AND shard = ?')
  const newest = connection.prepare('SELECT max(run_id) AS found FROM processed_run WHERE run_id <= ?')
  const states = connection.prepare('SELECT key, record FROM alert_state')
  const open = connection.prepare('SELECT key, record FROM incident WHERE closed_at IS NULL')
  return {
    admit: async (runId, shard, nowMs) => {
      if (find.get(plain(runId), shard) !== undefined) return 'processed'
      const found = newest.get(formatCompactTime(nowMs + CLOCK_ERROR_MS))?.['found'] ?? ''
      return String(found) > plain(runId) ? 'late' : 'new'
    },
    exitStates: async () => new Map(states.all().map((row) => [String(row['key']), stateOf(row)])),
    openExits: async () => new Map(open.all().map((row) => [String(row['key']), incidentOf(row)])),
    commit: async (change) => commit(database, change),
    list: async (query) => list(database, query),
  }
}

/** Run ids come with and without `_`. */
function plain(runId: string): string {
  return runId.replace('_', '')
}

/** Only `commit` writes these columns. */
function stateOf(row: Row): ExitAlertState {
  return JSON.parse(String(row['record'])) as ExitAlertState
}

function incidentOf(row: Row): ExitIncident {
  return JSON.parse(String(row['record'])) as ExitIncident
}

function commit(database: AlertDatabase, change: ExitRunChange): boolean {
  const { connection } = database
  const mark = connection.prepare('INSERT OR IGNORE INTO processed_run (run_id, shard) VALUES (?, ?)')
  const setState = connection.prepare('INSERT OR REPLACE INTO alert_state (key, record) VALUES (?, ?)')
  const dropState = connection.prepare('DELETE FROM alert_state WHERE key = ?')
  const setIncident = connection.prepare(
    'INSERT OR REPLACE INTO incident (id, key, fingerprint, opened_at, closed_at, record) VALUES (?, ?, ?, ?, ?, ?)',
  )
  return database.transact(() => {
    if (mark.run(plain(change.runId), change.shard).changes === 0) return false
    for (const [key, state] of change.states) {
      if (state === null) dropState.run(key)
      else setState.run(key, JSON.stringify(state))
    }
    for (const incident of change.incidents) {
      const { id, fingerprint, family, openedAt, closedAt } = incident
      setIncident.run(id, `${fingerprint}/${family}`, fingerprint, openedAt, closedAt, JSON.stringify(incident))
    }
    for (const message of change.messages) insertMessage(connection, message)
    return true
  })
}

function list({ connection }: AlertDatabase, query: IncidentQuery): readonly ExitIncident[] {
  const { status, since, fingerprint, limit } = query
  const conditions = [
    ...(status === undefined ? [] : [`closed_at IS ${status === 'open' ? '' : 'NOT '}NULL`]),
    ...(since === undefined ? [] : ['(closed_at IS NULL OR closed_at >= ?)']),
    ...(fingerprint === undefined ? [] : ['fingerprint = ?']),
  ]
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  const values = [since, fingerprint].filter((value) => value !== undefined)
  return connection
    .prepare(`SELECT record FROM incident ${where} ORDER BY opened_at DESC, id LIMIT ?`)
    .all(...values, Math.min(limit, LIMIT_MAX))
    .map(incidentOf)
}
