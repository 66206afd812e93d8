/** The stages of a run, by name, and how several of them follow one another. */
import { joinPath } from '../core/files.ts'
import type { SatelliteSeverity } from '../verdicts/satellite-severity.ts'
import { formatScanPath } from '../campaigns/satellite/scan-file-names.ts'
import { RunError } from '../core/config-error.ts'
import type { CliContext } from './cli-context.ts'
import { detectScan } from './satellite-detect.ts'
import { finishWithSeverity, loadEvidenceLists } from './satellite-evidence.ts'
import { STATUS_INCOMPLETE, STATUS_INTERRUPTED } from './exit-status.ts'
import { formatRecords } from './format-records.ts'
import { chooseRecords } from './satellite-options.ts'
import type { RunDirectory, StageName, StageOutcome } from './satellite-run-directory.ts'
import { writeScanParquet } from './satellite-parquet.ts'
import { readOptOut, type SatelliteRun } from './satellite-run-context.ts'
import { startRunDisplay } from './satellite-run-display.ts'
import { runFetchStage } from './satellite-run-fetch.ts'
import { runFilterStage } from './satellite-run-filter.ts'
import type { RunFlags, RunInput } from './satellite-run-options.ts'
import { runProbeStage } from './satellite-run-probe.ts'
import { runQueryStage } from './satellite-run-query.ts'
import { runTagStage } from './satellite-run-tag.ts'
import type { ScanFileSummary } from './satellite-scan.ts'
import { withStageTree } from './satellite-tree.ts'
import { verifyScan } from './satellite-verify.ts'

const STAGES: Readonly<Record<StageName, (run: SatelliteRun) => Promise<StageResult>>> = {
  probe: runProbeStage,
  filter: runFilterStage,
  query: runQueryStage,
  tag: runTagStage,
  detect: runDetectStage,
  fetch: runFetchStage,
  verify: runVerifyStage,
}

/** What a stage did, and the gravest of what it found. */
interface StageResult extends StageOutcome {
  readonly gravest?: SatelliteSeverity | undefined
}

/** A stage that has ended. */
interface EndedStage extends StageOutcome {
  readonly stage: StageName
}

/** How stages are run. */
export interface StagesOptions {
  readonly stages: readonly StageName[]
  readonly flags: RunFlags
  /** Whether stages that have ended are left as they are. */
  readonly isResumed: boolean
  /** Whether nothing may be asked of anybody. */
  readonly isReplay: boolean
}

/**
 * Runs stages, says what they did, and sets the exit status.
 *
 * @returns Whether all of them ended.
 * @throws {ConfigError | RunError | FileError}
 */
export async function runStages(
  context: CliContext,
  directory: RunDirectory,
  { stages, flags, isResumed, isReplay }: StagesOptions,
): Promise<boolean> {
  const display = startRunDisplay(context, flags.statusFile ?? null)
  const outcomes: EndedStage[] = []
  let gravest: SatelliteSeverity | undefined
  try {
    const run: SatelliteRun = { context, directory, display, isReplay, optOut: await readOptOut(context, directory) }
    for (const stage of stages) {
      if (isResumed && directory.isDone(stage)) continue
      if (context.interrupted.aborted) break
      await directory.begin(stage)
      display.enter(stage, 0)
      const { gravest: found, ...outcome } = await STAGES[stage](run)
      gravest = found ?? gravest
      if (context.interrupted.aborted) break
      await directory.end(stage, outcome)
      outcomes.push({ stage, ...outcome })
    }
  } catch (error) {
    // What an interrupt cut off is no failure of its own.
    if (!(error instanceof RunError) || !context.interrupted.aborted) throw error
  } finally {
    await display.stop()
  }
  if (!context.interrupted.aborted) await directory.finish()
  await report(context, directory, outcomes, flags)
  finishWithSeverity(context, gravest, flags.failOn ?? 'none')
  return !context.interrupted.aborted
}

async function report(
  context: CliContext,
  directory: RunDirectory,
  outcomes: readonly EndedStage[],
  flags: RunFlags,
): Promise<void> {
  const describe = (numbers: Readonly<Record<string, number>>): string =>
    Object.entries(numbers)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')
  const isTable = chooseRecords(context, flags.records) === 'table'
  const records = outcomes.map(({ stage, counts, failures, skipped }) => ({
    stage,
    outcome: skipped === undefined ? 'done' : 'skipped',
    counts: describe(counts),
    failures: skipped ?? describe(failures),
  }))
  const text = isTable
    ? formatRecords(records, true)
    : outcomes.map((outcome) => `${JSON.stringify(outcome)}\n`).join('')
  await context.stdout.write(text)
  for (const { stage, skipped } of outcomes)
    if (skipped !== undefined) await context.say(`${stage} was skipped: ${skipped}`)
  await context.say(`${context.interrupted.aborted ? 'interrupted; resume with --resume' : 'wrote'} ${directory.path}`)
  const hasFailures = outcomes.some(({ failures }) => Object.values(failures).some((count) => count > 0))
  if (hasFailures) context.finish(STATUS_INCOMPLETE)
  if (context.interrupted.aborted) context.finish(STATUS_INTERRUPTED)
}

/** What our own rules say needs pages and all pairs: it is written by `verify`. */
async function runDetectStage({ context, directory }: SatelliteRun): Promise<StageOutcome> {
  const { format } = directory.plan
  const { summaries } = await withStageTree(context.files, directory.path, async (tree) => {
    await tree.touch(formatScanPath('result', format))
    return detectScan(context, directory.path, tree, { format, lists: undefined })
  })
  return outcomeOf(summaries)
}

async function runVerifyStage({ context, directory }: SatelliteRun): Promise<StageResult> {
  const { format, cdn_match: cdnMatch, publish_as: publishAs } = directory.plan
  const path = (name: RunInput): string | undefined => directory.input(name)
  const lists = await loadEvidenceLists(
    context,
    withoutUndefined({
      blockAddresses: path('block-addresses'),
      blockpageSignatures: path('blockpage-signatures'),
      falsePositiveSignatures: path('false-positive-signatures'),
    }),
  )
  // v1 has no verified rows: they are written as those of v2.2.
  const written = format === 'v1' ? 'v2.2' : format
  const { summaries, gravest } = await withStageTree(context.files, directory.path, async (tree) => {
    await tree.touch(formatScanPath('verified', written).replace('results_verified.json', publishAs))
    const form = { format: format === 'v1' ? ('source' as const) : format, cdnMatch, publishAs }
    return verifyScan(context, directory.path, tree, { ...form, lists })
  })
  await writeScanParquet(context, directory.path, joinPath(directory.path, 'parquet'))
  return { ...outcomeOf(summaries), gravest }
}

function withoutUndefined(paths: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(paths).flatMap(([name, path]) => (path === undefined ? [] : [[name, path]])))
}

function outcomeOf(summaries: readonly ScanFileSummary[]): StageOutcome {
  const sum = (field: 'rows' | 'quarantined'): number => summaries.reduce((total, each) => total + each[field], 0)
  return { counts: { records: sum('rows') }, failures: { quarantined: sum('quarantined') } }
}
