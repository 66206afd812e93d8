/** `candor satellite convert`: published data in another flavour. */
import type { Command } from 'commander'
import { convertRecord } from '../campaigns/satellite/convert-record.ts'
import { convertRow, type OutputFormat } from '../campaigns/satellite/convert-row.ts'
import { formatScanPath } from '../campaigns/satellite/scan-file-names.ts'
import type { CliContext } from './cli-context.ts'
import { addFlavourOption, addRecordsOption, chooseRecords } from './satellite-options.ts'
import { reportScan, walkScan } from './satellite-scan.ts'
import { openSatelliteTree } from './satellite-tree.ts'

interface ConvertOptions {
  readonly output: string
  readonly format: OutputFormat
  readonly records?: 'table' | 'jsonl'
}

/** Adds the command to `candor satellite`. */
export function registerSatelliteConvert(satellite: Command, context: CliContext): void {
  const command = satellite
    .command('convert')
    .description('write published data in another flavour; each row says what its source did not have')
    .argument('<path>', 'a directory at any depth, one file, .gz, .tar or .tar.gz')
    .requiredOption('--output <directory>', 'gets the tree of the flavour; empty or new')
  addFlavourOption(command, ['source'], 'v2.2')
  addRecordsOption(command)
  command
    .addHelpText('after', '\nExample:\n  candor satellite convert old-scan.tar.gz --format v2.2 --output converted')
    .action(async (path: string, options: ConvertOptions) => {
      await convertScan(context, path, options)
    })
}

async function convertScan(context: CliContext, path: string, options: ConvertOptions): Promise<void> {
  const { format } = options
  const tree = await openSatelliteTree(context.files, options.output)
  try {
    const summaries = await walkScan({
      context,
      path,
      tree,
      onRecord: async (record, file) => {
        const { role, fields } =
          record.type === 'row'
            ? convertRow(record.row, format)
            : { role: record.kind, fields: convertRecord(record.kind, record.fields, format) }
        await tree.write(format === 'source' ? keepPlace(file) : formatScanPath(role, format), fields)
      },
    })
    await reportScan(context, summaries, chooseRecords(context, options.records), options.output)
  } finally {
    await tree.close()
  }
}

/** The same name, below `raw/` where the source had it there. */
function keepPlace(file: string): string {
  const parts = file.split(/[/:]/)
  const name = (parts.at(-1) ?? '').replace(/\.jsonl?(?:\.gz)?$/, '.json')
  return parts.at(-2) === 'raw' ? `raw/${name}` : name
}
