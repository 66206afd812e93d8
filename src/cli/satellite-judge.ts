/** `candor satellite judge`: detect and verify over an import, into columns. */
import { Option, type Command } from 'commander'
import { isImported } from '../campaigns/satellite/columns/open-imported.ts'
import { judgeColumns, type ColumnsJudge } from '../campaigns/satellite/columns/judge-columns.ts'
import { openColumns, type ImportedColumns } from '../campaigns/satellite/columns/read-columns.ts'
import type { PartTexts } from '../campaigns/satellite/columns/format-column-row.ts'
import { VerdictRowWriter } from '../campaigns/satellite/columns/format-verdict-row.ts'
import type { BlockPlace } from '../campaigns/satellite/columns/columns-manifest.ts'
import { BlockWalk } from '../campaigns/satellite/columns/walk-block.ts'
import type { ScanFacts } from '../campaigns/satellite/scan-facts.ts'
import { ConfigError } from '../core/config-error.ts'
import type { CdnMatch } from '../verdicts/satellite-verify.ts'
import type { CliContext } from './cli-context.ts'
import { STATUS_INCOMPLETE, STATUS_INTERRUPTED } from './exit-status.ts'
import { formatRecords } from './format-records.ts'
import { gatherFacts } from './satellite-facts.ts'
import { addRecordsOption, chooseRecords } from './satellite-options.ts'
import { openSatelliteTree } from './satellite-tree.ts'

interface JudgeOptions {
  readonly cdnMatch: CdnMatch
  readonly results?: string
  readonly records?: 'table' | 'jsonl'
}

/** Adds the command to `candor satellite`. */
export function registerSatelliteJudge(satellite: Command, context: CliContext): void {
  const command = satellite
    .command('judge')
    .description('detect and verify an imported scan, exactly as published, into columns beside it')
    .argument('<import>', 'a directory that candor satellite import wrote')
    .addOption(
      new Option('--cdn-match <where>', 'where the name of a content network stands in that of the AS')
        .choices(['anywhere', 'anchored'])
        .default('anywhere'),
    )
    .option('--results <directory>', 'also writes results.json as v2.2 has it; empty or new')
  addRecordsOption(command)
  command
    .addHelpText('after', '\nExample:\n  candor satellite judge imported --results judged')
    .action(async (path: string, options: JudgeOptions) => {
      await judgeImport(context, path, options)
    })
}

async function judgeImport(context: CliContext, path: string, options: JudgeOptions): Promise<void> {
  if (!(await isImported(context.files, path)))
    throw new ConfigError(
      '<import>',
      `${path} is no import, or one that did not end`,
      `candor satellite import SCAN --output ${path}`,
    )
  const startedAtMs = context.clock.nowMs()
  const columns = await openColumns(context.files, path)
  const { facts, summaries } = await gatherFacts(context, path, undefined, undefined)
  const judge = await judgeColumns(
    context.files,
    path,
    columns,
    facts,
    options.cdnMatch,
    () => context.interrupted.aborted,
  )
  if (judge === undefined) {
    context.finish(STATUS_INTERRUPTED)
    return
  }
  try {
    const judgedAtMs = context.clock.nowMs()
    const { counts } = judge
    if (options.results !== undefined) await writeResults(context, columns, facts, judge, options.results)
    const seconds = (ms: number): number => Math.round(ms) / 1000
    const record = {
      ...counts,
      judged_seconds: seconds(judgedAtMs - startedAtMs),
      results_seconds: options.results === undefined ? null : seconds(context.clock.nowMs() - judgedAtMs),
    }
    await context.stdout.write(formatRecords([record], chooseRecords(context, options.records) === 'table'))
    await context.say(
      `${path}: ${counts.judged} of ${counts.rows} rows judged, ${counts.anomalies} anomalies, ${counts.excluded} excluded`,
    )
    if (counts.judged === 0 || summaries.some(({ quarantined }) => quarantined > 0)) context.finish(STATUS_INCOMPLETE)
    if (context.interrupted.aborted) context.finish(STATUS_INTERRUPTED)
  } finally {
    await judge.files.close()
  }
}

async function writeResults(
  context: CliContext,
  columns: ImportedColumns,
  facts: ScanFacts,
  judge: ColumnsJudge,
  directory: string,
): Promise<void> {
  const tree = await openSatelliteTree(context.files, directory)
  const writers = columns.parts.map(
    (texts: PartTexts, part) =>
      new VerdictRowWriter(texts, part, judge, (resolver) => facts.findResolver(resolver)?.location ?? null),
  )
  try {
    for (const { block: number, matchesAt, flagsAt } of judge.places) {
      if (context.interrupted.aborted) break
      const place = columns.manifest.blocks[number] as BlockPlace
      const block = await columns.read(place)
      const verdicts = await judge.files.read(place.counts, matchesAt, flagsAt)
      const writer = writers[place.part] as VerdictRowWriter
      for (const walk = new BlockWalk(); walk.row < block.counts.row; walk.pass(block)) {
        const line = writer.format(block, place, walk, verdicts)
        if (line !== undefined) await tree.writeLine('results.json', line)
      }
    }
  } finally {
    await tree.close()
  }
}
