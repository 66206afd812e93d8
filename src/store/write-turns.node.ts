/**
 * Who may write to a database now.
 *
 * Within a process, writers of one file take turns: a transaction that gives other work a turn in between would otherwise
 * be waited for by code that keeps it from going on. Other processes are waited for without blocking this one.
 *
 * **Invariant**: at most one transaction that writes is open per file and process.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { DatabaseSync } from 'node:sqlite'

/** SQLITE_BUSY, in the lowest octet of what may say more: https://sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5
const PRIMARY_CODES = 256
/** Another process writes for a second at most, unless it imports or migrates. */
const ATTEMPTS_MAX = 3000
const PAUSE_MS = 20

const turns = new Map<string, Promise<unknown>>()

/** Does some writing once everybody before has finished. @returns What `work` gives. */
export function takeTurn<T>(path: string, work: () => Promise<T>): Promise<T> {
  const done = (turns.get(path) ?? Promise.resolve()).then(work)
  const settled = done.then(
    () => undefined,
    () => undefined,
  )
  turns.set(path, settled)
  void settled.then(() => {
    if (turns.get(path) === settled) turns.delete(path)
  })
  return done
}

/** Begins a transaction that writes; waits up to a minute for other processes. Throws what SQLite says then. */
export async function beginWriting(database: DatabaseSync): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      database.exec('BEGIN IMMEDIATE')
      return
    } catch (cause) {
      if (!isBusy(cause) || attempt === ATTEMPTS_MAX) throw cause
    }
    // Waits for another process.
    await pause(PAUSE_MS)
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && Number(error.errcode) % PRIMARY_CODES === SQLITE_BUSY
}
