/** `candor satellite detect`: judges responses against those of the control resolvers, as published. */
import type { Command } from 'commander'
import { convertRow, type OutputFormat } from '../campaigns/satellite/convert-row.ts'
import { formatScanPath, isRole } from '../campaigns/satellite/scan-file-names.ts'
import { judgePair } from '../verdicts/satellite-detect.ts'
import { listSatelliteFindings } from '../verdicts/satellite-findings.ts'
import type { CliContext } from './cli-context.ts'
import { gatherFacts } from './satellite-facts.ts'
import { addFlavourOption, addRecordsOption, chooseRecords } from './satellite-options.ts'
import { reportScan, walkScan } from './satellite-scan.ts'
import { openSatelliteTree } from './satellite-tree.ts'

interface DetectOptions {
  readonly output: string
  readonly format: OutputFormat
  readonly records?: 'table' | 'jsonl'
}

/** Adds the command to `candor satellite`. */
export function registerSatelliteDetect(satellite: Command, context: CliContext): void {
  const command = satellite
    .command('detect')
    .description('judge responses against the control resolvers, exactly as published')
    .argument('<path>', 'a scan with responses, control responses and tags: a directory or archive')
    .requiredOption('--output <directory>', 'gets results.json in the tree of the flavour; empty or new')
  addFlavourOption(command, ['source'], 'source')
  addRecordsOption(command)
  command
    .addHelpText('after', '\nExample:\n  candor satellite detect CP_Satellite-2021-04-25-12-00-01 --output judged')
    .action(async (path: string, options: DetectOptions) => {
      await detectScan(context, path, options)
    })
}

async function detectScan(context: CliContext, path: string, options: DetectOptions): Promise<void> {
  const tree = await openSatelliteTree(context.files, options.output)
  try {
    const { facts, summaries } = await gatherFacts(context, path, tree)
    const judged = await walkScan({
      context,
      path,
      tree,
      isRepeated: true,
      wants: (kind) => isRole(kind) && kind === 'response',
      onRecord: async (record) => {
        if (record.type !== 'row' || record.row.role !== 'response') return
        const result = judgePair(facts.locate(record.row), facts.findControl(record.row.domain), facts.findTags)
        const findings = listSatelliteFindings(
          result,
          facts.findControl(result.domain),
          facts.findTags,
          context.addressPlan,
        )
        if (findings.length > 0) {
          const { resolver: vp, domain: name, location } = result
          await tree.write('findings.jsonl', {
            vp,
            test_url: name,
            country_code: location?.countryCode ?? null,
            findings,
          })
        }
        const { role, fields } = convertRow(result, options.format)
        const { flavour } = record.row
        const format = options.format === 'source' ? (flavour === 'v2.3' ? 'v2.2' : flavour) : options.format
        await tree.write(formatScanPath(role, format), fields)
      },
    })
    await reportScan(context, [...summaries, ...judged], chooseRecords(context, options.records), options.output)
  } finally {
    await tree.close()
  }
}
