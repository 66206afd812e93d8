/** `candor satellite verify`: excludes anomalies by the two published rules. */
import { Option, type Command } from 'commander'
import { convertRow, type OutputFormat } from '../campaigns/satellite/convert-row.ts'
import { formatScanPath, type ScanFileKind } from '../campaigns/satellite/scan-file-names.ts'
import type { SatelliteRow } from '../model/satellite-row.ts'
import { createAnomalyDomains, listExcludeReasons, type CdnMatch } from '../verdicts/satellite-verify.ts'
import type { CliContext } from './cli-context.ts'
import type { JudgedScan } from './satellite-detect.ts'
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
import { reportScan, walkScan, type ScanFileSummary, type ScanWalk } from './satellite-scan.ts'
import { openSatelliteTree, type SatelliteTree } from './satellite-tree.ts'

/** How verified rows are written. */
export interface VerifyForm {
  readonly format: OutputFormat
  readonly cdnMatch: CdnMatch
  readonly publishAs: 'results.json' | 'results_verified.json'
}

interface VerifyOptions extends EvidenceOptions, VerifyForm {
  readonly output: string
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
  addEvidenceOptions(command)
  addRecordsOption(command)
  command
    .addHelpText('after', '\nExample:\n  candor satellite verify judged --output verified')
    .action(async (path: string, options: VerifyOptions) => {
      await verifyInto(context, path, options)
    })
}

async function verifyInto(context: CliContext, path: string, options: VerifyOptions): Promise<void> {
  const lists = await loadEvidenceLists(context, options)
  const tree = await openSatelliteTree(context.files, options.output)
  try {
    const { summaries, gravest } = await verifyScan(context, path, tree, { ...options, lists })
    await reportScan(context, summaries, chooseRecords(context, options.records), options.output)
    finishWithSeverity(context, gravest, options.failOn)
  } finally {
    await tree.close()
  }
}

/**
 * Excludes anomalies as published, and writes what the rules of our own say of every pair and of the groups.
 *
 * @param tree - Gets `results_verified.json`, `findings.jsonl`, `aggregates.jsonl` and the profiles of the resolvers.
 */
export async function verifyScan(
  context: CliContext,
  path: string,
  tree: SatelliteTree,
  options: VerifyForm & { readonly lists: EvidenceLists },
): Promise<JudgedScan> {
  const domains = createAnomalyDomains()
  const { facts, summaries: gathered } = await gatherFacts(context, path, tree, options.lists.matchPage)
  const evidence = createScanEvidence(context, facts, options.lists, { path, tree })
  const { summaries, walk } = await surveyResults(context, path, tree, (row) => {
    domains.add(row)
    evidence.survey(facts.locate(row))
  })
  await walkScan({
    ...walk,
    onRecord: async (record) => {
      if (record.type !== 'row') return
      await evidence.judge(facts.locate(record.row))
      if (record.row.anomaly === null) return
      const reasons = listExcludeReasons(record.row, domains, facts.findTags, options.cdnMatch)
      const format = chooseFormat(record.row, options.format)
      // The verified rows of these flavours are anomalies alone.
      if ((format === 'v2.0' || format === 'v2.1') && !record.row.anomaly) return
      const { fields } = convertRow(exclude(record.row, reasons), options.format === 'source' ? format : options.format)
      await tree.write(chooseName(format, options.publishAs), fields)
    },
  })
  return { summaries: [...gathered, ...summaries], gravest: await evidence.finish() }
}

interface SurveyedResults {
  readonly summaries: readonly ScanFileSummary[]
  /** For the second pass over the same files. */
  readonly walk: Omit<ScanWalk, 'onRecord'>
}

/** The first pass. A scan that has results and verified ones has them twice: the first count then. */
async function surveyResults(
  context: CliContext,
  path: string,
  tree: SatelliteTree,
  take: (row: SatelliteRow) => void,
): Promise<SurveyedResults> {
  const survey = async (kind: ScanFileKind): Promise<SurveyedResults> => {
    const walk = { context, path, isRepeated: true, wants: (each: ScanFileKind): boolean => each === kind }
    const summaries = await walkScan({
      ...walk,
      tree,
      onRecord: (record) => {
        if (record.type === 'row') take(record.row)
      },
    })
    return { summaries, walk: { ...walk, tree: undefined } }
  }
  const results = await survey('result')
  return results.summaries.length > 0 ? results : survey('verified')
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
