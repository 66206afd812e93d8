/** `candor exits import`: earlier reports into the archive. */
import { Option, type Command } from 'commander'
import { GENERAL_SETTING_GROUP, GENERAL_SETTINGS } from '../config/general-settings.ts'
import type { CliContext } from './cli-context.ts'
import { STATUS_INCOMPLETE, STATUS_INTERRUPTED } from './exit-status.ts'
import { importReports } from './import-reports.ts'
import { addSettingOptions } from './load-settings.ts'
import { formatRecords } from './publish-options.ts'
import { readStorePlan, withArchive } from './store-options.ts'

/** Adds the command to `candor exits`. */
export function registerExitsImport(exits: Command, context: CliContext): void {
  const command = exits
    .command('import')
    .description('take earlier reports into the archive: .json, .json.gz, monthly .tar.gz, or directories of them')
    .argument('<path...>', 'dnshealth_*.json or dns_health_*.json, also compressed; archives/*.tar.gz; a directory')
  addSettingOptions(command, [{ ...GENERAL_SETTING_GROUP, settings: [GENERAL_SETTINGS.dataDir] }])
  command.addOption(
    new Option('--format <format>', 'records on stdout (default: table on a terminal, else jsonl)').choices([
      'table',
      'jsonl',
    ]),
  )
  command.addHelpText('after', '\nExample:\n  candor exits import analysis_results --data-dir /var/lib/candor')
  command.action(async (paths: readonly string[]) => {
    await importPaths(command, context, paths)
  })
}

async function importPaths(command: Command, context: CliContext, paths: readonly string[]): Promise<void> {
  const plan = await readStorePlan(command, context)
  const { files, clock, interrupted: signal } = context
  const counts = await withArchive(context, plan, (archive) =>
    importReports(
      {
        files,
        archive,
        policy: plan.policy,
        nowMs: clock.wallNowMs(),
        signal,
        onReport: async (record) => {
          if (plan.format === 'jsonl') await context.stdout.write(formatRecords([record], 'jsonl'))
          // Also with --quiet: somebody has to know which file is missing.
          if (record.outcome === 'refused')
            await context.stderr.write(`warning: ${record.path}: ${record.note ?? ''}\n`)
        },
      },
      paths,
    ),
  )
  const { kept, known, refused } = counts
  if (plan.format === 'table') await context.stdout.write(formatRecords([{ kept, known, refused }], 'table'))
  await context.say(`${plan.archivePath}: ${kept} reports kept, ${known} known before, ${refused} refused`)
  if (refused > 0) context.finish(STATUS_INCOMPLETE)
  if (counts.interrupted) context.finish(STATUS_INTERRUPTED)
}
