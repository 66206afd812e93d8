/** `candor satellite import`: published data of any flavour as one kind of row. */
import { Option, type Command } from 'commander'
import { formatRow } from '../campaigns/satellite/format-row.ts'
import type { CliContext } from './cli-context.ts'
import { importColumns } from './satellite-import-columns.ts'
import { addRecordsOption, chooseRecords } from './satellite-options.ts'
import { reportScan, walkScan } from './satellite-scan.ts'
import { openSatelliteTree } from './satellite-tree.ts'

interface ImportOptions {
  readonly output: string
  readonly as: 'columns' | 'jsonl'
  readonly records?: 'table' | 'jsonl'
}

/** Adds the command to `candor satellite`. */
export function registerSatelliteImport(satellite: Command, context: CliContext): void {
  const command = satellite
    .command('import')
    .description('read published data of any flavour (v1 to v2.3) into rows of one kind')
    .argument('<path>', 'a directory at any depth, one file, .gz, .tar or .tar.gz')
    .requiredOption('--output <directory>', 'gets what --as says, and quarantine.jsonl; empty or new')
    .addOption(
      new Option(
        '--as <form>',
        'columns: for the other commands, fast; jsonl: rows.jsonl and records.jsonl, for other programs',
      )
        .choices(['columns', 'jsonl'])
        .default('columns'),
    )
  addRecordsOption(command)
  command
    .addHelpText(
      'after',
      '\nExample:\n  candor satellite import CP_Satellite-2021-10-20-12-00-01.tar.gz --output imported',
    )
    .action(async (path: string, options: ImportOptions) => {
      if (options.as === 'jsonl') {
        await importLines(context, path, options)
        return
      }
      const summaries = await importColumns(context, path, options.output)
      await reportScan(context, summaries, chooseRecords(context, options.records), options.output)
    })
}

async function importLines(context: CliContext, path: string, options: ImportOptions): Promise<void> {
  const tree = await openSatelliteTree(context.files, options.output)
  try {
    const summaries = await walkScan({
      context,
      path,
      tree,
      onRecord: (record) =>
        record.type === 'row'
          ? tree.write('rows.jsonl', formatRow(record.row))
          : tree.write('records.jsonl', { kind: record.kind, record: record.fields }),
    })
    await reportScan(context, summaries, chooseRecords(context, options.records), options.output)
  } finally {
    await tree.close()
  }
}
