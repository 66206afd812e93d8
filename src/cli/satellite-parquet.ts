/** `candor satellite parquet`: a scan as tables that DuckDB, ClickHouse and Spark read in place. */
import type { Command } from 'commander'
import { formatRow } from '../campaigns/satellite/format-row.ts'
import type { ScanFileKind } from '../campaigns/satellite/scan-file-names.ts'
import { RunError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import type { CliContext } from './cli-context.ts'
import { addRecordsOption, chooseRecords } from './satellite-options.ts'
import { reportScan, walkScan, type ScanFileSummary } from './satellite-scan.ts'
import { openSatelliteTree } from './satellite-tree.ts'

interface ParquetOptions {
  readonly output?: string
  readonly records?: 'table' | 'jsonl'
}

const ROWS_FILE = 'rows.jsonl'
const VERIFIED_FILE = 'verified.jsonl'

/** Adds the command to `candor satellite`. */
export function registerSatelliteParquet(satellite: Command, context: CliContext): void {
  const command = satellite
    .command('parquet')
    .description('write a scan as Parquet, one directory for each country')
    .argument('<path>', 'a run, what detect or verify wrote, an import, or any published scan')
    .option('--output <directory>', 'gets the tables; what it held goes (default: parquet in the path)')
  addRecordsOption(command)
  command
    .addHelpText('after', '\nExample:\n  candor satellite parquet CP_Satellite-2026-11-21-04-00-00')
    .action(async (path: string, options: ParquetOptions) => {
      const directory = options.output ?? joinPath(path, 'parquet')
      const summaries = await writeScanParquet(context, path, directory)
      if (!hasRows(summaries))
        throw new RunError(`${path} has no pairs`, 'candor satellite import PATH --output DIRECTORY says what it has')
      await reportScan(context, summaries, chooseRecords(context, options.records), directory)
    })
}

/**
 * Writes pairs as they were judged (as they were answered, where nobody judged them), findings and aggregates; nothing for
 * a scan without pairs.
 *
 * @returns What the files with pairs held.
 * @throws {RunError} When the tables cannot be written.
 */
export async function writeScanParquet(
  context: CliContext,
  path: string,
  directory: string,
): Promise<readonly ScanFileSummary[]> {
  const { files } = context
  const temporary = `${directory}.lines`
  await files.remove(temporary)
  const tree = await openSatelliteTree(files, temporary)
  try {
    const write = async (kind: ScanFileKind, name: string): Promise<readonly ScanFileSummary[]> =>
      await walkScan({
        context,
        path,
        tree: undefined,
        wants: (each) => each === kind,
        onRecord: async (record) => {
          if (record.type === 'row') await tree.write(name, formatRow(record.row))
        },
      })
    let summaries = await write('result', ROWS_FILE)
    const verified = await write('verified', hasRows(summaries) ? VERIFIED_FILE : ROWS_FILE)
    const hasVerified = hasRows(summaries) && hasRows(verified)
    summaries = [...summaries, ...verified]
    if (!hasRows(summaries)) summaries = [...summaries, ...(await write('response', ROWS_FILE))]
    await tree.close()
    if (!hasRows(summaries) || context.interrupted.aborted) return summaries
    const find = async (name: string): Promise<string | undefined> =>
      (await files.info(path))?.kind === 'directory' && (await files.info(joinPath(path, name))) !== undefined
        ? joinPath(path, name)
        : undefined
    // DuckDB takes 60 MB from everybody who does not write tables.
    const { writeSatelliteParquet } = await import('../store/satellite-parquet.node.ts')
    await writeSatelliteParquet(
      {
        rows: joinPath(temporary, ROWS_FILE),
        verified: hasVerified ? joinPath(temporary, VERIFIED_FILE) : undefined,
        findings: await find('findings.jsonl'),
        aggregates: await find('aggregates.jsonl'),
      },
      directory,
    )
    return summaries
  } finally {
    await files.remove(temporary)
  }
}

function hasRows(summaries: readonly ScanFileSummary[]): boolean {
  return summaries.some(({ rows }) => rows > 0)
}
