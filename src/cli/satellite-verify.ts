/** `candor satellite verify`: excludes anomalies by the two published rules. */
import { Option, type Command } from 'commander'
import { convertRow, type OutputFormat } from '../campaigns/satellite/convert-row.ts'
import { formatScanPath } from '../campaigns/satellite/scan-file-names.ts'
import type { SatelliteRow } from '../model/satellite-row.ts'
import { createAnomalyDomains, listExcludeReasons, type CdnMatch } from '../verdicts/satellite-verify.ts'
import type { CliContext } from './cli-context.ts'
import { gatherFacts } from './satellite-facts.ts'
import { addFlavourOption, addRecordsOption, chooseRecords } from './satellite-options.ts'
import { reportScan, walkScan } from './satellite-scan.ts'
import { openSatelliteTree } from './satellite-tree.ts'

interface VerifyOptions {
  readonly output: string
  readonly format: OutputFormat
  readonly cdnMatch: CdnMatch
  readonly publishAs: 'results.json' | 'results_verified.json'
  readonly records?: 'table' | 'jsonl'
}

/** Fields whose spelling a row may keep when it gets its exclusion: those of the reduced rows. */
const KEPT_SPELLING: ReadonlySet<string> = new Set(['location', 'response'])

/** Adds the command to `candor satellite`. */
export function registerSatelliteVerify(satellite: Command, context: CliContext): void {
  const command = satellite
    .command('verify')
    .description('exclude anomalies of content networks and of addresses with few names, exactly as published')
    .argument('<path>', 'a scan with results (and tags, where the rows have none): a directory or archive')
    .requiredOption('--output <directory>', 'gets results_verified.json; empty or new')
    .addOption(
      new Option('--cdn-match <where>', 'where the name of a content network stands in that of the AS')
        .choices(['anywhere', 'anchored'])
        .default('anywhere'),
    )
    .addOption(
      new Option('--publish-as <name>', 'name of the file; published data use results.json')
        .choices(['results_verified.json', 'results.json'])
        .default('results_verified.json'),
    )
  addFlavourOption(command, ['source'], 'source')
  addRecordsOption(command)
  command
    .addHelpText('after', '\nExample:\n  candor satellite verify judged --output verified')
    .action(async (path: string, options: VerifyOptions) => {
      await verifyScan(context, path, options)
    })
}

async function verifyScan(context: CliContext, path: string, options: VerifyOptions): Promise<void> {
  const tree = await openSatelliteTree(context.files, options.output)
  const domains = createAnomalyDomains()
  try {
    const { facts, summaries: gathered } = await gatherFacts(context, path, tree)
    const wants = (kind: string): boolean => kind === 'result' || kind === 'verified'
    const summaries = await walkScan({
      context,
      path,
      tree,
      isRepeated: true,
      wants,
      onRecord: (record) => {
        if (record.type === 'row') domains.add(record.row)
      },
    })
    await walkScan({
      context,
      path,
      tree: undefined,
      isRepeated: true,
      wants,
      onRecord: async (record) => {
        if (record.type !== 'row' || record.row.anomaly === null) return
        const reasons = listExcludeReasons(record.row, domains, facts.findTags, options.cdnMatch)
        const format = chooseFormat(record.row, options.format)
        // The verified rows of these flavours are anomalies alone.
        if ((format === 'v2.0' || format === 'v2.1') && !record.row.anomaly) return
        const { fields } = convertRow(
          exclude(record.row, reasons),
          options.format === 'source' ? format : options.format,
        )
        await tree.write(chooseName(format, options.publishAs), fields)
      },
    })
    await reportScan(context, [...gathered, ...summaries], chooseRecords(context, options.records), options.output)
  } finally {
    await tree.close()
  }
}

/** v1 has no place for exclusion: its rows become those of v2.2. */
function chooseFormat({ flavour }: SatelliteRow, format: OutputFormat): OutputFormat {
  const wanted = format === 'source' ? (flavour === 'v2.3' ? 'source' : flavour) : format
  return wanted === 'v1' ? 'v2.2' : wanted
}

function exclude(row: SatelliteRow, reasons: readonly string[]): SatelliteRow {
  const { fields, absent } = row.spelling
  return {
    ...row,
    role: 'verified',
    excluded: reasons.length > 0,
    excludeReasons: reasons,
    spelling: {
      fields: Object.fromEntries(Object.entries(fields).filter(([name]) => KEPT_SPELLING.has(name))),
      absent: absent.filter((name) => KEPT_SPELLING.has(name)),
    },
  }
}

function chooseName(format: OutputFormat, publishAs: VerifyOptions['publishAs']): string {
  const path = formatScanPath('verified', format === 'source' ? 'v2.2' : format)
  return path.replace('results_verified.json', publishAs)
}
