/**
 * Writes the archive of a month, with its index.
 *
 * ```
 *   .YYYY-MM.tar.gz.tmp ──► YYYY-MM.tar.gz ──► YYYY-MM.index.json ──► every file is read back and compared
 * ```
 *
 * Invariant: nothing is removed here, and an archive that was there is replaced by one that has all of its files. Killed
 * at any moment, either the old archive or the new one is there, and an index that fits it or none.
 */
import { joinPath, type AppendFile, type Files } from '../core/files.ts'
import { parsePublishedName } from '../model/published-name.ts'
import type { ArchiveCodec } from './archive-codec.ts'
import {
  archiveIndexName,
  archiveName,
  formatArchiveIndex,
  readArchiveIndex,
  type ArchiveEntry,
  type ArchiveIndex,
} from './archive-index.ts'
import { gunzip, gzip } from '../core/gzip.ts'
import { momentOf } from './plan-retention.ts'
import { REPORT_OCTETS_MAX } from './published-directory.ts'
import { sha256 } from './sha256.ts'

const FILE_MODE = 0o644
const DIRECTORY_MODE = 0o755
const BLOCK_OCTETS = 512

/** One file for an archive. */
export interface ArchiveSource {
  /** The published name, without `.gz`. */
  readonly name: string
  /** Reads it, compressed. @returns `undefined` when it is damaged. */
  read(): Promise<Uint8Array<ArrayBuffer> | undefined>
}

/**
 * Writes the archive of a month from `sources`, in order of name.
 *
 * @returns Its index; the name of the first source that is damaged, which leaves everything as it was.
 * @throws {FileError} When the disk is full, for example.
 */
export async function writeArchive(
  { files, codec }: { readonly files: Files; readonly codec: ArchiveCodec },
  directory: string,
  month: string,
  sources: readonly ArchiveSource[],
): Promise<ArchiveIndex | string> {
  await files.makeDirectory(joinPath(directory, 'archives'), DIRECTORY_MODE)
  const path = joinPath(directory, archiveName(month))
  const temporary = joinPath(directory, `archives/.${month}.tar.gz.tmp`)
  const file = await files.openAppend(temporary, FILE_MODE, 0)
  let entries: readonly ArchiveEntry[] | string
  const hash = codec.createSha256()
  try {
    const append = async (octets: Uint8Array): Promise<void> => {
      hash.update(octets)
      await file.append(octets)
    }
    entries = await appendAll(file, append, codec, sources)
    if (typeof entries === 'string') return entries
    await append(await gzip(new Uint8Array(2 * BLOCK_OCTETS)))
    await file.sync()
  } finally {
    await file.close()
  }
  const index: ArchiveIndex = { month, sizeOctets: file.sizeOctets, sha256: hash.finish(), entries }
  await files.rename(temporary, path)
  // This syncs the directory as well, so that the archive has its name on the disk before anything is removed.
  await files.writeAtomic(joinPath(directory, archiveIndexName(month)), formatArchiveIndex(index), FILE_MODE)
  return (await findDamage(files, directory, month)) ?? index
}

async function appendAll(
  file: AppendFile,
  append: (octets: Uint8Array) => Promise<void>,
  codec: ArchiveCodec,
  sources: readonly ArchiveSource[],
): Promise<readonly ArchiveEntry[] | string> {
  const entries: ArchiveEntry[] = []
  for (const source of sources.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const { name } = source
    const compressed = await source.read()
    const content = compressed === undefined ? undefined : await gunzip(compressed, REPORT_OCTETS_MAX)
    if (compressed === undefined || content === undefined) return name
    const published = parsePublishedName(name)
    const modifiedAtMs = published === undefined ? 0 : momentOf(published)
    await append(await gzip(await codec.encodeHeader(name, content.length, modifiedAtMs)))
    const offset = file.sizeOctets
    await append(compressed)
    const octets = content.length
    entries.push({ name, offset, compressedOctets: compressed.length, octets, sha256: await sha256(content) })
    const padding = (BLOCK_OCTETS - (octets % BLOCK_OCTETS)) % BLOCK_OCTETS
    if (padding > 0) await append(await gzip(new Uint8Array(padding)))
  }
  return entries
}

/** Reads every file back through the index. @returns The name of the first that is not what it was. */
async function findDamage(files: Files, directory: string, month: string): Promise<string | undefined> {
  const index = await readArchiveIndex(files, directory, month)
  if (index === undefined) return archiveName(month)
  const path = joinPath(directory, archiveName(month))
  for (const { name, offset, compressedOctets, sha256: digest } of index.entries) {
    const content = await gunzip(await files.readPart(path, offset, compressedOctets), REPORT_OCTETS_MAX)
    if (content === undefined || (await sha256(content)) !== digest) return name
  }
  return undefined
}
