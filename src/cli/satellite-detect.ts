/** `candor satellite detect`: judges responses against those of the control resolvers, as published. */
import type { Command } from 'commander'
import { convertRow, type OutputFormat } from '../campaigns/satellite/convert-row.ts'
import { formatScanPath } from '../campaigns/satellite/scan-file-names.ts'
import { judgePair } from '../verdicts/satellite-detect.ts'
import type { SatelliteSeverity } from '../verdicts/satellite-severity.ts'
import type { CliContext } from './cli-context.ts'
import {
  addEvidenceOptions,
  createScanEvidence,
  finishWithSeverity,
  loadEvidenceLists,
  type EvidenceLists,
  type EvidenceOptions,
} from './satellite-evidence.ts'
import { gatherFacts } from './satellite-facts.ts'
import { addFlavourOption, addRecordsOption, chooseRecords } from './satellite-options.ts'
import { reportScan, walkScan, type ScanFileSummary } from './satellite-scan.ts'
import { openSatelliteTree, type SatelliteTree } from './satellite-tree.ts'

interface DetectOptions extends EvidenceOptions {
  readonly output: string
  readonly format: OutputFormat
  readonly records?: 'table' | 'jsonl'
}

/** What a stage read, and the gravest that the rules saw. */
export interface JudgedScan {
  readonly summaries: readonly ScanFileSummary[]
  /** `undefined` for nothing grave, and where the rules were not asked. */
  readonly gravest: SatelliteSeverity | undefined
}

/** Adds the command to `candor satellite`. */
export function registerSatelliteDetect(satellite: Command, context: CliContext): void {
  const command = satellite
    .command('detect')
    .description('judge responses against the control resolvers, exactly as published')
    .argument('<path>', 'a scan with responses, control responses and tags: a directory or archive')
    .requiredOption('--output <directory>', 'gets results.json in the tree of the flavour; empty or new')
  addFlavourOption(command, ['source'], 'source')
  addEvidenceOptions(command)
  addRecordsOption(command)
  command
    .addHelpText('after', '\nExample:\n  candor satellite detect CP_Satellite-2021-04-25-12-00-01 --output judged')
    .action(async (path: string, options: DetectOptions) => {
      await detectInto(context, path, options)
    })
}

async function detectInto(context: CliContext, path: string, options: DetectOptions): Promise<void> {
  const lists = await loadEvidenceLists(context, options)
  const tree = await openSatelliteTree(context.files, options.output)
  try {
    const { summaries, gravest } = await detectScan(context, path, tree, { format: options.format, lists })
    await reportScan(context, summaries, chooseRecords(context, options.records), options.output)
    finishWithSeverity(context, gravest, options.failOn)
  } finally {
    await tree.close()
  }
}

/**
 * Judges the responses of a scan.
 *
 * @param tree - Gets `results.json` (v1: `interference.json`), and what the rules of our own say where `lists` are given.
 */
export async function detectScan(
  context: CliContext,
  path: string,
  tree: SatelliteTree,
  options: { readonly format: OutputFormat; readonly lists: EvidenceLists | undefined },
): Promise<JudgedScan> {
  const { format, lists } = options
  const { facts, summaries } = await gatherFacts(context, path, tree, lists?.matchPage)
  const evidence = lists === undefined ? undefined : createScanEvidence(context, facts, lists, { path, tree })
  const walk = { context, path, isRepeated: true, wants: (kind: string): boolean => kind === 'response' }
  if (evidence !== undefined) {
    await walkScan({
      ...walk,
      tree: undefined,
      onRecord: (record) => {
        if (record.type === 'row' && record.row.role === 'response') evidence.survey(facts.locate(record.row))
      },
    })
  }
  const judged = await walkScan({
    ...walk,
    tree,
    onRecord: async (record) => {
      if (record.type !== 'row' || record.row.role !== 'response') return
      const result = judgePair(facts.locate(record.row), facts.findControl(record.row.domain), facts.findTags)
      await evidence?.judge(result)
      const { role, fields } = convertRow(result, format)
      const { flavour } = record.row
      const written = format === 'source' ? (flavour === 'v2.3' ? 'v2.2' : flavour) : format
      await tree.write(formatScanPath(role, written), fields)
    },
  })
  return { summaries: [...summaries, ...judged], gravest: await evidence?.finish() }
}
