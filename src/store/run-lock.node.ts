/**
 * One run at a time in a data directory.
 *
 * Node has no flock, so the lock is an exclusive transaction of SQLite on `lock.db`: the system frees it when the process
 * ends, however it ends. Beside it `lock.json` says who holds it, because a locked database cannot be read; that file
 * proves nothing and may be stale.
 *
 * Sources: https://sqlite.org/lockingv3.html
 */
import { chmod, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { BusyError, RunError } from '../core/config-error.ts'

/** SQLITE_BUSY: https://sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5

/** A lock that is held until it is released or the process ends. */
export interface RunLock extends AsyncDisposable {
  /** Lets others in; does nothing the second time. */
  release(): Promise<void>
}

/**
 * Takes the lock of a data directory, creating the directory (0700) when it is new. Never waits.
 *
 * @param purpose - What holds the lock, for the message that others get: `candor exits run`.
 * @throws {BusyError} When somebody else holds it.
 * @throws {RunError} When the directory cannot be used.
 */
export async function acquireRunLock(directory: string, purpose: string): Promise<RunLock> {
  const path = join(directory, 'lock.db')
  const holderPath = join(directory, 'lock.json')
  let database: DatabaseSync
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await (await open(path, 'a', 0o600)).close()
    await chmod(path, 0o600)
    database = new DatabaseSync(path, { timeout: 0 })
  } catch (cause) {
    throw unusable(directory, cause)
  }
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    if (!isBusy(cause)) throw unusable(directory, cause)
    throw new BusyError(
      `the data directory ${directory} is in use by ${await describeHolder(holderPath)}`,
      'wait until it has finished, or use another data directory',
      { cause },
    )
  }
  try {
    await writeFile(holderPath, JSON.stringify({ pid: process.pid, purpose }), { mode: 0o600 })
  } catch (cause) {
    database.close()
    throw unusable(directory, cause)
  }
  let held = true
  const release = async (): Promise<void> => {
    if (!held) return
    held = false
    await rm(holderPath, { force: true })
    // Closing rolls the transaction back.
    database.close()
  }
  return { release, [Symbol.asyncDispose]: release }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY
}

function unusable(directory: string, cause: unknown): RunError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new RunError(
    `the data directory ${directory} cannot be used: ${reason}`,
    'check its owner, its mode and the space on its disk',
    {
      cause,
    },
  )
}

async function describeHolder(path: string): Promise<string> {
  try {
    const holder: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (typeof holder === 'object' && holder !== null && 'pid' in holder && 'purpose' in holder) {
      return `${String(holder.purpose)} (process ${String(holder.pid)})`
    }
  } catch {
    // The holder has just begun, or is about to end.
  }
  return 'another run'
}
