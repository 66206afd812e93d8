/**
 * One log file for each run, beside the log of the daemon: JSON Lines in `logs/run_RUNID.jsonl` (0600).
 *
 * Invariant: a log that cannot be written stops nothing; a file and the number of files are bounded.
 */
import { formatIsoTime, type Clock } from '../core/clock.ts'
import { FileError, joinPath, type AppendFile, type Files } from '../core/files.ts'
import type { LogSink } from '../core/log.ts'

const DIRECTORY_MODE = 0o700
const FILE_MODE = 0o600
/** A run over all exits, with every circuit at level debug, has some ten thousand lines. */
const FILE_OCTETS_MAX = 64 * 1024 * 1024
/** Lines that wait for the disk; more are dropped, and counted. */
const WAITING_MAX = 10_000

/** The log of one run. */
export interface RunLog {
  readonly sink: LogSink
  /** Writes what waits, then closes. Never rejects. */
  close(): Promise<void>
}

/** What a log needs. */
export interface RunLogDependencies {
  readonly clock: Clock
  readonly files: Files
  /** Called once, with the reason, when the file cannot be written. */
  readonly onFailure: (message: string) => void
}

/** Opens the log of a run; a run that is resumed goes on in the same file. */
export async function openRunLog(dependencies: RunLogDependencies, directory: string, runId: string): Promise<RunLog> {
  const path = joinPath(directory, `run_${runId}.jsonl`)
  const { files, onFailure } = dependencies
  let file: AppendFile | undefined
  try {
    await files.makeDirectory(directory, DIRECTORY_MODE)
    file = await files.openAppend(path, FILE_MODE)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    onFailure(error.message)
  }
  return new FileLog(dependencies, file)
}

class FileLog implements RunLog {
  readonly #dependencies: RunLogDependencies
  #file: AppendFile | undefined
  #waiting: string[] = []
  #dropped = 0
  #writing: Promise<void> | undefined

  constructor(dependencies: RunLogDependencies, file: AppendFile | undefined) {
    this.#dependencies = dependencies
    this.#file = file
  }

  readonly sink: LogSink = (level, event, fields) => {
    if (this.#file === undefined) return
    if (this.#waiting.length >= WAITING_MAX) {
      this.#dropped += 1
      return
    }
    const timestamp = formatIsoTime(this.#dependencies.clock.wallNowMs())
    this.#waiting.push(`${JSON.stringify({ timestamp, level, event, ...fields })}\n`)
    this.#writing ??= this.#write()
  }

  async close(): Promise<void> {
    await this.#writing
    const file = this.#file
    this.#file = undefined
    await file?.close().catch(() => {})
  }

  async #write(): Promise<void> {
    for (let file = this.#file; file !== undefined && this.#waiting.length > 0; file = this.#file) {
      const lines = this.#waiting
      this.#waiting = []
      if (this.#dropped > 0)
        lines.push(`${JSON.stringify({ event: 'daemon.run_log.dropped', lines: this.#dropped })}\n`)
      this.#dropped = 0
      try {
        if (file.sizeOctets < FILE_OCTETS_MAX) await file.append(new TextEncoder().encode(lines.join('')))
      } catch (error) {
        if (!(error instanceof FileError)) throw error
        this.#file = undefined
        this.#dependencies.onFailure(error.message)
        await file.close().catch(() => {})
      }
    }
    this.#waiting = []
    this.#writing = undefined
  }
}

/** Removes all but the newest logs of a directory. @returns How many were removed. @throws {FileError} */
export async function removeOldRunLogs(files: Files, directory: string, kept: number): Promise<number> {
  const names = (await files.list(directory)).filter((name) => /^run_\d{14}\.jsonl$/.test(name))
  const old = names.slice(0, Math.max(0, names.length - kept))
  for (const name of old) await files.remove(joinPath(directory, name))
  return old.length
}
