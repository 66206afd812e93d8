/** `candor publish sync`: brings every store to where the directory of publication is. */
import type { Command } from 'commander'
import { BusyError, ConfigError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import type { SyncOutcome } from '../publish/sync-store.ts'
import { syncStores } from '../publish/sync-stores.ts'
import { acquireRunLock, type RunLock } from '../store/run-lock.node.ts'
import type { CliContext } from './cli-context.ts'
import { STATUS_FAILED, STATUS_INCOMPLETE, STATUS_INTERRUPTED } from './exit-status.ts'
import { openStores } from './open-stores.ts'
import { addPublishOptions, formatRecords, readPublishPlan } from './publish-options.ts'

/** Adds `candor publish sync`. */
export function registerPublishSync(publish: Command, context: CliContext): void {
  const command = publish
    .command('sync')
    .description('upload to every store what it lacks, and remove what has been replaced')
  addPublishOptions(command, true)
  command.action(async () => {
    await sync(command, context)
  })
}

async function sync(command: Command, context: CliContext): Promise<void> {
  const { settings, directory, stateDirectory, dryRun, skipIfBusy, format } = await readPublishPlan(command, context)
  const stores = await openStores(context, settings)
  if (stores.length === 0) throw new ConfigError('publish.stores', 'there is no store to publish to', settingsExample())
  let lock: RunLock
  try {
    // Not the lock of the directory: a run of two hours must not hold up what is finished.
    lock = await acquireRunLock(joinPath(stateDirectory, 'publish'), 'candor publish sync')
  } catch (error) {
    if (!(error instanceof BusyError) || !skipIfBusy) throw error
    await context.say(`${error.message}; skipped`)
    return
  }
  await using held = lock
  void held
  const { files, clock, interrupted: signal } = context
  const outcomes = await syncStores(
    { files, clock, signal },
    stores,
    { directory, stateDirectory },
    { concurrency: settings.concurrency, deleteAfterDays: settings.deleteAfterDays, dryRun },
  )
  await report(context, outcomes, format)
}

async function report(context: CliContext, outcomes: readonly SyncOutcome[], format: 'table' | 'jsonl'): Promise<void> {
  const records = outcomes.map(({ store, uploaded, removed, unchanged, sentOctets, failure }) => {
    return { store, uploaded, removed, unchanged, sent_octets: sentOctets, failure }
  })
  await context.stdout.write(formatRecords(records, format))
  const failed = outcomes.filter(({ failure }) => failure !== null)
  // Also with --quiet: cron sends what is on stderr to a person.
  for (const { store, failure } of failed)
    await context.stderr.write(`warning: ${store} is not up to date: ${failure}\n`)
  if (failed.length > 0) context.finish(failed.length === outcomes.length ? STATUS_FAILED : STATUS_INCOMPLETE)
  if (context.interrupted.aborted) context.finish(STATUS_INTERRUPTED)
}

function settingsExample(): string {
  return '[[publish.stores]] with name, kind and bucket, in the file of --config (see docs/manual/publication.md)'
}
