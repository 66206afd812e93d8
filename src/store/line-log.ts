/**
 * A file of JSON Lines that only grows, for records of any number: what a long run has measured.
 *
 * Whoever appends is not held up by the disk until a bound; lines that wait share one write and one fsync.
 *
 * Invariant: a file that was cut off at any octet is read back up to its last whole line, and goes on from there. After the
 * first failure nothing more is accepted.
 */
import { assert } from '../core/assert.ts'
import { FileError, type Files } from '../core/files.ts'

const LOG_MODE = 0o600
const LINE_FEED = 0x0a
const READ_OCTETS = 262_144
/** What waits for the disk, at most. */
const WAITING_OCTETS_MAX = 4_194_304

/** A log that is open. */
export interface LineLog {
  /** Adds a record. @returns At once, or when there is room again. @throws {FileError} Also for an earlier record. */
  append(record: unknown): Promise<void>
  /** Waits until everything is on the disk. @throws {FileError} */
  flush(): Promise<void>
  /** Flushes and closes. @throws {FileError} */
  close(): Promise<void>
}

/** Opens a log behind its last whole line. @throws {FileError} */
export async function openLineLog(files: Files, path: string): Promise<LineLog> {
  const file = await files.openAppend(path, LOG_MODE, await findEnd(files, path))
  let waiting: Uint8Array[] = []
  let waitingOctets = 0
  let failure: FileError | undefined
  let flushing: Promise<void> | undefined

  const write = async (): Promise<void> => {
    try {
      while (waiting.length > 0) {
        const batch = joinLines(waiting, waitingOctets)
        waiting = []
        waitingOctets = 0
        await file.append(batch)
        await file.sync()
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      failure = error
    }
    flushing = undefined
  }
  const flush = async (): Promise<void> => {
    await flushing
    if (failure !== undefined) throw failure
  }
  return {
    append: async (record) => {
      if (failure !== undefined) throw failure
      const line = new TextEncoder().encode(`${JSON.stringify(record)}\n`)
      waiting.push(line)
      waitingOctets += line.length
      flushing ??= write()
      if (waitingOctets > WAITING_OCTETS_MAX) await flush()
    },
    flush,
    close: async () => {
      try {
        await flush()
      } finally {
        await file.close()
      }
    },
  }
}

/** The octets of a log up to its last whole line; none when there is no such file. @throws {FileError} */
export async function* readLineLog(files: Files, path: string): AsyncGenerator<Uint8Array> {
  let left = await findEnd(files, path)
  if (left === 0) return
  const file = await files.openRead(path)
  try {
    while (left > 0) {
      const octets = await file.read(Math.min(left, READ_OCTETS))
      assert(octets.length > 0, 'a log only grows')
      left -= octets.length
      yield octets
    }
  } finally {
    await file.close()
  }
}

/** Where the last whole line ends. */
async function findEnd(files: Files, path: string): Promise<number> {
  let end = (await files.info(path))?.sizeOctets ?? 0
  while (end > 0) {
    const from = Math.max(0, end - READ_OCTETS)
    const octets = await files.readPart(path, from, end - from)
    const at = octets.lastIndexOf(LINE_FEED)
    if (at >= 0) return from + at + 1
    end = from
  }
  return 0
}

function joinLines(lines: readonly Uint8Array[], length: number): Uint8Array {
  const octets = new Uint8Array(length)
  let at = 0
  for (const line of lines) {
    octets.set(line, at)
    at += line.length
  }
  return octets
}
