/**
 * Reads the columns of an import, block by block.
 *
 * **Invariant**: one block in memory at a time; numbers that lead behind the end of a dictionary are a damage, not a bug.
 */
import { RunError } from '../../../core/config-error.ts'
import type { Files } from '../../../core/files.ts'
import { blockOctets, decodeBlock, type ColumnBlock, type ColumnName } from './column-block.ts'
import {
  dictionaryPath,
  partPath,
  readManifest,
  type BlockPlace,
  type ColumnsManifest,
  type ImportedFile,
} from './columns-manifest.ts'
import type { PartTexts } from './format-column-row.ts'
import { DICTIONARY_NAMES, type DictionaryName } from './part-dictionaries.ts'

/** A vocabulary is far smaller. */
const DICTIONARY_OCTETS_MAX = 1_073_741_824

/** An import that was opened. */
export interface ImportedColumns {
  readonly manifest: ColumnsManifest
  /** The dictionaries of each part. */
  readonly parts: readonly PartTexts[]
  /** Reads a block. @throws {RunError | FileError} When it is damaged. */
  read(place: BlockPlace): Promise<ColumnBlock>
  /** The file that a block is of. */
  fileOf(place: BlockPlace): ImportedFile
}

/** Columns that hold numbers of a dictionary. */
const REFERENCES: readonly (readonly [ColumnName, DictionaryName])[] = [
  ['resolver', 'resolvers'],
  ['name', 'names'],
  ['trialName', 'names'],
  ['answer', 'answers'],
  ['location', 'locations'],
  ['confidence', 'confidences'],
  ['reasons', 'reasons'],
  ['stamp', 'stamps'],
]

/** @throws {RunError | FileError} */
export async function openColumns(files: Files, directory: string): Promise<ImportedColumns> {
  const manifest = await readManifest(files, directory)
  const parts: PartTexts[] = []
  for (let part = 0; part < manifest.parts; part++) {
    const texts: Partial<Record<DictionaryName, readonly string[]>> = {}
    for (const name of DICTIONARY_NAMES) {
      const octets = await files.read(dictionaryPath(directory, part, name), DICTIONARY_OCTETS_MAX)
      const lines = new TextDecoder('utf-8', { ignoreBOM: true }).decode(octets).split('\n')
      texts[name] = lines.slice(0, -1)
    }
    parts.push(texts as PartTexts)
  }
  return {
    manifest,
    parts,
    fileOf: ({ file }) => manifest.files[file] as ImportedFile,
    read: async (place) => {
      const octets = await files.readPart(partPath(directory, place.part), place.offset, blockOctets(place.counts))
      const block = decodeBlock(octets, place.counts)
      checkBlock(block, parts[place.part] as PartTexts)
      return block
    },
  }
}

function checkBlock(block: ColumnBlock, texts: PartTexts): void {
  const { columns, counts } = block
  const isWhole =
    REFERENCES.every(([column, name]) => isBelow(columns[column], Math.max(texts[name].length, 1))) &&
    isBelow(columns.tail, texts.tails.length * 16) &&
    sum(columns.trials) === counts.trial &&
    sum(columns.answers) === counts.answer &&
    sum(columns.errorOctets) === counts.errorText &&
    sum(columns.oddOctets) === counts.oddText
  if (!isWhole) throw new RunError('the column files are damaged', 'import the scan again')
}

function isBelow(values: ArrayLike<number>, limit: number): boolean {
  for (let at = 0; at < values.length; at++) if ((values[at] as number) >= limit) return false
  return true
}

function sum(values: ArrayLike<number>): number {
  let total = 0
  for (let at = 0; at < values.length; at++) total += values[at] as number
  return total
}
