/**
 * A directory of JSON Lines that a command of `candor satellite` writes.
 *
 * **Invariant**: a new or empty directory, so that no earlier result is mixed with this one; files appear when their first
 * line does.
 */
import { ConfigError } from '../core/config-error.ts'
import { joinPath, type AppendFile, type Files } from '../core/files.ts'

const FILE_MODE = 0o644
const DIRECTORY_MODE = 0o755
/** One write of the system for some hundred rows. */
const BUFFER_CHARS = 1024 * 1024

/** The files of one directory. */
export interface SatelliteTree {
  /** Adds a line to a file below the directory. */
  write(path: string, record: unknown): Promise<void>
  /** How many lines each file has. */
  counts(): ReadonlyMap<string, number>
  /** Writes what is left, and waits until it is on the disk. */
  close(): Promise<void>
}

interface OpenFile {
  readonly file: AppendFile
  pending: string[]
  pendingChars: number
  lines: number
}

/** @throws {ConfigError} When the directory holds something, or is none. */
export async function openSatelliteTree(files: Files, directory: string): Promise<SatelliteTree> {
  const info = await files.info(directory)
  if (info !== undefined && (info.kind !== 'directory' || (await files.list(directory)).length > 0)) {
    throw new ConfigError(
      '--output',
      info.kind === 'directory' ? `the directory ${directory} is not empty` : `${directory} is no directory`,
      `--output ${directory}-2, or another directory that is empty or not there yet`,
    )
  }
  await files.makeDirectory(directory, DIRECTORY_MODE)
  const open = new Map<string, OpenFile>()
  const openFile = async (path: string): Promise<OpenFile> => {
    const slash = path.lastIndexOf('/')
    if (slash !== -1) await files.makeDirectory(joinPath(directory, path.slice(0, slash)), DIRECTORY_MODE)
    const file = await files.openAppend(joinPath(directory, path), FILE_MODE)
    const opened = { file, pending: [], pendingChars: 0, lines: 0 }
    open.set(path, opened)
    return opened
  }
  return {
    write: async (path, record) => {
      const target = open.get(path) ?? (await openFile(path))
      const line = `${JSON.stringify(record)}\n`
      target.pending.push(line)
      target.pendingChars += line.length
      target.lines++
      if (target.pendingChars >= BUFFER_CHARS) await flush(target)
    },
    counts: () => new Map([...open].map(([path, { lines }]) => [path, lines])),
    close: async () => {
      for (const target of open.values()) {
        await flush(target)
        await target.file.sync()
        await target.file.close()
      }
    },
  }
}

async function flush(target: OpenFile): Promise<void> {
  const text = target.pending.join('')
  target.pending = []
  target.pendingChars = 0
  await target.file.append(new TextEncoder().encode(text))
}
