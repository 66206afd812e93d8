/**
 * All that the one program that watches keeps: states, rounds, changes and incidents, written in turns.
 *
 * **Invariant**: an incident is on the disk when {@link MonitorArchive.flush} returns; whoever is killed before that has
 * told people already, and tells again.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { MonitorIncident } from '../model/monitor-state.ts'
import type { MonitorChange, MonitorIncidentQuery, SeenHour, SeenRound } from '../model/monitor-view.ts'
import { createHeldMonitorStates, type HeldMonitorStates } from './held-monitor-states.node.ts'
import { createHourReader, measureMonitor, retainMonitor, type MonitorRetention } from './monitor-retention.node.ts'
import { createRoundReader, createRoundWriter, type RoundWriter } from './monitor-rounds.node.ts'
import { openMonitorFile, transact } from './monitor-store.node.ts'

/** What is kept, open. */
export interface MonitorArchive extends AsyncDisposable {
  readonly states: HeldMonitorStates
  addRound(key: string, round: SeenRound): void
  newestRound(key: string): SeenRound | undefined
  addChange(change: MonitorChange): void
  /** Whether something that matters is not on the disk. */
  isPressing(): boolean
  /** Writes what matters, or all. @throws {RunError} When the disk does not take it; it is tried again the next time. */
  flush(isAll: boolean): void
  /** @returns The days of rounds that are left. @throws {RunError} */
  retain(policy: MonitorRetention, nowMs: number, yieldTurn: () => Promise<void>): Promise<number>
  usedOctets(): number
  /** Newest first. */
  rounds(key: string, sinceMs: number, limit: number): readonly SeenRound[]
  /** Newest first. */
  hours(key: string, sinceMs: number, limit: number): readonly SeenHour[]
  /** Newest first; of all names without a key. */
  changes(key: string | null, sinceMs: number, limit: number): readonly MonitorChange[]
  /** The incident whose key begins so and that was opened then. */
  incident(keyStart: string, openedMs: number): { readonly key: string; readonly incident: MonitorIncident } | undefined
  /** Newest first, with the keys of their names. */
  incidents(query: MonitorIncidentQuery): readonly { readonly key: string; readonly incident: MonitorIncident }[]
}

/**
 * Opens what a data directory keeps, for the program that watches.
 *
 * @throws {BusyError} When somebody else watches.
 * @throws {RunError} When it cannot be used.
 */
export async function openMonitorArchive(dataDirectory: string, holder: string): Promise<MonitorArchive> {
  const file = await openMonitorFile(dataDirectory, holder)
  const { database } = file
  const states = createHeldMonitorStates(database)
  const writer = createRoundWriter(database)
  const changes: MonitorChange[] = []
  const flush = (isAll: boolean): void => {
    try {
      transact(database, () => {
        states.write(isAll)
        writer.write(isAll)
        for (const change of changes) insertChange(database, writer, change)
      })
    } catch (error) {
      writer.refresh()
      throw error
    }
    states.settle()
    writer.settle()
    changes.splice(0, changes.length)
  }
  return {
    states,
    addRound: (key, round) => {
      writer.add(key, round)
    },
    newestRound: (key) => writer.newest(key),
    addChange: (change) => {
      changes.push(change)
    },
    isPressing: () => states.isPressing() || changes.length > 0,
    flush,
    retain: async (policy, nowMs, yieldTurn) => {
      flush(true)
      try {
        return await retainMonitor(database, policy, nowMs, async () => {
          // Rows of the file have other beginnings now, and what came meanwhile must be there before the next turn.
          writer.refresh()
          await yieldTurn()
          flush(true)
        })
      } finally {
        writer.refresh()
      }
    },
    usedOctets: () => measureMonitor(database),
    ...createReaders(database),
    [Symbol.asyncDispose]: async () => {
      try {
        flush(true)
      } finally {
        await file[Symbol.asyncDispose]()
      }
    },
  }
}

function createReaders(
  database: DatabaseSync,
): Pick<MonitorArchive, 'rounds' | 'hours' | 'changes' | 'incidents' | 'incident'> {
  const readRounds = createRoundReader(database)
  const readHours = createHourReader(database)
  const columns = `SELECT (SELECT key FROM name WHERE id = name_id) AS key, at_ms, kind, severity, channel, text FROM change`
  const ofName = database.prepare(
    `${columns} WHERE name_id = (SELECT id FROM name WHERE key = ?) AND at_ms >= ? ORDER BY at_ms DESC, id DESC LIMIT ?`,
  )
  const byOpening = database.prepare('SELECT name, record FROM incident WHERE opened_ms = ?')
  const ofAll = database.prepare(`${columns} WHERE at_ms >= ? ORDER BY at_ms DESC, id DESC LIMIT ?`)
  return {
    rounds: readRounds,
    hours: readHours,
    changes: (key, sinceMs, limit) => {
      const since = Math.floor(sinceMs)
      const rows = key === null ? ofAll.all(since, limit) : ofName.all(key, since, limit)
      return rows.map((row) => ({
        key: row['key'] === null ? null : String(row['key']),
        atMs: Number(row['at_ms']),
        // Only `insertChange` writes these columns.
        kind: String(row['kind']) as MonitorChange['kind'],
        severity: String(row['severity']) as MonitorChange['severity'],
        channel: String(row['channel']) as MonitorChange['channel'],
        text: String(row['text']),
      }))
    },
    incident: (keyStart, openedMs) =>
      byOpening
        .all(openedMs)
        .map(toIncident)
        .find(({ incident }) => incident.key.startsWith(keyStart)),
    incidents: (query) => listIncidents(database, query),
  }
}

function insertChange(database: DatabaseSync, writer: RoundWriter, change: MonitorChange): void {
  const { key, atMs, kind, severity, channel, text } = change
  database
    .prepare('INSERT INTO change (name_id, at_ms, kind, severity, channel, text) VALUES (?, ?, ?, ?, ?, ?)')
    .run(key === null ? null : writer.nameId(key), Math.round(atMs), kind, severity, channel, text)
}

function listIncidents(
  database: DatabaseSync,
  { status, sinceMs, key, limit }: MonitorIncidentQuery,
): readonly { readonly key: string; readonly incident: MonitorIncident }[] {
  const conditions = [
    ...(status === undefined ? [] : [`closed_ms IS ${status === 'open' ? '' : 'NOT '}NULL`]),
    ...(sinceMs === undefined ? [] : ['(closed_ms IS NULL OR closed_ms >= ?)']),
    ...(key === undefined ? [] : ['name = ?']),
  ]
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  const values = [sinceMs === undefined ? undefined : Math.floor(sinceMs), key].filter((value) => value !== undefined)
  return database
    .prepare(`SELECT name, record FROM incident ${where} ORDER BY opened_ms DESC, key LIMIT ?`)
    .all(...values, limit)
    .map(toIncident)
}

/** Only a writer of states writes these columns. */
function toIncident(row: Readonly<Record<string, SQLOutputValue>>): {
  readonly key: string
  readonly incident: MonitorIncident
} {
  return { key: String(row['name']), incident: JSON.parse(String(row['record'])) as MonitorIncident }
}
