/**
 * The journal of a run on a file: JSON Lines, appended in batches that share an fsync, read back after a kill.
 *
 * Invariant: an entry that was acknowledged is on the disk, whole; one that was refused is not read back. After the first
 * failure nothing more is accepted, because what follows a gap proves nothing.
 *
 * Format: docs/formats/journal.md
 */
import { assert } from '../core/assert.ts'
import { FileError, type AppendFile, type Files } from '../core/files.ts'
import type { Json } from '../core/log.ts'
import type { Journal, JournalEntry } from '../model/journal.ts'

/** One relay with every attempt and three circuits takes some 10 kB; evidence of modules may be larger. */
const LINE_OCTETS_MAX = 1_048_576
/** A run of 3,000 relays takes some 20 MB. What is read back is held in memory as a whole. */
const JOURNAL_OCTETS_MAX = 268_435_456
/** One write and one fsync carry at most this and one line. */
const BATCH_OCTETS_MAX = 1_048_576
/** Callers wait for their entry, so more than this in the queue means that one of them does not. */
const QUEUE_ENTRIES_MAX = 65_536
const JOURNAL_MODE = 0o600
const LINE_FEED = 0x0a

/** What a journal held. */
export interface JournalContent {
  /** In the order in which they were written. */
  readonly entries: readonly JournalEntry[]
  /** Octets up to the end of the last valid line: where {@link openJournal} goes on. */
  readonly validOctets: number
  /** Whether anything follows the last valid line: the trace of a kill or of a full disk. */
  readonly torn: boolean
  /** Numbers (from 1) of the lines before the last valid one that are no entries: the trace of a damaged file. */
  readonly malformedLines: readonly number[]
}

/**
 * Reads a journal back. A file that is not there is an empty journal.
 *
 * @throws {FileError} When it cannot be read, or is longer than 256 MiB (`TOO_LARGE`).
 */
export async function readJournal(files: Files, path: string): Promise<JournalContent> {
  let octets: Uint8Array
  try {
    octets = await files.read(path, JOURNAL_OCTETS_MAX)
  } catch (error) {
    if (!(error instanceof FileError) || error.code !== 'ENOENT') throw error
    return { entries: [], validOctets: 0, torn: false, malformedLines: [] }
  }
  const entries: JournalEntry[] = []
  const malformed: number[] = []
  let malformedBeforeLast = 0
  let validOctets = 0
  let line = 1
  let from = 0
  // A last line without its end was never acknowledged, even if it happens to be whole.
  for (let at = octets.indexOf(LINE_FEED); at >= 0; at = octets.indexOf(LINE_FEED, from)) {
    const entry = parseEntry(octets.subarray(from, at))
    if (entry === undefined) {
      malformed.push(line)
    } else {
      entries.push(entry)
      validOctets = at + 1
      malformedBeforeLast = malformed.length
    }
    from = at + 1
    line++
  }
  const malformedLines = malformed.slice(0, malformedBeforeLast)
  return { entries, validOctets, torn: validOctets < octets.length, malformedLines }
}

function parseEntry(line: Uint8Array): JournalEntry | undefined {
  if (line.length > LINE_OCTETS_MAX) return undefined
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
  return isEntry(value) ? value : undefined
}

function isEntry(value: unknown): value is JournalEntry {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string'
}

/**
 * Opens a journal for appending, with mode 0600.
 *
 * @param keepOctets - What of an existing file is kept: {@link JournalContent.validOctets} to go on after a kill, 0 to
 *   begin anew.
 * @throws {FileError}
 */
export async function openJournal(files: Files, path: string, keepOctets: number): Promise<Journal> {
  const file = await files.openAppend(path, JOURNAL_MODE, keepOctets)
  return createJournal(files, path, file)
}

/** An entry that waits for its fsync. */
interface Waiting {
  readonly line: Uint8Array
  readonly resolve: () => void
  readonly reject: (error: FileError) => void
}

function createJournal(files: Files, path: string, file: AppendFile): Journal {
  const queue: Waiting[] = []
  let acknowledgedOctets = file.sizeOctets
  // With what waits in the queue.
  let promisedOctets = file.sizeOctets
  let fileOpen = true
  let failure: FileError | undefined
  let flushing: Promise<void> | undefined
  let closed = false

  const flush = async (): Promise<void> => {
    while (queue.length > 0) {
      const batch = takeBatch(queue)
      try {
        await file.append(joinLines(batch))
        await file.sync()
      } catch (error) {
        if (!(error instanceof FileError)) throw error
        failure = error
        // Before anybody hears of the failure: what was refused must not be read back.
        fileOpen = false
        await cutBack(files, path, file, acknowledgedOctets)
        for (const { reject } of [...batch, ...queue.splice(0)]) reject(error)
        break
      }
      acknowledgedOctets = file.sizeOctets
      for (const { resolve } of batch) resolve()
    }
    // In the same turn in which the queue was seen empty: whoever appends now must start a new flush.
    flushing = undefined
  }
  return {
    append: (entry) =>
      new Promise((resolve, reject) => {
        assert(!closed, 'nothing is appended to a journal that was closed')
        assert(queue.length < QUEUE_ENTRIES_MAX, 'whoever appends to a journal waits for it')
        const line = encodeEntry(entry)
        if (promisedOctets + line.length > JOURNAL_OCTETS_MAX) failure ??= new FileError('TOO_LARGE', path)
        if (failure !== undefined) {
          reject(failure)
          return
        }
        promisedOctets += line.length
        queue.push({ line, resolve, reject })
        flushing ??= flush()
      }),
    close: async () => {
      if (closed) return
      closed = true
      await flushing
      if (fileOpen) await file.close()
    },
  }
}

function encodeEntry(entry: JournalEntry): Uint8Array {
  const line = new TextEncoder().encode(`${JSON.stringify(entry satisfies Json)}\n`)
  assert(line.length <= LINE_OCTETS_MAX, 'a journal entry is at most 1 MiB long')
  return line
}

function takeBatch(queue: Waiting[]): readonly Waiting[] {
  let octets = 0
  let count = 0
  while (count < queue.length && octets < BATCH_OCTETS_MAX) octets += queue[count++]?.line.length ?? 0
  return queue.splice(0, count)
}

function joinLines(batch: readonly Waiting[]): Uint8Array {
  const octets = new Uint8Array(batch.reduce((sum, { line }) => sum + line.length, 0))
  let at = 0
  for (const { line } of batch) {
    octets.set(line, at)
    at += line.length
  }
  return octets
}

/** As far as the disk still lets us: what fails here is found as a torn tail when the journal is read back. */
async function cutBack(files: Files, path: string, file: AppendFile, sizeOctets: number): Promise<void> {
  try {
    await file.close()
    const cut = await files.openAppend(path, JOURNAL_MODE, sizeOctets)
    await cut.sync()
    await cut.close()
  } catch (error) {
    if (!(error instanceof FileError)) throw error
  }
}
