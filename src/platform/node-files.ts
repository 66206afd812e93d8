/**
 * Files of the machine.
 *
 * Invariant: a file that `writeAtomic` replaces is seen whole, old or new, also after a power cut; a temporary file is
 * never left behind by a failure.
 *
 * Sources: Pillai et al., "All File Systems Are Not Created Equal" (OSDI 2014): rename is durable only after an fsync of
 * the file before and of the directory after it.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, readdir, realpath, rename, rm, stat, unlink, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { FileError, type AppendFile, type FileInfo, type Files, type ReadFile } from '../core/files.ts'
import { errorCode } from './node-failure.ts'

const READ_CHUNK_OCTETS = 65_536

/** The file system of the machine. */
export const nodeFiles: Files = {
  read,
  readPart,
  openRead,
  writeAtomic,
  openAppend,
  info,
  list,
  makeDirectory,
  remove: (path) => guard(path, () => rm(path, { recursive: true, force: true })),
  resolve: (path) => guard(path, () => realpath(path)),
  rename: (from, to) => guard(from, () => rename(from, to)),
}

async function guard<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw toFileError(path, error)
  }
}

/** What is no error of the system is given back as it is: a bug. */
function toFileError(path: string, error: unknown): unknown {
  if (error instanceof FileError) return error
  const code = errorCode(error)
  return code === 'UNKNOWN' || code.startsWith('ERR_') ? error : new FileError(code, path, { cause: error })
}

function read(path: string, maxOctets: number): Promise<Uint8Array> {
  return guard(path, async () => {
    await using file = await open(path, 'r')
    const { size } = await file.stat()
    if (size > maxOctets) throw new FileError('TOO_LARGE', path)
    // The size is a hint only: files of /proc say 0, and another process may be writing.
    let content = new Uint8Array(Math.min(size, maxOctets) + 1)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(content, length, content.length - length)
      if (bytesRead === 0) return content.slice(0, length)
      length += bytesRead
      if (length > maxOctets) throw new FileError('TOO_LARGE', path)
      if (length === content.length) {
        const larger = new Uint8Array(Math.min(length * 2 + READ_CHUNK_OCTETS, maxOctets + 1))
        larger.set(content)
        content = larger
      }
    }
  })
}

function readPart(path: string, offset: number, octets: number): Promise<Uint8Array<ArrayBuffer>> {
  return guard(path, async () => {
    await using file = await open(path, 'r')
    const content = new Uint8Array(octets)
    let length = 0
    while (length < octets) {
      const { bytesRead } = await file.read(content, length, octets - length, offset + length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    return length === octets ? content : content.slice(0, length)
  })
}

function openRead(path: string): Promise<ReadFile> {
  return guard(path, async () => {
    const file = await open(path, 'r')
    let position = 0
    return {
      read: (maxOctets) =>
        guard(path, async () => {
          const { bytesRead, buffer } = await file.read(new Uint8Array(maxOctets), 0, maxOctets, position)
          position += bytesRead
          return buffer.subarray(0, bytesRead)
        }),
      isAt: (name) =>
        guard(name, async () => {
          const mine = await file.stat()
          const named = await stat(name).catch((error: unknown) => {
            if (errorCode(error) === 'ENOENT') return undefined
            throw error
          })
          return named?.ino === mine.ino && named.dev === mine.dev && mine.size >= position
        }),
      close: () => guard(path, () => file.close()),
    }
  })
}

function writeAtomic(path: string, content: Uint8Array | string, mode: number): Promise<void> {
  return guard(path, async () => {
    const octets = typeof content === 'string' ? new TextEncoder().encode(content) : content
    const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
    const file = await open(temporary, 'wx', mode)
    try {
      try {
        await file.chmod(mode) // the umask took bits away
        await writeAll(file, octets)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
    await syncDirectory(dirname(path))
  })
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r')
  try {
    await directory.sync()
  } catch (error) {
    // Some file systems (9p, FUSE) cannot sync a directory; there is nothing more that can be done there.
    if (!['EINVAL', 'ENOTSUP', 'EPERM'].includes(errorCode(error))) throw error
  }
}

/** @returns How many octets were written: all. @throws With `written` octets on the file when the disk is full. */
async function writeAll(file: FileHandle, octets: Uint8Array, onWritten?: (count: number) => void): Promise<void> {
  let offset = 0
  while (offset < octets.length) {
    const { bytesWritten } = await file.write(octets, offset, octets.length - offset)
    offset += bytesWritten
    onWritten?.(bytesWritten)
  }
}

function openAppend(path: string, mode: number, truncateTo?: number): Promise<AppendFile> {
  return guard(path, async () => {
    const file = await openForAppending(path, mode)
    try {
      if (truncateTo !== undefined) await file.truncate(truncateTo)
      return appendFile(file, path, (await file.stat()).size)
    } catch (error) {
      await file.close()
      throw error
    }
  })
}

async function openForAppending(path: string, mode: number): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT
  let file: FileHandle
  try {
    file = await open(path, flags | constants.O_EXCL, mode)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    return await open(path, flags, mode)
  }
  try {
    await file.chmod(mode)
    // The name of a new file must survive a power cut as its content does.
    await syncDirectory(dirname(path))
    return file
  } catch (error) {
    await file.close()
    await unlink(path)
    throw error
  }
}

function appendFile(file: FileHandle, path: string, size: number): AppendFile {
  let sizeOctets = size
  // Appends are carried out in the order of their calls, whatever Node's thread pool does.
  let last: Promise<unknown> = Promise.resolve()
  const inOrder = (action: () => Promise<void>): Promise<void> => {
    const result = last.then(() => guard(path, action))
    last = result.catch(() => undefined)
    return result
  }
  return {
    get sizeOctets() {
      return sizeOctets
    },
    append: (octets) =>
      inOrder(() =>
        writeAll(file, octets, (count) => {
          sizeOctets += count
        }),
      ),
    sync: () => inOrder(() => file.sync()),
    close: () => inOrder(() => file.close()),
  }
}

async function info(path: string): Promise<FileInfo | undefined> {
  try {
    const found = await stat(path)
    return {
      kind: found.isFile() ? 'file' : found.isDirectory() ? 'directory' : found.isSocket() ? 'socket' : 'other',
      sizeOctets: found.size,
      mode: found.mode & 0o777,
      modifiedAtMs: found.mtimeMs,
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw toFileError(path, error)
  }
}

async function list(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).sort()
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw toFileError(directory, error)
  }
}

function makeDirectory(path: string, mode: number): Promise<void> {
  return guard(path, async () => {
    await mkdir(dirname(path), { recursive: true })
    try {
      await mkdir(path, { mode })
    } catch (error) {
      if (errorCode(error) !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error
      return
    }
    await using directory = await open(path, 'r')
    await directory.chmod(mode)
  })
}
