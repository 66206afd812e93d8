/** `candor exits run`: one run over the exits, records on stdout, everything else on stderr. */
import type { Command } from 'commander'
import { createRunProgress } from '../campaigns/exits/run-progress.ts'
import { EXIT_SETTINGS, type ExitSettings, type FailOn } from '../config/exit-settings.ts'
import { collectSettings, type LoadedGroup } from '../config/load-config.ts'
import { BusyError } from '../core/config-error.ts'
import type { ExitReport } from '../model/exit-result.ts'
import type { CliContext } from './cli-context.ts'
import { findDaemon } from './daemon-client.ts'
import { addExitRunOptions, EXIT_RUN_GROUPS, finishExitRun, type LoadedExitRun } from './exit-run-options.ts'
import {
  STATUS_DONE,
  STATUS_FAILED,
  STATUS_FINDINGS,
  STATUS_INCOMPLETE,
  STATUS_INTERRUPTED,
  type CliStatus,
} from './exit-status.ts'
import { loadModules } from './exits-modules.ts'
import { runBesideDaemon } from './exits-run-remote.ts'
import { runExitScan, type ExitScanOutcome } from './exits-scan.ts'
import { withDirectResolver, withTables } from './exits-surroundings.ts'
import { formatResults } from './format-exit-results.ts'
import { loadSettings } from './load-settings.ts'
import { startProgress } from './progress.ts'

const NONE: LoadedGroup = new Map()

/** Adds `candor exits run`. */
export function registerExitsRun(exits: Command, context: CliContext): void {
  const command = exits
    .command('run')
    .description('test DNS at every Tor exit')
    .argument('[modules...]', 'what to run: `candor exits modules` lists them (default: dnshealth, or --module alone)')
  addExitRunOptions(command)
  command.action(async (modules: readonly string[]) => {
    await run(context, command, modules)
  })
}

async function run(context: CliContext, command: Command, names: readonly string[]): Promise<void> {
  const loaded = await loadSettings(command, context, EXIT_RUN_GROUPS)
  const {
    failOn,
    format: wanted,
    skipIfBusy,
  } = collectSettings<ExitSettings>(EXIT_SETTINGS, loaded.get('exits') ?? NONE)
  const dataDir = loaded.get('')?.get('data-dir')?.value
  const daemon = typeof dataDir === 'string' ? await findDaemon(context.files, dataDir) : undefined
  let outcome: ExitScanOutcome
  try {
    outcome =
      daemon === undefined
        ? await runHere(context, await finishExitRun(loaded, names, context))
        : await runBesideDaemon(context, daemon, command, names, loaded)
  } catch (error) {
    if (!(error instanceof BusyError) || !skipIfBusy) throw error
    await context.say(`${error.message}; skipped`)
    return
  }
  // Before the records: a reader of stdout that goes away does not change what was found.
  context.finish(statusOf(outcome, failOn))
  const format = wanted ?? (context.stdout.isTerminal ? 'table' : 'jsonl')
  for (const text of formatResults(outcome, format)) await context.stdout.write(text)
  for (const path of outcome.written) await context.say(`wrote ${path}`)
  const { report } = outcome
  if (report !== undefined) await context.say(summarize(report))
}

async function runHere(
  context: CliContext,
  { options: given, extras, general }: LoadedExitRun,
): Promise<ExitScanOutcome> {
  const options = await withDirectResolver(context, given)
  const modules = await loadModules(options.modules, options.moduleFiles)
  const progress = createRunProgress(context.clock)
  const shown = startProgress(progress, context, extras.statusFile)
  try {
    return await runExitScan(withTables(context, general), { options, extras, modules, progress })
  } catch (error) {
    // For the status file; what happened follows on stderr.
    progress.phase('failed', 'The run failed')
    throw error
  } finally {
    await shown.stop()
  }
}

/** One sentence about the run. */
function summarize({ metadata }: ExitReport): string {
  if (metadata.invalid !== null) return `this run is invalid and accuses nobody: ${metadata.invalid}`
  const failing = metadata.wrong_ip + metadata.dns_fail + metadata.timeout
  const unreachable = metadata.total_relays - metadata.dns_tested
  const seconds = metadata.duration_ms / 1000
  return (
    `${metadata.dns_tested} of ${metadata.candidates} exits measured: ${metadata.success} sound for this zone, ` +
    `${failing} failing; ${unreachable} unreachable and not counted, ${metadata.not_tested} not tested ` +
    `(${seconds.toFixed(1)} s, ${(metadata.total_relays / Math.max(seconds, 0.001)).toFixed(1)} relays/s)`
  )
}

const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const

function statusOf({ report, moduleReports, interrupted }: ExitScanOutcome, failOn: FailOn): CliStatus {
  if (interrupted) return STATUS_INTERRUPTED
  if (report?.metadata.invalid !== undefined && report.metadata.invalid !== null) return STATUS_FAILED
  if (report !== undefined && failOn !== 'none' && worst(report) >= SEVERITIES.indexOf(failOn)) return STATUS_FINDINGS
  if ((report?.metadata.not_tested ?? 0) > 0 || moduleReports.some(({ notReached }) => notReached > 0)) {
    return STATUS_INCOMPLETE
  }
  return STATUS_DONE
}

/** @returns Index of the gravest finding in {@link SEVERITIES}; −1 for none. */
function worst({ metadata, results }: ExitReport): number {
  if (metadata.wrong_ip > 0) return SEVERITIES.indexOf('high')
  if (metadata.dns_fail + metadata.timeout > 0) return SEVERITIES.indexOf('medium')
  return results.some(({ flags }) => flags.includes('inconsistent')) ? SEVERITIES.indexOf('low') : -1
}
