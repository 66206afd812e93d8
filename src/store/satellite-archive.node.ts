/**
 * Finished runs over resolvers in SQLite: what pages and API read.
 *
 * **Invariant**: a run is made from the files of its directory, once; removing the database loses nothing.
 */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { SatelliteAggregate } from '../model/satellite-aggregate.ts'
import type {
  SatelliteArchive,
  SatelliteCellQuery,
  SatelliteControlView,
  SatellitePair,
  SatellitePairQuery,
  SatelliteRunSummary,
} from '../model/satellite-archive.ts'
import { openSatelliteDatabase, removeSatelliteRun } from './satellite-database.node.ts'
import { importSatelliteRun } from './satellite-import.node.ts'

/** The archive as its owner has it. */
export interface SatelliteStore extends SatelliteArchive, Disposable {
  /**
   * Takes every finished run of a directory that is not there yet, and forgets the oldest beyond `keep`.
   *
   * @returns Ids of what was taken.
   */
  adopt(parent: string, keep: number): Promise<readonly string[]>
}

type Row = Readonly<Record<string, unknown>>

/** Opens `satellite.db` of a data directory. @throws {RunError} When it cannot be used. */
export async function openSatelliteArchive(dataDirectory: string): Promise<SatelliteStore> {
  const database = await openSatelliteDatabase(dataDirectory)
  return {
    ...readRuns(database),
    ...readRows(database),
    adopt: (parent, keep) => adoptRuns(database, parent, keep),
    [Symbol.dispose]: () => {
      database.close()
    },
  }
}

async function adoptRuns(database: DatabaseSync, parent: string, keep: number): Promise<readonly string[]> {
  const known = new Set(
    database
      .prepare('SELECT run_id FROM run WHERE complete = 1')
      .all()
      .map((row) => String(row['run_id'])),
  )
  const names = existsSync(parent) ? await readdir(parent) : []
  const newest = names.flatMap((name) => {
    const digits = /^CP_Satellite-(\d{4})-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)$/.exec(name)
    return digits === null ? [] : [{ name, runId: digits.slice(1).join('') }]
  })
  newest.sort((a, b) => (a.runId < b.runId ? 1 : -1))
  const taken: string[] = []
  for (const { name, runId } of newest.slice(0, keep)) {
    const directory = join(parent, name)
    const times = known.has(runId) ? undefined : await readTimes(directory)
    if (times === undefined) continue
    await importSatelliteRun(database, { runId, name, directory, ...times })
    taken.push(runId)
  }
  const kept = database.prepare('SELECT run_id FROM run ORDER BY run_id DESC LIMIT -1 OFFSET ?').all(keep)
  for (const row of kept) removeSatelliteRun(database, String(row['run_id']))
  return taken
}

/** @returns `undefined` for a run that has not ended, or was never verified. */
async function readTimes(
  directory: string,
): Promise<{ readonly startedAt: string | null; readonly endedAt: string | null } | undefined> {
  if (!existsSync(join(directory, 'findings.jsonl')) || !existsSync(join(directory, 'log.json'))) return undefined
  try {
    const { start, end } = JSON.parse(await readFile(join(directory, 'log.json'), 'utf8')) as Row
    if (typeof end !== 'string') return undefined
    return { startedAt: typeof start === 'string' ? start : null, endedAt: end }
  } catch {
    return undefined
  }
}

function readRuns(
  database: DatabaseSync,
): Pick<SatelliteArchive, 'runs' | 'run' | 'countries' | 'domains' | 'control'> {
  const older = database.prepare('SELECT * FROM run WHERE complete = 1 AND run_id < ? ORDER BY run_id DESC LIMIT ?')
  const one = database.prepare('SELECT * FROM run WHERE complete = 1 AND run_id = ?')
  const countries = database.prepare(`SELECT country.country, resolvers,
      SUM(verdict = 'interference') AS interfered, SUM(verdict <> 'too_few') AS tested, COUNT(domain) AS domains,
      MAX(share) AS highest
    FROM country LEFT JOIN cell ON cell.run_id = country.run_id AND kind = 'country' AND grp = country.country
    WHERE country.run_id = ? GROUP BY country.country ORDER BY country.country`)
  const domains = database.prepare(`SELECT domain, SUM(verdict = 'interference') AS interfered,
      SUM(verdict <> 'too_few') AS tested, COUNT(*) AS countries, MAX(share) AS highest
    FROM cell WHERE run_id = ? AND kind = 'country' GROUP BY domain ORDER BY domain`)
  const control = database.prepare('SELECT record FROM control WHERE run_id = ? AND domain = ?')
  return {
    runs: (before, limit) => Promise.resolve(older.all(before ?? '99999999999999', limit).map(toSummary)),
    run: (runId) =>
      Promise.resolve((runId === undefined ? older.all('99999999999999', 1) : one.all(runId)).map(toSummary)[0]),
    countries: (runId) =>
      Promise.resolve(
        countries.all(runId).map((row) => ({
          country: String(row['country']),
          resolvers: Number(row['resolvers']),
          interfered: Number(row['interfered'] ?? 0),
          tested: Number(row['tested'] ?? 0),
          domains: Number(row['domains']),
          highestShare: row['highest'] === null ? null : Number(row['highest']),
        })),
      ),
    domains: (runId) =>
      Promise.resolve(
        domains.all(runId).map((row) => ({
          domain: String(row['domain']),
          interfered: Number(row['interfered']),
          tested: Number(row['tested']),
          countries: Number(row['countries']),
          highestShare: row['highest'] === null ? null : Number(row['highest']),
        })),
      ),
    control: (runId, domain) => {
      const row = control.get(runId, domain)
      return Promise.resolve(row === undefined ? undefined : (parse(row) as unknown as SatelliteControlView))
    },
  }
}

function readRows(database: DatabaseSync): Pick<SatelliteArchive, 'cells' | 'pairs' | 'pair'> {
  const pair = database.prepare('SELECT record FROM pair WHERE run_id = ? AND domain = ? AND resolver = ?')
  return {
    cells: (runId, query) => Promise.resolve(selectCells(database, runId, query)),
    pairs: (runId, query) => Promise.resolve(selectPairs(database, runId, query)),
    pair: (runId, resolver, domain) => {
      const row = pair.get(runId, domain, resolver)
      return Promise.resolve(row === undefined ? undefined : toPair(parse(row)))
    },
  }
}

/** Parts of a condition, with their values. */
type Condition = readonly [sql: string, ...values: readonly string[]]

function selectCells(database: DatabaseSync, runId: string, query: SatelliteCellQuery): readonly SatelliteAggregate[] {
  const { kind, group, domain, verdict, after, limit } = query
  const conditions: Condition[] = [
    ['run_id = ?', runId],
    ['kind = ?', kind],
  ]
  if (group !== undefined) conditions.push(['grp = ?', group])
  if (domain !== undefined) conditions.push(['domain = ?', domain])
  if (verdict !== undefined) conditions.push(['verdict = ?', verdict])
  if (after !== undefined) conditions.push(['(grp, domain) > (?, ?)', after.group, after.domain])
  return select(database, 'cell', conditions, `grp, domain LIMIT ${Math.floor(limit)}`).map(toAggregate)
}

function selectPairs(database: DatabaseSync, runId: string, query: SatellitePairQuery): readonly SatellitePair[] {
  const { country, domain, judgement, after, limit } = query
  const conditions: Condition[] = [['run_id = ?', runId]]
  if (country !== undefined) conditions.push(['country = ?', country])
  if (domain !== undefined) conditions.push(['domain = ?', domain])
  if (judgement !== undefined) conditions.push(['judgement = ?', judgement])
  if (after !== undefined) conditions.push(['(domain, resolver) > (?, ?)', after.domain, after.resolver])
  return select(database, 'pair', conditions, `domain, resolver LIMIT ${Math.floor(limit)}`).map(toPair)
}

function select(
  database: DatabaseSync,
  table: 'cell' | 'pair',
  conditions: readonly Condition[],
  order: string,
): readonly Row[] {
  const where = conditions.map(([sql]) => sql).join(' AND ')
  const values = conditions.flatMap(([, ...rest]) => rest)
  return database
    .prepare(`SELECT record FROM ${table} WHERE ${where} ORDER BY ${order}`)
    .all(...values)
    .map(parse)
}

function parse(row: Row): Row {
  return JSON.parse(String(row['record'])) as Row
}

function toSummary(row: Row): SatelliteRunSummary {
  const text = (field: string): string | null => (typeof row[field] === 'string' ? row[field] : null)
  // Only the import writes this column.
  const summary = JSON.parse(String(row['summary'])) as Omit<
    SatelliteRunSummary,
    'runId' | 'name' | 'startedAt' | 'endedAt'
  >
  return {
    runId: String(row['run_id']),
    name: String(row['name']),
    startedAt: text('started_at'),
    endedAt: text('ended_at'),
    ...summary,
  }
}

function toAggregate(record: Row): SatelliteAggregate {
  const { null_share: nullShare, p_value: pValue, q_value: qValue, ...rest } = record
  return { ...rest, nullShare, pValue, qValue } as unknown as SatelliteAggregate
}

function toPair(record: Row): SatellitePair {
  const { vp, test_url: domain, country_code: country, anomaly, ...rest } = record
  return {
    ...rest,
    resolver: vp,
    domain,
    country: country ?? '',
    isAnomaly: anomaly ?? null,
  } as unknown as SatellitePair
}
