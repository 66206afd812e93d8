/**
 * The files of a scan on the disk: a directory at any depth, single files, `.gz`, `.tar` and `.tar.gz`.
 *
 * **Invariant**: everything is streamed; nothing is written, so that a name inside an archive leads nowhere. What is packed
 * more than a thousandfold tighter than text can be is refused, links are not followed, and what cannot be read is a problem
 * of that file alone.
 */
import { createReadStream } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline, Readable, Transform, type TransformCallback } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import { ScanReadError, type ScanFile } from './read-scan.ts'
import { parseScanName } from './scan-file-names.ts'

const DEPTH_MAX = 16
/** Fewer turns for files of many gigabytes. */
const READ_OCTETS = 1_048_576
const FILES_MAX = 100_000
/** JSON Lines of a scan pack some twenty times; zeros a thousand times. */
const PACKED_RATIO_MAX = 250
/** Below this nobody's disk is in danger. */
const UNPACKED_OCTETS_FREE = 64 * 1024 * 1024

/** A file that is named to nobody's use: reading it failed before it gave anything. */
export interface UnreadableFile {
  readonly path: string
  readonly problem: string
}

/** Lists and opens, in the order of the names; the octets of a file have to be taken before the next is asked for. Files whose base name no flavour knows are left out. */
export async function* openScan(path: string): AsyncGenerator<ScanFile | UnreadableFile> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) {
    yield { path, problem: 'there is no such file or directory' }
    return
  }
  if (!found.isDirectory()) {
    yield* openPath(path)
    return
  }
  const paths: string[] = []
  await walk(path, 0, paths)
  for (const each of paths.slice(0, FILES_MAX)) yield* openPath(each)
  if (paths.length > FILES_MAX) yield { path, problem: `more than ${FILES_MAX} files` }
}

async function walk(directory: string, depth: number, paths: string[]): Promise<void> {
  const names = await readdir(directory)
  for (const name of names.sort()) {
    if (paths.length > FILES_MAX) return
    const path = join(directory, name)
    const found = await lstat(path)
    if (found.isFile() && (isArchive(name) || parseScanName(name) !== undefined)) paths.push(path)
    else if (found.isDirectory() && depth < DEPTH_MAX) await walk(path, depth + 1, paths)
  }
}

function isArchive(name: string): boolean {
  return /\.(?:tar|tar\.gz|tgz)$/.test(name)
}

async function* openPath(path: string): AsyncGenerator<ScanFile | UnreadableFile> {
  if (isArchive(basename(path))) {
    yield* openArchive(path)
    return
  }
  const kind = parseScanName(basename(path))
  if (kind === undefined) yield { path, problem: 'no flavour has a file of this name' }
  else
    yield {
      path,
      kind,
      chunks: readChunks(() => unpack(createReadStream(path, { highWaterMark: READ_OCTETS }), path.endsWith('.gz'))),
    }
}

async function* openArchive(path: string): AsyncGenerator<ScanFile | UnreadableFile> {
  const entries = extract()
  const packed = unpack(createReadStream(path), !path.endsWith('.tar'))
  // Its failure reaches us through the entries.
  pipeline(packed, entries, () => undefined)
  let count = 0
  try {
    for await (const entry of entries) {
      const { name, type } = entry.header
      const kind = parseScanName(name)
      const label = `${path}:${name}`
      if (++count > FILES_MAX) throw new ScanReadError(`more than ${FILES_MAX} files`)
      // `pax_global_header` and directories are no files.
      if (kind !== undefined && type === 'file') {
        if (name.startsWith('/') || name.split('/').includes('..')) {
          yield { path: label, problem: 'the name leads out of the archive' }
        } else {
          yield { path: label, kind, chunks: readChunks(() => unpack(Readable.from(entry), name.endsWith('.gz'))) }
        }
      }
      // What nobody took has to go before the next entry comes.
      entry.resume()
    }
  } catch (error) {
    yield { path, problem: describe(error) }
  } finally {
    entries.destroy()
    packed.destroy()
  }
}

function unpack(stream: Readable, isPacked: boolean): Readable {
  if (!isPacked) return stream
  let packedOctets = 0
  let unpackedOctets = 0
  const before = countOctets((octets) => {
    packedOctets += octets
    return undefined
  })
  const after = countOctets((octets) => {
    unpackedOctets += octets
    const isBomb = unpackedOctets > UNPACKED_OCTETS_FREE && unpackedOctets > packedOctets * PACKED_RATIO_MAX
    return isBomb ? new ScanReadError('it unpacks to far more than a scan can') : undefined
  })
  pipeline(stream, before, createGunzip(), after, () => undefined)
  return after
}

function countOctets(count: (octets: number) => Error | undefined): Transform {
  return new Transform({
    transform: (chunk: Uint8Array, _encoding, callback: TransformCallback) => {
      const error = count(chunk.length)
      if (error === undefined) callback(null, chunk)
      else callback(error)
    },
  })
}

/** Opens at the first octets that somebody wants: a file that is passed over stays closed. */
async function* readChunks(open: () => Readable): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of open() as AsyncIterable<Uint8Array>) yield chunk
  } catch (error) {
    throw error instanceof ScanReadError ? error : new ScanReadError(describe(error), { cause: error })
  }
}

function describe(error: unknown): string {
  if (error instanceof ScanReadError) return error.message
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'EACCES' || code === 'EISDIR' || code === 'EIO') return `it cannot be read (${code})`
  return 'it is damaged from here on'
}
