/** The group `candor store`: what the archive holds, how much of it is kept, and whether it is whole. */
import { Option, type Command } from 'commander'
import { GENERAL_SETTING_GROUP, GENERAL_SETTINGS } from '../config/general-settings.ts'
import { RETENTION_SETTING_GROUP } from '../config/retention-settings.ts'
import { ConfigError } from '../core/config-error.ts'
import type { RetentionOutcome } from '../model/retention.ts'
import { budgetState } from '../store/archive-retention.node.ts'
import type { CliContext } from './cli-context.ts'
import { STATUS_FAILED, STATUS_INTERRUPTED } from './exit-status.ts'
import { addSettingOptions } from './load-settings.ts'
import { formatRecords } from './publish-options.ts'
import { readStorePlan, withArchive, type StorePlan } from './store-options.ts'

const OCTETS_PER_MB = 1_000_000

/** Adds `candor store` with its commands. */
export function registerStore(program: Command, context: CliContext): void {
  const store = program.command('store').description('the archive of all runs: what it holds, retention, and a check')
  const status = addOptions(store.command('status').description('say what the archive holds and how full it is'))
  status.action(async () => {
    await showStatus(status, context)
  })
  const retain = addOptions(store.command('retain').description('give up what is older than it has to be kept'))
  retain.option('--dry-run', 'say what would be given up, and do nothing')
  retain.action(async () => {
    await retainNow(retain, context)
  })
  const check = addOptions(store.command('check').description('look at every page and block of the archive'))
  check.action(async () => {
    await checkNow(check, context)
  })
}

function addOptions(command: Command): Command {
  addSettingOptions(command, [
    { ...GENERAL_SETTING_GROUP, settings: [GENERAL_SETTINGS.dataDir] },
    RETENTION_SETTING_GROUP,
  ])
  return command.addOption(
    new Option('--format <format>', 'records on stdout (default: table on a terminal, else jsonl)').choices([
      'table',
      'jsonl',
    ]),
  )
}

/** The plan, where there is an archive: none of these commands makes one. @throws {ConfigError} */
async function readPlan(command: Command, context: CliContext): Promise<StorePlan> {
  const plan = await readStorePlan(command, context)
  if ((await context.files.info(plan.archivePath)) === undefined) {
    throw new ConfigError(
      `--data-dir ${plan.dataDir}`,
      'there is no archive in it',
      '--data-dir DIRECTORY, the one that `candor serve` or `candor exits run` was given',
    )
  }
  return plan
}

async function showStatus(command: Command, context: CliContext): Promise<void> {
  const plan = await readPlan(command, context)
  const usage = await withArchive(context, plan, (archive) => archive.usage())
  const budget = budgetState(usage.usedOctets, plan.policy.budgetOctets)
  const record = {
    runs: usage.runs,
    invalid_runs: usage.invalidRuns,
    oldest_run: usage.oldestRun,
    newest_run: usage.newestRun,
    runs_with_rows: usage.runsWithRows,
    runs_with_evidence: usage.runsWithEvidence,
    runs_with_failure_evidence: usage.runsWithFailureEvidence,
    relays: usage.relays,
    used_octets: usage.usedOctets,
    file_octets: usage.fileOctets,
    budget_octets: plan.policy.budgetOctets,
    budget,
  }
  await context.stdout.write(formatRecords([record], plan.format))
  await context.say(describeBudget(usage.usedOctets, plan.policy.budgetOctets))
}

async function retainNow(command: Command, context: CliContext): Promise<void> {
  const plan = await readPlan(command, context)
  const dryRun = command.opts<{ readonly dryRun?: boolean }>().dryRun === true
  const { interrupted: signal, clock } = context
  const outcome = await withArchive(context, plan, (archive) =>
    archive.retain({ policy: plan.policy, nowMs: clock.wallNowMs(), dryRun, signal }),
  )
  await context.stdout.write(formatRecords([toRecord(outcome)], plan.format))
  // Also with --quiet: cron sends what is on stderr to a person.
  if (outcome.budget !== 'within') {
    await context.stderr.write(`warning: ${describeBudget(outcome.usedOctets, outcome.budgetOctets)}\n`)
  }
  const verb = dryRun ? 'would be freed; nothing was done' : 'freed'
  await context.say(`${plan.archivePath}: ${formatMegabytes(outcome.freedOctets)} ${verb}`)
  if (outcome.interrupted) context.finish(STATUS_INTERRUPTED)
}

function toRecord(outcome: RetentionOutcome): object {
  return {
    dry_run: outcome.dryRun,
    evidence_runs: outcome.evidenceRuns,
    failure_evidence_runs: outcome.failureEvidenceRuns,
    row_runs: outcome.rowRuns,
    relay_days: outcome.relayDays,
    early_runs: outcome.earlyRuns,
    freed_octets: outcome.freedOctets,
    used_octets: outcome.usedOctets,
    budget_octets: outcome.budgetOctets,
    budget: outcome.budget,
  }
}

async function checkNow(command: Command, context: CliContext): Promise<void> {
  const plan = await readPlan(command, context)
  const faults = await withArchive(context, plan, (archive) => archive.check())
  const records = faults.map(({ runId, message }) => ({ run_id: runId, message }))
  await context.stdout.write(formatRecords(records, plan.format))
  await context.say(
    faults.length === 0 ? `${plan.archivePath} is whole` : `${faults.length} faults in ${plan.archivePath}`,
  )
  if (faults.length > 0) context.finish(STATUS_FAILED)
}

function describeBudget(used: number, budget: number): string {
  const share = Math.round((100 * used) / budget)
  return `the archive takes ${formatMegabytes(used)}, ${share} % of its budget of ${formatMegabytes(budget)}`
}

function formatMegabytes(octets: number): string {
  return `${(octets / OCTETS_PER_MB).toFixed(1)} MB`
}
