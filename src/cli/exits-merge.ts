/** `candor exits merge`: the report of a whole run from the reports of its shards. */
import type { Command } from 'commander'
import { formatExitReport } from '../campaigns/exits/exit-report.ts'
import { readExitReport } from '../campaigns/exits/exit-report-reader.ts'
import { mergeReports } from '../campaigns/exits/merge-reports.ts'
import type { CliContext } from './cli-context.ts'
import { STATUS_INCOMPLETE } from './exit-status.ts'

const REPORT_MODE = 0o644

/** Adds the command to `candor exits`. */
export function registerExitsMerge(exits: Command, context: CliContext): void {
  exits
    .command('merge')
    .description('put the reports of all shards of one run together; refuses what does not fit exactly')
    .argument('<file...>', 'the report of every shard, dnshealth_*_shard-N-of-M.json')
    .requiredOption('--output <file>', 'where the report of the whole is written')
    .addHelpText(
      'after',
      '\nExample:\n  candor exits merge dnshealth_20260131_120000_shard-*-of-3.json --output dnshealth_20260131_120000.json',
    )
    .action(async (paths: readonly string[], options: { readonly output: string }) => {
      await mergeFiles(context, paths, options.output)
    })
}

async function mergeFiles(context: CliContext, paths: readonly string[], output: string): Promise<void> {
  const shards = []
  for (const path of paths) shards.push({ path, ...(await readExitReport(context.files, path)) })
  const report = await mergeReports(shards)
  await context.files.writeAtomic(output, formatExitReport(report), REPORT_MODE)
  const { candidates, dns_tested: tested, not_tested: notTested } = report.metadata
  await context.say(`${output}: ${paths.length} shards, ${candidates} relays, ${tested} with a DNS verdict`)
  if (notTested > 0) context.finish(STATUS_INCOMPLETE)
}
