/** `candor exits report`: a report for people from a report in JSON, or the same with counters from an earlier one. */
import type { Command } from 'commander'
import { createAuthorityJoin } from '../campaigns/exits/authority-join.ts'
import { openAuthorityLogReader } from '../campaigns/exits/authority-log.ts'
import { buildExitReport, formatExitReport } from '../campaigns/exits/exit-report.ts'
import { readExitReport } from '../campaigns/exits/exit-report-reader.ts'
import { countOnFrom } from '../campaigns/exits/failure-counters.ts'
import { joinReport } from '../campaigns/exits/finish-run.ts'
import { formatMarkdownReport } from '../campaigns/exits/markdown-report.ts'
import { PACE_PROFILES } from '../config/pace-profiles.ts'
import { ConfigError } from '../core/config-error.ts'
import type { ExitReport } from '../model/exit-result.ts'
import { describeAddress } from './address-facts.ts'
import type { CliContext } from './cli-context.ts'

const REPORT_MODE = 0o644

interface ReportOptions {
  readonly input: string
  readonly previous?: string
  readonly authorityLog?: string
  readonly output?: string
}

/** Adds the command to `candor exits`. */
export function registerExitsReport(exits: Command, context: CliContext): void {
  exits
    .command('report')
    .description('turn a report in JSON into Markdown; works on plain files alone')
    .requiredOption('--input <file>', 'the report of a run, dnshealth_*.json')
    .option('--previous <file>', 'the report of an earlier run: count failures on from it, and say what changed')
    .option('--authority-log <file>', 'join the query log of the authority, which was not at hand during the run')
    .option(
      '--output <file>',
      'FILE.md for Markdown, FILE.json for the report with its counters (default: Markdown on stdout)',
    )
    .addHelpText(
      'after',
      '\nExample:\n  candor exits report --input dnshealth_20260131_120000.json --previous latest.json --output report.md\n' +
        '  candor exits report --input dnshealth_20260131_120000.json --authority-log queries.jsonl --output joined.json',
    )
    .action((options: ReportOptions) => writeReport(context, options))
}

async function writeReport(
  context: CliContext,
  { input, previous, authorityLog, output }: ReportOptions,
): Promise<void> {
  const isJson = output !== undefined && wantsJson(output)
  const plain = await readWarned(context, input)
  const read = authorityLog === undefined ? plain : await joinLog(context, plain, authorityLog)
  const before = previous === undefined ? null : await readPrevious(context, previous, read)
  const report = before === null ? read : buildExitReport(countOnFrom(before, read), read.metadata)
  const text = isJson ? formatExitReport(report) : formatMarkdownReport(report, { previous: before })
  if (output === undefined) {
    await context.stdout.write(text)
    return
  }
  await context.files.writeAtomic(output, text, REPORT_MODE)
  await context.say(`${output}: ${report.results.length} relays, ${report.dns_failures.length} failing`)
}

/** How far the clocks of scanner and authority may be apart, in milliseconds. */
const CLOCK_SKEW_MS = 5_000

async function joinLog(context: CliContext, report: ExitReport, path: string): Promise<ExitReport> {
  const { files, addressPlan } = context
  if ((await files.info(path)) === undefined)
    throw new ConfigError(
      '--authority-log',
      `there is no file ${path}`,
      '--authority-log FILE, as the authority wrote it',
    )
  const moments = report.results.flatMap(({ attempts }) => attempts.map(({ timestamp }) => timestamp * 1000))
  const sinceMs = moments.reduce((first, moment) => Math.min(first, moment), Infinity) - CLOCK_SKEW_MS
  // The report has no query time-out; the longest of a profile misses nothing, because a name is asked for once.
  const window = { skewMs: CLOCK_SKEW_MS, queryTimeoutMs: PACE_PROFILES.conservative.queryTimeoutMs }
  const join = createAuthorityJoin({ window, describe: (address) => describeAddress(addressPlan, address) })
  const readLog = async (): Promise<void> => {
    const reader = await openAuthorityLogReader({ files, path, sinceMs })
    try {
      for (let queries = await reader.take(); queries.length > 0; queries = await reader.take()) join.add(queries)
      if (reader.malformedCount() > 0)
        await context.say(`warning: ${path}: ${reader.malformedCount()} lines cannot be read`)
    } finally {
      await reader.close()
    }
    if (join.heard()) return
    const why = `${path} has no query of the time of the run`
    throw new ConfigError('--authority-log', why, "--authority-log FILE, the log of the run's zone")
  }
  return await joinReport(report, { join, readLog })
}

function wantsJson(output: string): boolean {
  if (/\.json$/i.test(output)) return true
  if (/\.(md|markdown)$/i.test(output)) return false
  throw new ConfigError(
    '--output',
    `--output ${JSON.stringify(output)} ends neither in .md nor in .json, so what to write is not known`,
    `--output ${output}.md`,
  )
}

async function readWarned(context: CliContext, path: string): Promise<ExitReport> {
  const { report, warnings } = await readExitReport(context.files, path)
  for (const warning of warnings) await context.say(`warning: ${path}: ${warning}`)
  return report
}

async function readPrevious(context: CliContext, path: string, current: ExitReport): Promise<ExitReport> {
  const previous = await readWarned(context, path)
  const [before, now] = [previous.metadata.run_id, current.metadata.run_id]
  if (before < now) return previous
  throw new ConfigError(
    '--previous',
    before === now
      ? `${path} is of the same run (${now}), so its failures would be counted twice`
      : `${path} is of run ${before}, which came after ${now}`,
    '--previous with the report of an earlier run',
  )
}
