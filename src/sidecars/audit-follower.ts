/**
 * Follows the audit file of SmartDNS over its rotations, and over a pause of whoever follows.
 *
 * SmartDNS renames a full file to `FILE.pending`, packs it by a child of its own, and names it `FILE-DATE-TIME.gz`. The file
 * that is open here stays readable meanwhile. What was written while nobody followed is found in the packed files by its
 * time.
 *
 * **Invariant**: a line that was taken is not taken again, also by the next process when it is given the position; memory
 * is bounded by one packed file.
 */
import { FileError, joinPath, type Files, type ReadFile } from '../core/files.ts'
import { gunzip } from '../core/gzip.ts'
import { createLineSplitter, type LineSplitter } from '../core/line-splitter.ts'
import type { RuntimeObservation } from '../model/runtime-observation.ts'
import { parseAuditLine } from './audit-line.ts'

const CHUNK_OCTETS = 262_144
const CHUNKS_PER_TAKE_MAX = 16
const PACKED_OCTETS_MAX = 67_108_864
/** So many calls find a file that is still being packed, before it is given up. */
const PENDING_WAITS_MAX = 50

/** How far a log was taken: the time of the last line, and how many lines of that millisecond. */
export interface AuditPosition {
  readonly atMs: number
  readonly lines: number
}

/** What a call found. */
export interface AuditTaken {
  readonly observations: readonly RuntimeObservation[]
  readonly malformed: number
  /** Whether the next call finds more at once. */
  readonly isMore: boolean
}

/** A log that is followed. */
export interface AuditFollower {
  /** @returns What is there since the last call; perhaps not all of it. @throws {FileError} When it cannot be read. */
  take(): Promise<AuditTaken>
  position(): AuditPosition
  close(): Promise<void>
}

/** What to follow. */
export interface AuditFollowerOptions {
  readonly files: Files
  readonly directory: string
  /** Name of the audit file in it. */
  readonly name: string
  /** Where the process before this one stood. */
  readonly from: AuditPosition
}

/** Follows; a file that is not there yet is waited for. */
export function createAuditFollower(options: AuditFollowerOptions): AuditFollower {
  return new Follower(options)
}

class Follower implements AuditFollower {
  readonly #options: AuditFollowerOptions
  #position: AuditPosition
  #file: ReadFile | undefined
  #splitter: LineSplitter = createLineSplitter()
  /** Whether the lines of the file that is opened next may have been taken by an earlier process. */
  #isFirst = true
  /** For the open file; `null` where every line is new. */
  #catchUp: CatchUp | null = null
  readonly #known = new Set<string>()
  #pendingWaits = 0
  #found: RuntimeObservation[] = []
  #malformed = 0

  constructor(options: AuditFollowerOptions) {
    this.#options = options
    this.#position = options.from
  }

  position(): AuditPosition {
    return this.#position
  }

  async take(): Promise<AuditTaken> {
    this.#found = []
    this.#malformed = 0
    const path = joinPath(this.#options.directory, this.#options.name)
    let isMore = true
    for (let chunks = 0; isMore && chunks < CHUNKS_PER_TAKE_MAX; chunks++) {
      if (this.#file === undefined) {
        const catchUp: CatchUp = { base: this.#position, seen: 0 }
        if (!(await this.#takePacked(catchUp))) {
          isMore = false
          break
        }
        this.#file = await openOrNone(this.#options.files, path)
        if (this.#file === undefined) {
          isMore = false
          break
        }
        this.#catchUp = this.#isFirst ? catchUp : null
        this.#isFirst = false
        this.#splitter = createLineSplitter()
      }
      if (await this.#takeChunk(this.#file)) continue
      if (await this.#file.isAt(path)) {
        isMore = false
        break
      }
      // What came between the last read and the rotation.
      if (await this.#takeChunk(this.#file)) continue
      await this.#file.close()
      this.#file = undefined
    }
    return { observations: this.#found, malformed: this.#malformed, isMore }
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }

  async #takeChunk(file: ReadFile): Promise<boolean> {
    const chunk = await file.read(CHUNK_OCTETS)
    if (chunk.length === 0) return false
    this.#takeLines(this.#splitter.take(chunk), this.#catchUp)
    return true
  }

  /** Reads packed files that are new here. @returns `false` while one is being packed. */
  async #takePacked(catchUp: CatchUp): Promise<boolean> {
    const { files, directory, name } = this.#options
    const names = (await files.list(directory)).filter(
      (each) => each.startsWith(`${name}-`) || each.startsWith(`${name}.`),
    )
    const isPending = names.some((each) => each.startsWith(`${name}.pending`))
    if (isPending && ++this.#pendingWaits < PENDING_WAITS_MAX) return false
    this.#pendingWaits = 0
    const packed = names.filter((each) => each.endsWith('.gz') && !this.#known.has(each) && !each.includes('.pending'))
    for (const each of packed.toSorted(compareArchives)) {
      this.#known.add(each)
      const path = joinPath(directory, each)
      const info = await files.info(path)
      if (info === undefined || info.modifiedAtMs + 1_000 < this.#position.atMs) continue
      await this.#takeArchive(path, catchUp)
    }
    const present = new Set(names)
    for (const each of this.#known) if (!present.has(each)) this.#known.delete(each)
    return true
  }

  async #takeArchive(path: string, catchUp: CatchUp): Promise<void> {
    let octets: Uint8Array<ArrayBuffer>
    try {
      octets = new Uint8Array(await this.#options.files.read(path, PACKED_OCTETS_MAX))
    } catch (error) {
      // The oldest is removed by the next rotation, perhaps just now.
      if (error instanceof FileError && error.code === 'ENOENT') return
      throw error
    }
    const text = await gunzip(octets, PACKED_OCTETS_MAX)
    if (text === undefined) this.#malformed++
    else this.#takeLines(createLineSplitter().take(text), catchUp)
  }

  #takeLines(lines: readonly string[], catchUp: CatchUp | null): void {
    for (const line of lines) {
      const read = parseAuditLine(line)
      if (read.kind === 'malformed') this.#malformed++
      if (read.kind !== 'observation') continue
      const { observation } = read
      if (catchUp !== null && wasTaken(catchUp, observation.atMs)) continue
      const { atMs, lines: taken } = this.#position
      this.#position = { atMs: observation.atMs, lines: observation.atMs === atMs ? taken + 1 : 1 }
      this.#found.push(observation)
    }
  }
}

/** Reading again what may have been taken: lines up to a position are passed over. */
interface CatchUp {
  readonly base: AuditPosition
  /** Lines of the base's millisecond that were passed over. */
  seen: number
}

function wasTaken(catchUp: CatchUp, atMs: number): boolean {
  if (atMs !== catchUp.base.atMs) return atMs < catchUp.base.atMs
  return ++catchUp.seen <= catchUp.base.lines
}

/** By date and time, then by the number that a second rotation within a second gets. */
function compareArchives(a: string, b: string): number {
  const keyOf = (name: string): string => {
    const [, moment = '', index = '0'] = /-(\d{8}-\d{6})(?:-(\d+))?\.gz$/.exec(name) ?? []
    return `${moment}-${index.padStart(6, '0')}`
  }
  const [left, right] = [keyOf(a), keyOf(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

async function openOrNone(files: Files, path: string): Promise<ReadFile | undefined> {
  try {
    return await files.openRead(path)
  } catch (error) {
    if (error instanceof FileError && error.code === 'ENOENT') return undefined
    throw error
  }
}
