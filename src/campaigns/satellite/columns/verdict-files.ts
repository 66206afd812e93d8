/**
 * The verdicts about an import, as columns beside its own.
 *
 * **Invariant**: `verdicts.json` is written when everything it speaks of is on the disk, and removed before that changes.
 *
 * Format: docs/formats/satellite.md
 */
import { joinPath, type AppendFile, type Files } from '../../../core/files.ts'
import type { CdnMatch } from '../../../verdicts/satellite-verify.ts'
import type { BlockCounts } from './column-block.ts'
import { COLUMNS_DIRECTORY } from './columns-manifest.ts'
import type { BlockVerdicts } from './judge-block.ts'

const FORMAT = 'candor-satellite-verdicts'
const VERSION = 1
const MODE = 0o644
const MANIFEST_FILE = 'verdicts.json'

/** How many rows have which verdict. */
export interface VerdictCounts {
  readonly rows: number
  readonly judged: number
  readonly anomalies: number
  readonly excluded: number
}

/** The verdict columns of one import. */
export interface VerdictFiles {
  /** Writes what the first pass gives: confidence and matches. @returns Where it begins. */
  appendMatches(verdicts: BlockVerdicts): Promise<number>
  /** Writes what the second pass gives: verdicts and reasons. @returns Where it begins. */
  appendFlags(verdicts: Pick<BlockVerdicts, 'flags' | 'reasons'>): Promise<number>
  /** Reads both of a block. */
  read(counts: BlockCounts, matchesAt: number, flagsAt: number): Promise<BlockVerdicts>
  /** Waits for the disk, and writes the manifest. */
  finish(places: readonly VerdictPlace[], match: CdnMatch, counts: VerdictCounts): Promise<void>
  close(): Promise<void>
}

/** Where the verdicts about a block are. */
export interface VerdictPlace {
  /** Place of the block in the manifest of the import. */
  readonly block: number
  readonly matchesAt: number
  readonly flagsAt: number
}

/** Begins new ones; earlier ones go. @throws {FileError} */
export async function createVerdictFiles(files: Files, directory: string): Promise<VerdictFiles> {
  const manifest = joinPath(directory, MANIFEST_FILE)
  await files.remove(manifest)
  const open = async (name: string): Promise<{ readonly path: string; readonly file: AppendFile }> => {
    const path = joinPath(directory, COLUMNS_DIRECTORY, name)
    await files.remove(path)
    return { path, file: await files.openAppend(path, MODE) }
  }
  const matches = await open('verdicts.matches.bin')
  const flags = await open('verdicts.flags.bin')
  return {
    appendMatches: ({ average, matched }) => append(matches.file, average, matched),
    appendFlags: ({ flags: bits, reasons }) => append(flags.file, bits, reasons),
    read: async ({ row, answer }, matchesAt, flagsAt) => {
      const first = await files.readPart(matches.path, matchesAt, row * 8 + answer)
      const second = await files.readPart(flags.path, flagsAt, row * 2 + answer)
      return {
        average: new Float64Array(first.buffer, 0, row),
        matched: first.subarray(row * 8),
        flags: new Uint16Array(second.buffer, 0, row),
        reasons: second.subarray(row * 2),
      }
    },
    finish: async (places, match, counts) => {
      for (const { file } of [matches, flags]) await file.sync()
      const text = JSON.stringify({
        format: FORMAT,
        version: VERSION,
        cdn_match: match,
        ...counts,
        blocks: places.map(({ block, matchesAt, flagsAt }) => ({ block, matches: matchesAt, flags: flagsAt })),
      })
      await files.writeAtomic(manifest, `${text}\n`, MODE)
    },
    close: async () => {
      for (const { file } of [matches, flags]) await file.close()
    },
  }
}

/** One column of numbers, then one of octets. */
async function append(file: AppendFile, numbers: Float64Array | Uint16Array, octets: Uint8Array): Promise<number> {
  const at = file.sizeOctets
  const all = new Uint8Array(numbers.byteLength + octets.length)
  all.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength))
  all.set(octets, numbers.byteLength)
  await file.append(all)
  return at
}
