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
/** What the names of unfinished files end with. */
const PART = '.part'
/** One write of the system for some hundred rows. */
const BUFFER_CHARS = 1024 * 1024

/** The files of one directory. */
export interface SatelliteTree {
  /** Adds a line to a file below the directory. */
  write(path: string, record: unknown): Promise<void>
  /** Makes a file that has no line yet. */
  touch(path: string): Promise<void>
  /** Adds a line that is JSON already. */
  writeLine(path: string, line: string): Promise<void>
  /** How many lines each file has. */
  counts(): ReadonlyMap<string, number>
  /** Writes what is left, and waits until it is on the disk. */
  close(): Promise<void>
}

/** Files that may be given up. */
interface StageTree extends SatelliteTree {
  /** Closes what was written so far, which nobody will see. */
  abandon(): Promise<void>
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
  return createWriter(files, directory, '')
}

/**
 * Lets `work` write the files of one stage of a run into its directory: they get their names when all of them are whole, and
 * replace those of an earlier try. When it fails, nobody sees anything of them.
 */
export async function withStageTree<Result>(
  files: Files,
  directory: string,
  work: (tree: SatelliteTree) => Promise<Result>,
): Promise<Result> {
  await files.makeDirectory(directory, DIRECTORY_MODE)
  await removeParts(files, directory)
  const tree = createWriter(files, directory, PART)
  try {
    const result = await work(tree)
    await tree.close()
    return result
  } catch (error) {
    await tree.abandon()
    throw error
  }
}

/** What a killed process left. */
async function removeParts(files: Files, directory: string): Promise<void> {
  for (const parent of [directory, joinPath(directory, 'raw')]) {
    for (const name of await files.list(parent)) if (name.endsWith(PART)) await files.remove(joinPath(parent, name))
  }
}

/** @param suffix - What names have until the end; empty for names that they keep. */
function createWriter(files: Files, directory: string, suffix: string): StageTree {
  const open = new Map<string, OpenFile>()
  const openFile = async (path: string): Promise<OpenFile> => {
    const slash = path.lastIndexOf('/')
    if (slash !== -1) await files.makeDirectory(joinPath(directory, path.slice(0, slash)), DIRECTORY_MODE)
    const name = joinPath(directory, `${path}${suffix}`)
    const file = suffix === '' ? await files.openAppend(name, FILE_MODE) : await files.openAppend(name, FILE_MODE, 0)
    const opened = { file, pending: [], pendingChars: 0, lines: 0 }
    open.set(path, opened)
    return opened
  }
  const writeLine = async (path: string, line: string): Promise<void> => {
    const target = open.get(path) ?? (await openFile(path))
    target.pending.push(line, '\n')
    target.pendingChars += line.length + 1
    target.lines++
    if (target.pendingChars >= BUFFER_CHARS) await flush(target)
  }
  return {
    write: (path, record) => writeLine(path, JSON.stringify(record)),
    writeLine,
    touch: async (path) => {
      if (!open.has(path)) await openFile(path)
    },
    counts: () => new Map([...open].map(([path, { lines }]) => [path, lines])),
    abandon: async () => {
      await Promise.allSettled([...open.values()].map(({ file }) => file.close()))
    },
    close: async () => {
      for (const target of open.values()) {
        await flush(target)
        await target.file.sync()
        await target.file.close()
      }
      if (suffix === '') return
      for (const path of open.keys()) {
        await files.rename(joinPath(directory, `${path}${suffix}`), joinPath(directory, path))
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
