/**
 * An import into columns: reads the files of a scan, lets threads take their lines, writes the manifest in the end.
 *
 * Invariant: a directory without a manifest is no import; one that was interrupted says so, and is begun anew by the same
 * command.
 */
import { batchLines } from '../campaigns/satellite/columns/batch-lines.ts'
import type { BlockCounts } from '../campaigns/satellite/columns/column-block.ts'
import {
  COLUMNS_DIRECTORY,
  MANIFEST_FILE,
  writeManifest,
  type BlockPlace,
  type ImportedFile,
} from '../campaigns/satellite/columns/columns-manifest.ts'
import { openScan } from '../campaigns/satellite/open-scan.node.ts'
import { LINE_OCTETS_MAX, ScanReadError, type ScanFile } from '../campaigns/satellite/read-scan.ts'
import { joinPath } from '../core/files.ts'
import type { SatelliteFlavour } from '../model/satellite-row.ts'
import type { CliContext } from './cli-context.ts'
import { createImportPool, type ImportPool } from './satellite-import-pool.ts'
import { QUARANTINE_FILE, type ScanFileSummary } from './satellite-scan.ts'
import { openSatelliteTree, type SatelliteTree } from './satellite-tree.ts'

/** Lines that are taken at once: some ten thousand rows. */
const BATCH_OCTETS = 2 * LINE_OCTETS_MAX
/** Stands in the directory while it is no import yet. */
const UNFINISHED_FILE = 'unfinished'
const FILE_MODE = 0o644
const DIRECTORY_MODE = 0o755

/** One file while its lines come back from the threads. */
interface Growing extends ImportedFile {
  /** Lines of the batches that came back. */
  lines: number
  rows: number
  quarantined: number
  readonly flavours: Set<SatelliteFlavour>
}

/** @returns What each file held. @throws {ConfigError | FileError} */
export async function importColumns(
  context: CliContext,
  path: string,
  directory: string,
): Promise<readonly ScanFileSummary[]> {
  await clearUnfinished(context, directory)
  const tree = await openSatelliteTree(context.files, directory)
  try {
    await context.files.writeAtomic(joinPath(directory, UNFINISHED_FILE), '', FILE_MODE)
    await context.files.makeDirectory(joinPath(directory, COLUMNS_DIRECTORY), DIRECTORY_MODE)
    const { files, blocks, parts, summaries } = await importFiles(context, path, directory, tree)
    await tree.close()
    if (!context.interrupted.aborted) {
      await writeManifest(context.files, directory, { files, parts, blocks })
      await context.files.remove(joinPath(directory, UNFINISHED_FILE))
    }
    return summaries
  } catch (error) {
    await tree.close()
    throw error
  }
}

/** Removes what an import left that did not come to its end. */
async function clearUnfinished({ files }: CliContext, directory: string): Promise<void> {
  if ((await files.info(joinPath(directory, UNFINISHED_FILE))) === undefined) return
  for (const name of [COLUMNS_DIRECTORY, MANIFEST_FILE, QUARANTINE_FILE, UNFINISHED_FILE])
    await files.remove(joinPath(directory, name))
}

interface Imported {
  readonly files: readonly ImportedFile[]
  readonly blocks: readonly BlockPlace[]
  readonly parts: number
  readonly summaries: readonly ScanFileSummary[]
}

async function importFiles(
  context: CliContext,
  path: string,
  directory: string,
  tree: SatelliteTree,
): Promise<Imported> {
  const files: Growing[] = []
  const blocks: BlockPlace[] = []
  const summaries: ScanFileSummary[] = []
  const pool = createImportPool(context.files, directory, BATCH_OCTETS, async (written) => {
    const file = files.at(-1) as Growing
    for (const { line, reason } of written.quarantined)
      await tree.write(QUARANTINE_FILE, { file: file.path, line: file.lines + line, reason })
    const { part, offset, counts } = written
    if (!isEmpty(counts)) blocks.push({ part, file: files.length - 1, offset, firstLine: file.lines + 1, counts })
    file.lines += written.lines
    file.rows += written.rows
    file.quarantined += written.quarantined.length
    for (const flavour of written.flavours) file.flavours.add(flavour)
  })
  try {
    for await (const found of openScan(path)) {
      if (context.interrupted.aborted) break
      if ('problem' in found) {
        await tree.write(QUARANTINE_FILE, { file: found.path, line: 0, reason: found.problem })
        summaries.push({ file: found.path, kind: null, flavour: null, rows: 0, quarantined: 1 })
        continue
      }
      const file: Growing = { ...found, lines: 0, rows: 0, quarantined: 0, flavours: new Set() }
      files.push(file)
      await importFile(context, found, file, pool, tree)
      const flavour = file.flavours.size === 0 ? null : [...file.flavours].join(' ')
      summaries.push({ file: file.path, kind: file.kind, flavour, rows: file.rows, quarantined: file.quarantined })
    }
    const parts = await pool.close()
    return { files: files.map(({ path: source, kind }) => ({ path: source, kind })), blocks, parts, summaries }
  } finally {
    await pool.stop()
  }
}

async function importFile(
  context: CliContext,
  source: ScanFile,
  file: Growing,
  pool: ImportPool,
  tree: SatelliteTree,
): Promise<void> {
  try {
    for await (const batch of batchLines(source.chunks, BATCH_OCTETS, LINE_OCTETS_MAX, () => pool.takeMemory())) {
      if (context.interrupted.aborted) break
      await pool.take(source.kind, batch)
    }
    await pool.settle()
  } catch (error) {
    if (!(error instanceof ScanReadError)) throw error
    await pool.settle()
    file.quarantined++
    await tree.write(QUARANTINE_FILE, { file: file.path, line: file.lines + 1, reason: error.message })
  }
}

function isEmpty(counts: BlockCounts): boolean {
  return counts.row === 0
}
