/** `candor publish retention`: compresses, archives and deletes published reports by their age. */
import type { Command } from 'commander'
import { BusyError } from '../core/config-error.ts'
import { listRetentionSteps, readRetentionPlan, runRetention, type RetentionStep } from '../publish/run-retention.ts'
import { tarCodec } from '../publish/tar-codec.node.ts'
import { acquireRunLock, type RunLock } from '../store/run-lock.node.ts'
import type { CliContext } from './cli-context.ts'
import { STATUS_INCOMPLETE, STATUS_INTERRUPTED } from './exit-status.ts'
import { addPublishOptions, formatRecords, readPublishPlan } from './publish-options.ts'

/** Adds `candor publish retention`. */
export function registerPublishRetention(publish: Command, context: CliContext): void {
  const command = publish
    .command('retention')
    .description('compress old reports, put older ones into monthly archives, delete the oldest')
  addPublishOptions(command, true)
  command.action(async () => {
    await retain(command, context)
  })
}

async function retain(command: Command, context: CliContext): Promise<void> {
  const plan = await readPublishPlan(command, context)
  const { directory, settings, format } = plan
  const wallNowMs = context.clock.wallNowMs()
  const show = (steps: readonly RetentionStep[]): Promise<void> => context.stdout.write(formatRecords(steps, format))
  if (plan.dryRun) {
    const steps = listRetentionSteps(await readRetentionPlan(context.files, directory, wallNowMs, settings))
    await show(steps)
    await context.say(`${steps.length} steps would be taken in ${directory}; nothing was done`)
    return
  }
  let lock: RunLock
  try {
    lock = await acquireRunLock(plan.stateDirectory, 'candor publish retention')
  } catch (error) {
    if (!(error instanceof BusyError) || !plan.skipIfBusy) throw error
    await context.say(`${error.message}; skipped`)
    return
  }
  await using held = lock
  void held
  const { files, interrupted: signal } = context
  const outcome = await runRetention({ files, codec: tarCodec, wallNowMs, signal }, directory, settings)
  await show(outcome.done)
  // Also with --quiet: cron sends what is on stderr to a person.
  for (const problem of outcome.problems) await context.stderr.write(`warning: ${problem}\n`)
  await context.say(`${outcome.done.length} steps taken in ${directory}, ${outcome.problems.length} left`)
  if (outcome.problems.length > 0) context.finish(STATUS_INCOMPLETE)
  if (outcome.interrupted) context.finish(STATUS_INTERRUPTED)
}
