/**
 * What the daemon must not forget: runs that go on or ended, what is still to be done about them, and which times of the
 * schedule have been served. `daemon.db` in the data directory.
 *
 * Invariant: a run and its steps are written in one transaction, so that a run whose end is known never lacks one. A schema
 * that is newer than this program is refused before anything is written.
 *
 * Sources: https://sqlite.org/wal.html
 */
import { chmod, open } from 'node:fs/promises'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import { RunError } from '../core/config-error.ts'
import type { CampaignName, PendingStep, RunEnding, RunRequest } from '../model/daemon-control.ts'

/** Kept in `PRAGMA user_version`. 1: the first. */
const SCHEMA_VERSION = 1
/** A second reader holds the file for moments only. */
const BUSY_TIMEOUT_MS = 5_000
/** A year of four runs a day; older ones are forgotten here and nowhere else. */
const RUNS_MAX = 1_500

/** Stands for the request of a run that nobody asked this daemon for. */
const ADOPTED = '{}'

const SCHEMA = `
  CREATE TABLE run (
    run_id TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    outcome TEXT,
    message TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE step (
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    place INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    message TEXT,
    PRIMARY KEY (run_id, place)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE schedule (
    name TEXT PRIMARY KEY,
    expression TEXT NOT NULL,
    served_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};
`

/** A run that has begun and not ended: this process's, or one that was killed. */
export interface UnfinishedRun {
  readonly runId: string
  readonly request: RunRequest
}

/** How a run ended. */
export interface EndedRun {
  readonly runId: string
  readonly outcome: RunEnding
  readonly message: string | null
}

/** What is kept. Writing throws {@link RunError} when the disk is full or gone; nothing is changed then. */
export interface DaemonState extends Disposable {
  /** @returns Whether the id was free. */
  beginRun(runId: string, request: RunRequest, startedAt: string): boolean
  /** Ends a run and notes what is to be done about it, in order. */
  endRun(ended: EndedRun, endedAt: string, steps: readonly string[]): void
  /** Notes what is to be done about a run that this daemon did not make. @returns `false` for one that it knows. */
  adoptRun(runId: string, at: string, steps: readonly string[]): boolean
  /** Runs of a campaign that have not ended, earliest first. */
  unfinishedRuns(campaign: CampaignName): readonly UnfinishedRun[]
  /** The run of a campaign that ended last. */
  lastRun(campaign: CampaignName): EndedRun | undefined
  /** Steps that are not done, by run and in their order. */
  pendingSteps(): readonly PendingStep[]
  stepDone(runId: string, step: string): void
  stepFailed(runId: string, step: string, message: string): void
  /** The newest time of a schedule that was served, Unix milliseconds; `undefined` for one that is new or has changed. */
  servedMs(name: string, expression: string): number | undefined
  setServedMs(name: string, expression: string, servedMs: number): void
}

/**
 * Opens the state, creating the file (0600) when it is new.
 *
 * @throws {RunError} When the file is no database of ours, is newer than this program, or cannot be used.
 */
export async function openDaemonState(path: string): Promise<DaemonState> {
  let database: DatabaseSync | undefined
  try {
    await (await open(path, 'a', 0o600)).close()
    await chmod(path, 0o600)
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    prepareSchema(database, path)
    return createState(database)
  } catch (cause) {
    database?.close()
    if (cause instanceof RunError) throw cause
    throw failed(`the state of the daemon, ${path}, cannot be used`, cause)
  }
}

function failed(what: string, cause: unknown): RunError {
  return new RunError(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, '', { cause })
}

function prepareSchema(database: DatabaseSync, path: string): void {
  const version = database.prepare('PRAGMA user_version').get()?.['user_version']
  if (version !== 0 && version !== SCHEMA_VERSION) {
    throw new RunError(
      `${path} has schema version ${String(version)}, and this program knows ${SCHEMA_VERSION}`,
      'use the newer program that wrote it, or another data directory',
    )
  }
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  if (version === 0) database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT`)
}

type Row = Readonly<Record<string, SQLOutputValue>>

function createState(database: DatabaseSync): DaemonState {
  const write = (action: () => void): void => {
    try {
      database.exec('BEGIN IMMEDIATE')
      action()
      database.exec('COMMIT')
    } catch (cause) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw failed('the state of the daemon could not be written', cause)
    }
  }
  const insertRun = database.prepare('INSERT INTO run (run_id, request, started_at) VALUES (?, ?, ?)')
  const findRun = database.prepare('SELECT 1 FROM run WHERE run_id = ?')
  const endAdopted = database.prepare("UPDATE run SET ended_at = ?, outcome = 'complete' WHERE run_id = ?")
  const insertStep = database.prepare('INSERT OR IGNORE INTO step (run_id, step, place) VALUES (?, ?, ?)')
  const addSteps = (runId: string, steps: readonly string[]): void => {
    for (const [place, step] of steps.entries()) insertStep.run(runId, step, place)
  }
  return {
    ...runsOf(database, write, addSteps),
    ...schedulesOf(database, write),
    beginRun: (runId, request, startedAt) => {
      if (findRun.get(runId) !== undefined) return false
      write(() => {
        insertRun.run(runId, JSON.stringify(request), startedAt)
      })
      return true
    },
    adoptRun: (runId, at, steps) => {
      if (findRun.get(runId) !== undefined) return false
      write(() => {
        insertRun.run(runId, ADOPTED, at)
        endAdopted.run(at, runId)
        addSteps(runId, steps)
      })
      return true
    },
    [Symbol.dispose]: () => {
      database.close()
    },
  }
}

function runsOf(
  database: DatabaseSync,
  write: (action: () => void) => void,
  addSteps: (runId: string, steps: readonly string[]) => void,
): Pick<DaemonState, 'endRun' | 'unfinishedRuns' | 'lastRun' | 'pendingSteps' | 'stepDone' | 'stepFailed'> {
  const end = database.prepare('UPDATE run SET ended_at = ?, outcome = ?, message = ? WHERE run_id = ?')
  const forget = database.prepare(
    `DELETE FROM run WHERE run_id NOT IN (SELECT run_id FROM run ORDER BY run_id DESC LIMIT ${RUNS_MAX})
      AND run_id NOT IN (SELECT run_id FROM step)`,
  )
  const unfinished = database.prepare('SELECT run_id, request FROM run WHERE ended_at IS NULL ORDER BY run_id')
  const last = database.prepare(
    `SELECT run_id, outcome, message FROM run WHERE ended_at IS NOT NULL AND json_extract(request, '$.campaign') = ?
      ORDER BY ended_at DESC, run_id DESC LIMIT 1`,
  )
  const pending = database.prepare('SELECT run_id, step, attempts, message FROM step ORDER BY run_id, place')
  const done = database.prepare('DELETE FROM step WHERE run_id = ? AND step = ?')
  const fail = database.prepare('UPDATE step SET attempts = attempts + 1, message = ? WHERE run_id = ? AND step = ?')
  return {
    endRun: ({ runId, outcome, message }, endedAt, steps) => {
      write(() => {
        end.run(endedAt, outcome, message, runId)
        addSteps(runId, steps)
        forget.run()
      })
    },
    unfinishedRuns: (campaign) =>
      unfinished
        .all()
        .map((row) => ({
          runId: String(row['run_id']),
          request: JSON.parse(String(row['request'])) as RunRequest,
        }))
        .filter(({ request }) => request.campaign === campaign),
    lastRun: (campaign) => last.all(campaign).map(endedRunOf)[0],
    pendingSteps: () =>
      pending.all().map((row) => ({
        runId: String(row['run_id']),
        step: String(row['step']),
        attempts: Number(row['attempts']),
        message: textOf(row['message']),
      })),
    stepDone: (runId, step) => {
      write(() => {
        done.run(runId, step)
      })
    },
    stepFailed: (runId, step, message) => {
      write(() => {
        fail.run(message, runId, step)
      })
    },
  }
}

function schedulesOf(
  database: DatabaseSync,
  write: (action: () => void) => void,
): Pick<DaemonState, 'servedMs' | 'setServedMs'> {
  const find = database.prepare('SELECT served_ms FROM schedule WHERE name = ? AND expression = ?')
  const set = database.prepare('INSERT OR REPLACE INTO schedule (name, expression, served_ms) VALUES (?, ?, ?)')
  return {
    servedMs: (name, expression) => {
      const row = find.get(name, expression)
      return row === undefined ? undefined : Number(row['served_ms'])
    },
    setServedMs: (name, expression, servedMs) => {
      write(() => {
        set.run(name, expression, Math.round(servedMs))
      })
    },
  }
}

function endedRunOf(row: Row): EndedRun {
  return {
    runId: String(row['run_id']),
    // Only `endRun` and `adoptRun` write this column.
    outcome: String(row['outcome']) as RunEnding,
    message: textOf(row['message']),
  }
}

function textOf(value: SQLOutputValue | undefined): string | null {
  return value === null || value === undefined ? null : String(value)
}
