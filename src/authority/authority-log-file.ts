/**
 * The query log of the authority: JSON Lines, bounded in size, mode 0600.
 *
 * When the file has reached its size it becomes `FILE.1`, that one `FILE.2`, and so on; the oldest is removed. Strangers
 * who flood the server cannot wash a run's evidence out of the log: records of other names have a budget per second.
 *
 * Invariant: never holds more than {@link QUEUE_MAX} records in memory; what does not fit is counted.
 *
 * Format: docs/formats/authority-log.md
 */
import { sleep, type Clock } from '../core/clock.ts'
import { FileError, type AppendFile, type Files } from '../core/files.ts'
import type { Limit } from '../core/limit.ts'
import type { Log } from '../core/log.ts'
import type { AuthorityQuery } from '../model/authority-query.ts'
import type { AuthoritySink } from './authority-sink.ts'

/** Size of one log file. */
export const LOG_SIZE_LIMIT: Limit = {
  default: 268_435_456,
  min: 65_536,
  max: 68_719_476_736,
  unit: 'octets',
  why: 'about 700,000 queries: a day of hourly runs over all exits, with a resolver farm asking several times',
}

/** How many files with a number are kept beside the current one. */
export const LOG_FILES_LIMIT: Limit = {
  default: 3,
  min: 1,
  max: 99,
  unit: 'files',
  why: 'a run that began before a rotation still finds its queries',
}

const QUEUE_MAX = 65_536
const LINES_PER_WRITE_MAX = 2_048
/** Records reach the disk this often: a run that follows the file sees them while its attempts are young. */
const FLUSH_MS = 100
const OTHER_RECORDS_PER_SECOND = 1_000
const MODE = 0o600

/** How a log is kept. */
export interface AuthorityLogOptions {
  readonly files: Files
  readonly clock: Clock
  readonly log: Log
  readonly path: string
  /** Size of one file, in octets. */
  readonly sizeOctetsMax: number
  /** How many rotated files are kept. */
  readonly filesMax: number
}

/** A log that is open. */
export interface AuthorityLogFile extends AuthoritySink {
  /** Records that were not written because they came too fast or the disk refused them. */
  dropped(): number
  /** Writes what is waiting and closes the file. @throws {FileError} When the disk refuses it. */
  close(): Promise<void>
}

/** Opens (or continues) a log. @throws {FileError} When the file cannot be opened. */
export async function openAuthorityLog(options: AuthorityLogOptions): Promise<AuthorityLogFile> {
  const { clock, log } = options
  const queue: AuthorityQuery[] = []
  const stop = new AbortController()
  let file = await openFile(options)
  let dropped = 0
  let otherTokens = OTHER_RECORDS_PER_SECOND
  let refilledAtMs = clock.nowMs()

  const takeOtherToken = (): boolean => {
    const nowMs = clock.nowMs()
    const refill = ((nowMs - refilledAtMs) * OTHER_RECORDS_PER_SECOND) / 1000
    otherTokens = Math.min(OTHER_RECORDS_PER_SECOND, otherTokens + refill)
    refilledAtMs = nowMs
    if (otherTokens < 1) return false
    otherTokens -= 1
    return true
  }
  const flush = async (): Promise<void> => {
    while (queue.length > 0) {
      const lines = queue.splice(0, LINES_PER_WRITE_MAX)
      const octets = new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
      try {
        if (file.sizeOctets > 0 && file.sizeOctets + octets.length > options.sizeOctetsMax) {
          file = await rotate(options, file)
        }
        await file.append(octets)
      } catch (error) {
        if (!(error instanceof FileError)) throw error
        dropped += lines.length
        log.error('authority.log.failed', { path: error.path, code: error.code, dropped })
      }
    }
  }
  const writer = (async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await sleep(clock, FLUSH_MS, stop.signal)
      await flush()
    }
  })()
  return {
    record: (query, ofRun) => {
      if (queue.length < QUEUE_MAX && (ofRun || takeOtherToken())) queue.push(query)
      else dropped += 1
    },
    dropped: () => dropped,
    close: async () => {
      stop.abort()
      await writer
      try {
        await file.sync()
      } finally {
        await file.close()
      }
    },
  }
}

async function openFile({ files, path }: AuthorityLogOptions): Promise<AppendFile> {
  const file = await files.openAppend(path, MODE)
  // A kill in the middle of a write leaves half a line; the next record must not be glued to it.
  if (file.sizeOctets > 0) await file.append(Uint8Array.of(0x0a))
  return file
}

async function rotate(options: AuthorityLogOptions, file: AppendFile): Promise<AppendFile> {
  const { files, path, filesMax } = options
  await files.remove(`${path}.${filesMax}`)
  for (let index = filesMax - 1; index >= 1; index--) {
    if ((await files.info(`${path}.${index}`)) !== undefined)
      await files.rename(`${path}.${index}`, `${path}.${index + 1}`)
  }
  await files.rename(path, `${path}.1`)
  const next = await openFile(options)
  await file.close()
  return next
}
