/**
 * What stands in `columns.json`: the files of the scan, and where their rows are in the column files.
 *
 * **Invariant**: written when everything it speaks of is on the disk; a version that is not known is refused.
 *
 * Format: docs/formats/satellite.md
 */
import { RunError } from '../../../core/config-error.ts'
import { joinPath, readText, type Files } from '../../../core/files.ts'
import { isFields } from '../row-fields.ts'
import type { ScanFileKind } from '../scan-file-names.ts'
import type { BlockCounts } from './column-block.ts'

const FORMAT = 'candor-satellite-columns'
const VERSION = 1
/** A block stands for some megabytes of a scan, and takes some two hundred characters here. */
const MANIFEST_OCTETS_MAX = 268_435_456
const MODE = 0o644
/** Name of the manifest in the directory of an import. */
export const MANIFEST_FILE = 'columns.json'
/** Directory of the column files, in that of the import. */
export const COLUMNS_DIRECTORY = 'columns'

/** A file of the source. */
export interface ImportedFile {
  readonly path: string
  readonly kind: ScanFileKind
}

/** Where some rows of a file are. */
export interface BlockPlace {
  /** Number of the part. */
  readonly part: number
  /** Place of the file in the list of files. */
  readonly file: number
  /** First octet in the file of the part. */
  readonly offset: number
  /** Line of the source with which the block begins. */
  readonly firstLine: number
  readonly counts: BlockCounts
}

/** The whole manifest. */
export interface ColumnsManifest {
  readonly files: readonly ImportedFile[]
  /** How many parts there are. */
  readonly parts: number
  /** In the order of the source. */
  readonly blocks: readonly BlockPlace[]
}

/** Path of the blocks of a part. */
export function partPath(directory: string, part: number): string {
  return joinPath(directory, COLUMNS_DIRECTORY, `part-${part}.bin`)
}

/** Path of a dictionary of a part. */
export function dictionaryPath(directory: string, part: number, name: string): string {
  return joinPath(directory, COLUMNS_DIRECTORY, `part-${part}.${name}.txt`)
}

/** @throws {FileError} */
export async function writeManifest(files: Files, directory: string, manifest: ColumnsManifest): Promise<void> {
  const text = JSON.stringify({
    format: FORMAT,
    version: VERSION,
    files: manifest.files,
    parts: manifest.parts,
    blocks: manifest.blocks.map(({ part, file, offset, firstLine, counts }) => ({
      part,
      file,
      offset,
      first_line: firstLine,
      rows: counts.row,
      trials: counts.trial,
      answers: counts.answer,
      errors: counts.error,
      moments: counts.moment,
      odd: counts.odd,
      error_octets: counts.errorText,
      odd_octets: counts.oddText,
    })),
  })
  await files.writeAtomic(joinPath(directory, MANIFEST_FILE), `${text}\n`, MODE)
}

/** @throws {RunError} For what is damaged, or of a later version. @throws {FileError} */
export async function readManifest(files: Files, directory: string): Promise<ColumnsManifest> {
  const path = joinPath(directory, MANIFEST_FILE)
  const text = await readText(files, path, MANIFEST_OCTETS_MAX)
  const value = parse(text)
  if (!isFields(value) || value['format'] !== FORMAT) throw damaged(path)
  if (value['version'] !== VERSION) {
    throw new RunError(
      `${path} has version ${String(value['version'])}, and this Candor reads ${VERSION}`,
      'use the Candor that wrote it, or import the scan again',
    )
  }
  const { files: sources, parts, blocks } = value
  if (!Array.isArray(sources) || !isCount(parts) || !Array.isArray(blocks)) throw damaged(path)
  return {
    files: sources as readonly ImportedFile[],
    parts,
    blocks: blocks.map((block: unknown) => readBlock(block, parts, sources.length, path)),
  }
}

function readBlock(block: unknown, parts: number, files: number, path: string): BlockPlace {
  if (!isFields(block)) throw damaged(path)
  const take = (name: string): number => {
    const value = block[name]
    if (!isCount(value)) throw damaged(path)
    return value
  }
  const place = {
    part: take('part'),
    file: take('file'),
    offset: take('offset'),
    firstLine: take('first_line'),
    counts: {
      row: take('rows'),
      trial: take('trials'),
      answer: take('answers'),
      error: take('errors'),
      moment: take('moments'),
      odd: take('odd'),
      errorText: take('error_octets'),
      oddText: take('odd_octets'),
    },
  }
  if (place.part >= parts || place.file >= files) throw damaged(path)
  return place
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function damaged(path: string): RunError {
  return new RunError(`${path} is damaged`, 'import the scan again')
}
