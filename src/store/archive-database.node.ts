/**
 * Opens the file of the archive, and brings an older schema up to date.
 *
 * A file of an older schema is copied beside it first (`history.db.schema-1`); the step itself is one transaction, so
 * that a process killed in it leaves the old schema, and the next start begins again.
 *
 * **Invariant**: a schema that is newer than this program is refused before anything is written.
 *
 * **Sources**: https://sqlite.org/wal.html, https://sqlite.org/lang_vacuum.html#vacuuminto
 */
import { chmod, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { BugError } from '../core/assert.ts'
import { RunError } from '../core/config-error.ts'
import { ARCHIVE_SCHEMA_VERSION, ARCHIVE_TABLES } from './archive-schema.ts'
import { migrateFromSchema1 } from './migrate-schema-1.node.ts'

/** How long another process may hold the database. */
const BUSY_TIMEOUT_MS = 5_000
const OWNER_ONLY = 0o600

/** How a schema becomes the next one; runs inside a transaction. */
interface MigrationStep {
  readonly from: number
  readonly apply: (database: DatabaseSync) => void
}

const STEPS: readonly MigrationStep[] = [
  { from: 0, apply: (database) => database.exec(ARCHIVE_TABLES) },
  { from: 1, apply: migrateFromSchema1 },
]

/** Two connections to one file: what is read never sees what is half written. */
export interface ArchiveConnections {
  readonly writing: DatabaseSync
  readonly reading: DatabaseSync
  close(): void
}

/**
 * Opens the archive, creating the file (0600) when it is new.
 *
 * @throws {RunError} When the file is no database of ours, is newer than this program, or cannot be used.
 */
export async function openArchiveDatabase(path: string): Promise<ArchiveConnections> {
  const opened: DatabaseSync[] = []
  const close = (): void => {
    for (const database of opened.toReversed()) if (database.isOpen) database.close()
  }
  try {
    await (await open(path, 'a', OWNER_ONLY)).close()
    await chmod(path, OWNER_ONLY)
    const writing = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    opened.push(writing)
    await bringUpToDate(writing, path)
    // From here on nothing may block the process: who waits for others waits between attempts.
    writing.exec('PRAGMA busy_timeout = 0')
    const reading = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    opened.push(reading)
    reading.exec('PRAGMA query_only = ON; PRAGMA cache_size = -16000')
    return { writing, reading, close }
  } catch (cause) {
    close()
    throw cause instanceof RunError ? cause : archiveError(`the archive ${path} cannot be used`, cause)
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const DAMAGED: ReadonlySet<number> = new Set([11, 26])
/** The reports hold what the archive is made of. */
const DAMAGED_HINT = 'move that file away; `candor exits import REPORT…` fills a new archive from the reports'

/** What went wrong with the archive, for people. @throws {BugError} When that is what it was. */
export function archiveError(what: string, cause: unknown): RunError {
  if (cause instanceof BugError) throw cause
  const isDamaged = cause instanceof Error && 'errcode' in cause && DAMAGED.has(Number(cause.errcode))
  return new RunError(
    `${what}: ${cause instanceof Error ? cause.message : String(cause)}`,
    isDamaged ? DAMAGED_HINT : '',
    {
      cause,
    },
  )
}

async function bringUpToDate(database: DatabaseSync, path: string): Promise<void> {
  const found = versionOf(database)
  if (found > ARCHIVE_SCHEMA_VERSION) {
    throw new RunError(
      `the archive ${path} has schema version ${found}, and this program knows ${ARCHIVE_SCHEMA_VERSION}`,
      'use the newer program that wrote it, or another data directory',
    )
  }
  // Free pages can be given back piece by piece; only a file without tables takes this setting.
  if (found === 0) database.exec('PRAGMA auto_vacuum = INCREMENTAL')
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000; PRAGMA journal_size_limit = 67108864',
  )
  if (found === ARCHIVE_SCHEMA_VERSION) return
  if (found > 0) await backUp(database, path, found)
  for (const { from, apply } of STEPS) applyStep(database, from, apply)
  if (found === 0) return
  rewrite(database)
}

/** An older file cannot give free pages back until it was rewritten once. Where that fails, all is well but for this. */
function rewrite(database: DatabaseSync): void {
  try {
    database.exec('PRAGMA auto_vacuum = INCREMENTAL; VACUUM')
  } catch (cause) {
    // Somebody is reading, or there is no room for a second copy.
    if (!(cause instanceof Error && 'errcode' in cause)) throw cause
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
}

function applyStep(database: DatabaseSync, from: number, apply: (database: DatabaseSync) => void): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    // Read again: two programs may have found the same schema.
    if (versionOf(database) === from) {
      apply(database)
      database.exec(`PRAGMA user_version = ${from === 0 ? ARCHIVE_SCHEMA_VERSION : from + 1}`)
    }
    database.exec('COMMIT')
  } catch (cause) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw cause
  }
}

/** Copies the file beside itself; an older copy is removed once the new one is whole. */
async function backUp(database: DatabaseSync, path: string, version: number): Promise<void> {
  const backup = `${path}.schema-${version}`
  const unfinished = `${backup}.${process.pid}`
  await rm(unfinished, { force: true })
  await (await open(unfinished, 'wx', OWNER_ONLY)).close()
  try {
    database.prepare('VACUUM INTO ?').run(unfinished)
  } catch (cause) {
    await rm(unfinished, { force: true })
    throw cause
  }
  // Another program may have migrated meanwhile: then this is no copy of the old schema.
  const copy = new DatabaseSync(unfinished, { readOnly: true })
  const copied = versionOf(copy)
  copy.close()
  if (copied !== version) {
    await rm(unfinished)
    return
  }
  await rename(unfinished, backup)
  const directory = dirname(path)
  for (const name of await readdir(directory)) {
    const isOther = name.startsWith(`${basename(path)}.schema-`) && name !== basename(backup)
    if (isOther) await rm(join(directory, name), { force: true })
  }
}
