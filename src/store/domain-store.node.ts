/**
 * The file `domains/domains.db` of a data directory: the health of every domain, its newest traces, and what belongs to the
 * campaign as a whole.
 *
 * Invariant: what `commit` acknowledged is on the disk (`synchronous = FULL`), all of it or nothing. A schema that is newer
 * than this program is refused.
 */
import { chmod, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { RunError } from '../core/config-error.ts'
import {
  createDomainHealth,
  DOMAIN_STATES,
  type DomainChange,
  type DomainFilter,
  type DomainHealth,
  type DomainRow,
  type DomainState,
  type DomainStore,
  type DomainTrace,
  type ListChange,
  type ListedDomain,
} from '../model/domain.ts'
import { acquireRunLock } from './run-lock.node.ts'

/** Kept in `PRAGMA user_version`. 1: the first. */
const SCHEMA_VERSION = 1
const BUSY_TIMEOUT_MS = 5_000
/** Traces of one domain; a newer one takes the place of the oldest. */
const TRACES_MAX = 20

const SCHEMA = `
  CREATE TABLE domain (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    wildcard INTEGER NOT NULL,
    labels TEXT NOT NULL,
    -- 1: on a list; 0: on none; 2: while lists are replaced
    listed INTEGER NOT NULL,
    state INTEGER NOT NULL,
    score INTEGER NOT NULL,
    review INTEGER NOT NULL,
    last_ok INTEGER,
    refresh_at INTEGER,
    check_at INTEGER NOT NULL,
    traces INTEGER NOT NULL DEFAULT 0,
    health TEXT NOT NULL
  ) STRICT;
  CREATE INDEX domain_refresh ON domain (refresh_at) WHERE listed = 1 AND refresh_at IS NOT NULL;
  CREATE INDEX domain_check ON domain (check_at) WHERE listed = 1;
  CREATE TABLE trace (
    domain INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    number INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (domain, slot)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE text (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};
`
const COLUMNS = 'id, name, wildcard, labels, listed, health'

/** The open store. */
export interface OpenDomainStore extends DomainStore, AsyncDisposable {}

/**
 * Opens the store of a data directory, creating it when it is new.
 *
 * @param holder - Who changes domains, for the message that others get; `null` for a command beside it.
 * @throws {BusyError} When somebody else does.
 * @throws {RunError} When it cannot be used.
 */
export async function openDomainStore(dataDirectory: string, holder: string | null): Promise<OpenDomainStore> {
  const directory = join(dataDirectory, 'domains')
  const path = join(directory, 'domains.db')
  const lock = holder === null ? undefined : await acquireRunLock(directory, holder)
  let database: DatabaseSync | undefined
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await (await open(path, 'a', 0o600)).close()
    await chmod(path, 0o600)
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    prepareSchema(database, path)
    return new SqliteDomainStore(database, async () => {
      await lock?.release()
    })
  } catch (cause) {
    database?.close()
    await lock?.release()
    throw cause instanceof RunError ? cause : failed(`the domains in ${path} cannot be used`, cause)
  }
}

class SqliteDomainStore implements OpenDomainStore {
  private readonly database: DatabaseSync
  private readonly release: () => Promise<void>

  constructor(database: DatabaseSync, release: () => Promise<void>) {
    this.database = database
    this.release = release
  }

  replaceList(domains: Iterable<ListedDomain>, nowMs: number): ListChange {
    return this.transaction(() => {
      const health = createDomainHealth(Math.round(nowMs))
      const before = this.count('listed = 1')
      this.database.exec('UPDATE domain SET listed = 2 WHERE listed = 1')
      const insert = this.database.prepare(
        `INSERT INTO domain (name, wildcard, labels, listed, state, score, review, refresh_at, check_at, health)
         VALUES (?, ?, ?, 1, ?, 0, 0, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET wildcard = excluded.wildcard, labels = excluded.labels, listed = 1`,
      )
      const { state, refreshAtMs, nextCheckAtMs } = health
      const text = JSON.stringify(health)
      for (const { name, isWildcard, labels } of domains)
        insert.run(
          name,
          isWildcard ? 1 : 0,
          JSON.stringify(labels),
          DOMAIN_STATES.indexOf(state),
          refreshAtMs,
          nextCheckAtMs,
          text,
        )
      const left = this.count('listed = 2')
      this.database.exec('UPDATE domain SET listed = 0 WHERE listed = 2')
      const kept = before - left
      return { added: this.count('listed = 1') - kept, kept, left }
    })
  }

  dueForRefresh(nowMs: number, limit: number): readonly DomainRow[] {
    const where = 'listed = 1 AND refresh_at IS NOT NULL AND refresh_at <= ? ORDER BY refresh_at LIMIT ?'
    return this.select(where, Math.floor(nowMs), limit)
  }

  dueForCheck(nowMs: number, limit: number): readonly DomainRow[] {
    return this.select('listed = 1 AND check_at <= ? ORDER BY check_at LIMIT ?', Math.floor(nowMs), limit)
  }

  nextDueAtMs(): number | null {
    const row = this.database
      .prepare(
        `SELECT min(at) AS at FROM (
           SELECT min(refresh_at) AS at FROM domain WHERE listed = 1 AND refresh_at IS NOT NULL
           UNION ALL SELECT min(check_at) FROM domain WHERE listed = 1)`,
      )
      .get()
    return row?.['at'] === null || row === undefined ? null : Number(row['at'])
  }

  commit(changes: readonly DomainChange[], texts: ReadonlyMap<string, string> = new Map()): void {
    this.transaction(() => {
      const update = this.database.prepare(
        `UPDATE domain SET state = ?, score = ?, review = ?, last_ok = ?, refresh_at = ?, check_at = ?, health = ?,
           traces = traces + ? WHERE id = ? RETURNING traces`,
      )
      const addTrace = this.database.prepare('INSERT OR REPLACE INTO trace VALUES (?, ?, ?, ?)')
      for (const { id, health, trace } of changes) {
        const checkAtMs = Math.min(health.nextCheckAtMs, health.confirmAtMs ?? Infinity)
        const row = update.get(
          DOMAIN_STATES.indexOf(health.state),
          health.scoreMilli,
          health.needsReview ? 1 : 0,
          toInteger(health.lastOkAtMs),
          toInteger(health.refreshAtMs),
          Math.round(checkAtMs),
          JSON.stringify(health),
          trace === null ? 0 : 1,
          id,
        )
        if (trace === null || row === undefined) continue
        const number = Number(row['traces'])
        addTrace.run(id, number % TRACES_MAX, number, JSON.stringify(trace))
      }
      const keep = this.database.prepare('INSERT OR REPLACE INTO text VALUES (?, ?)')
      for (const [key, value] of texts) keep.run(key, value)
    })
  }

  find(name: string): DomainRow | undefined {
    return this.select('name = ?', name)[0]
  }

  page({ states, needsReview, contains }: DomainFilter, afterId: number, limit: number): readonly DomainRow[] {
    const numbers = (states ?? []).map((state) => DOMAIN_STATES.indexOf(state))
    const conditions = [
      'listed = 1 AND id > ?',
      ...(states === undefined ? [] : [`state IN (${numbers.join(', ')})`]),
      ...(needsReview === true ? ['review = 1'] : []),
      ...(contains === undefined ? [] : ['instr(name, ?) > 0']),
    ]
    const values = contains === undefined ? [] : [contains]
    return this.select(`${conditions.join(' AND ')} ORDER BY id LIMIT ?`, afterId, ...values, limit)
  }

  countReview(): number {
    return this.count('listed = 1 AND review = 1')
  }

  countStates(): ReadonlyMap<DomainState, number> {
    const rows = this.database.prepare('SELECT state, count(*) AS n FROM domain WHERE listed = 1 GROUP BY state').all()
    const counts = new Map<DomainState, number>(DOMAIN_STATES.map((state) => [state, 0]))
    for (const { state, n } of rows) counts.set(DOMAIN_STATES[Number(state)] ?? 'SUSPECT', Number(n))
    return counts
  }

  traces(id: number, limit: number): readonly DomainTrace[] {
    const rows = this.database.prepare('SELECT record FROM trace WHERE domain = ? ORDER BY number DESC LIMIT ?')
    return rows.all(id, limit).map(({ record }) => JSON.parse(String(record)) as DomainTrace)
  }

  best(sinceMs: number, limit: number): readonly DomainRow[] {
    return this.select('listed = 1 AND last_ok >= ? ORDER BY score DESC, id LIMIT ?', Math.round(sinceMs), limit)
  }

  text(key: string): string | undefined {
    const row = this.database.prepare('SELECT value FROM text WHERE key = ?').get(key)
    return row === undefined ? undefined : String(row['value'])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.database.close()
    await this.release()
  }

  private select(where: string, ...values: readonly SQLInputValue[]): readonly DomainRow[] {
    const rows = this.database.prepare(`SELECT ${COLUMNS} FROM domain WHERE ${where}`).all(...values)
    return rows.map((row) => ({
      id: Number(row['id']),
      name: String(row['name']),
      isWildcard: row['wildcard'] === 1,
      labels: JSON.parse(String(row['labels'])) as readonly string[],
      isListed: row['listed'] === 1,
      health: JSON.parse(String(row['health'])) as DomainHealth,
    }))
  }

  private count(where: string): number {
    return Number(this.database.prepare(`SELECT count(*) AS n FROM domain WHERE ${where}`).get()?.['n'])
  }

  private transaction<T>(change: () => T): T {
    try {
      this.database.exec('BEGIN IMMEDIATE')
      const result = change()
      this.database.exec('COMMIT')
      return result
    } catch (cause) {
      if (this.database.isTransaction) this.database.exec('ROLLBACK')
      throw cause instanceof Error && 'errcode' in cause ? failed('the domains could not be kept', cause) : cause
    }
  }
}

function toInteger(atMs: number | null): number | null {
  return atMs === null ? null : Math.round(atMs)
}

function failed(what: string, cause: unknown): RunError {
  return new RunError(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, '', { cause })
}

function prepareSchema(database: DatabaseSync, path: string): void {
  const version = (): unknown => database.prepare('PRAGMA user_version').get()?.['user_version']
  if (version() === 0 || version() === SCHEMA_VERSION) {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE')
    // Read again: two programs may have found the file empty.
    if (version() === 0) database.exec(SCHEMA)
    database.exec('COMMIT')
  }
  if (version() === SCHEMA_VERSION) return
  throw new RunError(
    `the domains in ${path} have schema version ${String(version())}, and this program knows ${SCHEMA_VERSION}`,
    'use the newer program that wrote them, or another data directory',
  )
}
