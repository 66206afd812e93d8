/**
 * Reads an authoritative query log, live while a run goes on or afterwards.
 *
 * A file that is rotated (renamed, or cut off in place) is read to its end before the new one is begun. Rotated files of
 * our own (`FILE.1`, …) are read first where they are young enough.
 *
 * **Invariant**: memory is bounded by one chunk, one line and the queries of one call.
 *
 * Format: docs/formats/authority-log.md
 */
import { parseTime } from '../../core/clock.ts'
import { FileError, type Files, type ReadFile } from '../../core/files.ts'
import { createLineSplitter } from '../../core/line-splitter.ts'
import type { AuthorityLogSource, AuthorityQuery } from '../../model/authority-query.ts'
import { createAuthorityLogParser, type MalformedLine } from './authority-log-parser.ts'

/** A log that is being read. */
export interface AuthorityLogReader extends AuthorityLogSource {
  malformedCount(): number
  /** The first ten lines that made no sense. */
  malformedLines(): readonly MalformedLine[]
  close(): Promise<void>
}

/** What to read. */
export interface AuthorityLogReaderOptions {
  readonly files: Files
  readonly path: string
  /** Queries before this moment are left out, Unix milliseconds. */
  readonly sinceMs: number
}

const CHUNK_OCTETS = 262_144
/** {@link AuthorityLogSource.take} promises this. */
const QUERIES_MAX = 100_000
const ROTATED_FILES_MAX = 99
const ROTATION_TRIES_MAX = 5
/** So many calls find a rotation that is not over, before what is missing is given up. */
const WAITS_MAX = 20

/**
 * Opens a log; a file that is not there yet is waited for.
 *
 * @throws {FileError} When the file is there and cannot be read.
 */
export async function openAuthorityLogReader(options: AuthorityLogReaderOptions): Promise<AuthorityLogReader> {
  const { files, path, sinceMs } = options
  const parser = createAuthorityLogParser()
  const splitter = createLineSplitter()
  /** The file being read, then those that are newer and already open. */
  const queue: ReadFile[] = []
  let first = await findOldest(files, path, sinceMs)
  let waits = 0
  /** @returns Whether there is another file than the one that was read to its end. */
  const openNext = async (file: ReadFile): Promise<boolean> => {
    if (await file.isAt(path)) return false
    const newer = await openNewer(files, path, file)
    waits = newer === undefined ? waits + 1 : 0
    // In the middle of a rotation the names say nothing yet. A file that stays away for good is not waited for.
    if (newer === undefined && waits < WAITS_MAX) return false
    waits = 0
    queue.push(...(newer ?? []))
    return true
  }
  const readChunk = async (): Promise<Uint8Array | undefined> => {
    for (let opened = 0; opened <= ROTATED_FILES_MAX + 1; opened++) {
      const [file] = queue
      if (file === undefined) {
        const next = await openOrNone(files, first)
        first = path
        if (next === undefined) return undefined
        queue.push(next)
        continue
      }
      const chunk = await file.read(CHUNK_OCTETS)
      if (chunk.length > 0) return chunk
      if (queue.length === 1) {
        if (!(await openNext(file))) return undefined
        // What was written between the last read and the rotation.
        const rest = await file.read(CHUNK_OCTETS)
        if (rest.length > 0) return rest
      }
      queue.shift()
      await file.close()
    }
    return undefined
  }
  return {
    take: async () => {
      const queries: AuthorityQuery[] = []
      const keep = (found: readonly AuthorityQuery[]): void => {
        for (const query of found) if (parseTime(query.timestamp) >= sinceMs) queries.push(query)
      }
      while (queries.length < QUERIES_MAX - CHUNK_OCTETS / 32) {
        const chunk = await readChunk()
        if (chunk === undefined) {
          if (queries.length === 0) keep(parser.flush())
          break
        }
        for (const line of splitter.take(chunk)) keep(parser.take(line))
      }
      return queries
    },
    malformedCount: () => parser.malformedCount(),
    malformedLines: () => parser.malformedLines(),
    close: async () => {
      await Promise.all(queue.splice(0).map((file) => file.close()))
    },
  }
}

async function openOrNone(files: Files, path: string): Promise<ReadFile | undefined> {
  try {
    return await files.openRead(path)
  } catch (error) {
    if (error instanceof FileError && error.code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Opens what came after a file that was rotated away, the one that is being written now included: between two looks there
 * may have been several rotations.
 *
 * A rotation renames from the oldest to the newest. So the names are right when none was missing and the file is still where
 * it was before they were opened.
 *
 * @returns Oldest first; `undefined` while a rotation goes on, or when there is no newer file (yet).
 */
async function openNewer(files: Files, path: string, file: ReadFile): Promise<readonly ReadFile[] | undefined> {
  for (let tries = 0; tries < ROTATION_TRIES_MAX; tries++) {
    const place = await findPlace(path, file)
    const names = Array.from({ length: (place ?? 1) - 1 }, (_, index) => `${path}.${(place ?? 1) - 1 - index}`)
    const opened: ReadFile[] = []
    for (const name of [...names, path]) {
      const next = await openOrNone(files, name)
      if (next !== undefined) opened.push(next)
    }
    const stayed = place === undefined || (await file.isAt(`${path}.${place}`))
    if (stayed && opened.length === names.length + 1) return opened
    await Promise.all(opened.map((next) => next.close()))
  }
  return undefined
}

async function findPlace(path: string, file: ReadFile): Promise<number | undefined> {
  for (let index = 1; index <= ROTATED_FILES_MAX; index++) if (await file.isAt(`${path}.${index}`)) return index
  return undefined
}

/** @returns The oldest rotated file that was written after a moment, or `path` itself. */
async function findOldest(files: Files, path: string, sinceMs: number): Promise<string> {
  let oldest = path
  for (let index = 1; index <= ROTATED_FILES_MAX; index++) {
    const info = await files.info(`${path}.${index}`)
    if (info?.kind !== 'file' || info.modifiedAtMs < sinceMs) break
    oldest = `${path}.${index}`
  }
  return oldest
}
