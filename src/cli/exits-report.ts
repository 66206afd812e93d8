/** `candor exits report`: a report for people from a report in JSON, or the same with counters from an earlier one. */
import type { Command } from 'commander'
import { buildExitReport, formatExitReport } from '../campaigns/exits/exit-report.ts'
import { readExitReport } from '../campaigns/exits/exit-report-reader.ts'
import { countOnFrom } from '../campaigns/exits/failure-counters.ts'
import { formatMarkdownReport } from '../campaigns/exits/markdown-report.ts'
import { ConfigError } from '../core/config-error.ts'
import type { ExitReport } from '../model/exit-result.ts'
import type { CliContext } from './cli-context.ts'

const REPORT_MODE = 0o644

interface ReportOptions {
  readonly input: string
  readonly previous?: string
  readonly output?: string
}

/** Adds the command to `candor exits`. */
export function registerExitsReport(exits: Command, context: CliContext): void {
  exits
    .command('report')
    .description('turn a report in JSON into Markdown; works on plain files alone')
    .requiredOption('--input <file>', 'the report of a run, dnshealth_*.json')
    .option('--previous <file>', 'the report of an earlier run: count failures on from it, and say what changed')
    .option(
      '--output <file>',
      'FILE.md for Markdown, FILE.json for the report with its counters (default: Markdown on stdout)',
    )
    .addHelpText(
      'after',
      '\nExample:\n  candor exits report --input dnshealth_20260131_120000.json --previous latest.json --output report.md',
    )
    .action((options: ReportOptions) => writeReport(context, options))
}

async function writeReport(context: CliContext, { input, previous, output }: ReportOptions): Promise<void> {
  const isJson = output !== undefined && wantsJson(output)
  const read = await readWarned(context, input)
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
