/**
 * Monthly archives and the index beside each, by which one report is read out of an archive without the others.
 *
 * An archive is a `.tar.gz` of many gzip members: one for the header of each file, one that is the file's own `.json.gz`
 * as it was, one for the padding. So every tar program reads it, and whoever has the index reads one member.
 *
 * Invariant: an archive without an index that fits its size is not read.
 *
 * Format: docs/formats/published.md
 */
import { z } from 'zod'
import { FileError, joinPath, readText, type Files } from '../core/files.ts'
import { parsePublishedName } from '../model/published-name.ts'

/** A year of months, many times over. */
const ARCHIVES_MAX = 1_200
/** 1,000 runs a month, two files each, with room. */
const INDEX_OCTETS_MAX = 4 * 1024 * 1024

/** Where one file lies in an archive. */
export interface ArchiveEntry {
  /** The name that it was published under, without `.gz`. */
  readonly name: string
  /** Where its gzip member begins, in octets from the beginning of the archive. */
  readonly offset: number
  /** Length of the member. */
  readonly compressedOctets: number
  /** Length of the file. */
  readonly octets: number
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string
}

/** The index of one archive. */
export interface ArchiveIndex {
  /** `2026-01`. */
  readonly month: string
  /** Length of the archive. */
  readonly sizeOctets: number
  /** SHA-256 of the archive, hexadecimal. */
  readonly sha256: string
  /** Sorted by name. */
  readonly entries: readonly ArchiveEntry[]
}

const count = z.int().min(0)
const digest = z.string().regex(/^[0-9a-f]{64}$/)
const schema = z.object({
  archive: z.string(),
  size_octets: count,
  sha256: digest,
  entries: z.array(
    z.object({ name: z.string(), offset: count, compressed_octets: count, octets: count, sha256: digest }),
  ),
})

/** Path of an archive below the directory of publication: `archives/2026-01.tar.gz`. */
export function archiveName(month: string): string {
  return `archives/${month}.tar.gz`
}

/** Path of its index. */
export function archiveIndexName(month: string): string {
  return `archives/${month}.index.json`
}

/** Writes an index as JSON. */
export function formatArchiveIndex(index: ArchiveIndex): string {
  const entries = index.entries.map(({ name, offset, compressedOctets, octets, sha256 }) => {
    return { name, offset, compressed_octets: compressedOctets, octets, sha256 }
  })
  const { month, sizeOctets, sha256 } = index
  return `${JSON.stringify({ archive: `${month}.tar.gz`, size_octets: sizeOctets, sha256, entries }, null, 1)}\n`
}

/** Reads an index. @returns `undefined` when it is none, or names something that is not on the list of published names. */
export function parseArchiveIndex(month: string, text: string): ArchiveIndex | undefined {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  const parsed = schema.safeParse(json)
  if (!parsed.success || parsed.data.archive !== `${month}.tar.gz`) return undefined
  const { size_octets, sha256 } = parsed.data
  const entries = parsed.data.entries.map((entry) => ({
    name: entry.name,
    offset: entry.offset,
    compressedOctets: entry.compressed_octets,
    octets: entry.octets,
    sha256: entry.sha256,
  }))
  const fits = entries.every((entry) => {
    const published = parsePublishedName(entry.name)
    return published?.month === month && entry.offset + entry.compressedOctets <= size_octets
  })
  return fits ? { month, sizeOctets: size_octets, sha256, entries } : undefined
}

/** An archive on the disk. */
export interface StoredArchive {
  readonly month: string
  /** `undefined` when there is none that fits: the archive was interrupted, or is of somebody else's making. */
  readonly index: ArchiveIndex | undefined
}

/**
 * Lists the archives of a directory of publication, oldest month first, with their indexes.
 *
 * @throws {FileError} When the directory cannot be read.
 */
export async function listArchives(files: Files, directory: string): Promise<readonly StoredArchive[]> {
  const names = await files.list(joinPath(directory, 'archives'))
  const months = names.flatMap((name) => {
    const published = parsePublishedName(`archives/${name}`)
    return published?.form === 'archive' && published.month !== null ? [published.month] : []
  })
  return Promise.all(
    months
      .slice(0, ARCHIVES_MAX)
      .map(async (month) => ({ month, index: await readArchiveIndex(files, directory, month) })),
  )
}

/** Reads the index of a month's archive. @returns `undefined` when there is none that fits the archive. */
export async function readArchiveIndex(
  files: Files,
  directory: string,
  month: string,
): Promise<ArchiveIndex | undefined> {
  const archive = await files.info(joinPath(directory, archiveName(month)))
  if (archive === undefined) return undefined
  try {
    const text = await readText(files, joinPath(directory, archiveIndexName(month)), INDEX_OCTETS_MAX)
    const index = parseArchiveIndex(month, text)
    return index?.sizeOctets === archive.sizeOctets ? index : undefined
  } catch (error) {
    if (error instanceof FileError && (error.code === 'ENOENT' || error.code === 'TOO_LARGE')) return undefined
    throw error
  }
}
