/**
 * `candor monitor run`: rounds at their intervals until it is interrupted. What people are to be told goes to stdout and
 * into the outbox of the data directory, from which `candor serve` or `candor alerts` deliver. SIGHUP reads the names
 * again; a file that cannot be used changes nothing.
 */
import type { Command } from 'commander'
import { cleanLine } from '../alerts/plain-text.ts'
import { createMonitorWatch } from '../daemon/monitor-watch.ts'
import { ConfigError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import type { AlertMessage } from '../model/alert.ts'
import type { MonitorPlan } from '../model/monitor-name.ts'
import type { MonitorNotice } from '../model/monitor-state.ts'
import { openAlertStores } from '../store/alert-stores.node.ts'
import { openMonitorArchive } from '../store/monitor-archive.node.ts'
import { createVantageMemory } from '../store/vantage-memory.ts'
import type { CliContext } from './cli-context.ts'
import { STATUS_INTERRUPTED } from './exit-status.ts'
import { MONITOR_TIMEOUT_DEFAULT, readDataDirectory, readMonitorFormat, readMonitorTimeout } from './monitor-options.ts'
import { readMonitorPlan } from './monitor-plan.ts'
import { printError } from './print-error.ts'

interface RunFlags {
  readonly config?: string
  readonly dataDir?: string
  readonly timeout: string
  readonly format?: string
}

/** Adds `candor monitor run`. */
export function registerMonitorRun(monitor: Command, context: CliContext): void {
  const command = monitor
    .command('run')
    .description('watch the names until interrupted: learn what is normal, and tell what is not')
    .option('--config <file>', 'the names to watch (default: dns-monitor.toml)')
    .option('--data-dir <directory>', 'where what was learned is kept, and what is told (CANDOR_DATA_DIR)')
    .option('--timeout <duration>', 'how long a resolver may take', MONITOR_TIMEOUT_DEFAULT)
    .option('--format <format>', 'text or jsonl (default: text on a terminal)')
  command.action(async () => {
    const flags = command.optsWithGlobals<RunFlags>()
    const isText = readMonitorFormat(flags.format, context)
    const timeoutMs = readMonitorTimeout(flags.timeout)
    const plan = await readMonitorPlan(context, flags.config)
    const dataDirectory = readDataDirectory(flags.dataDir, context, 'candor monitor run')
    await using archive = await openMonitorArchive(dataDirectory, 'candor monitor run')
    await using alerts = await openAlertStores(dataDirectory, null)
    const random = context.createRandom(context.newSeed())
    const onTold = async ({ channel, incident }: MonitorNotice, message: AlertMessage): Promise<void> => {
      const { title, severity, event, createdAt } = message
      const record = { at: createdAt, event, severity, channel, title, incident: incident?.key ?? null }
      const line = `${createdAt}  ${severity}  ${channel}  ${cleanLine(title)}`
      await context.stdout.write(`${isText ? line : JSON.stringify(record)}\n`)
    }
    await context.say(`watching ${plan.names.length} names; Ctrl-C ends it`)
    const { outbox } = alerts
    const follow = (take: (next: MonitorPlan) => void): (() => void) => followPlan(context, flags.config, take)
    const vantage = createVantageMemory(context.files, joinPath(dataDirectory, 'monitor'))
    const parts = { ...context, random, archive, outbox, plan, timeoutMs, onTold, follow, vantage }
    const watch = createMonitorWatch(parts)
    await watch.run(context.interrupted)
    await context.say(`${watch.rounds()} rounds were judged`)
    context.finish(STATUS_INTERRUPTED)
  })
}

/** Hands on the plan at each SIGHUP; a mistake is said, and what is in force stays so. */
function followPlan(context: CliContext, path: string | undefined, take: (plan: MonitorPlan) => void): () => void {
  const reload = async (): Promise<void> => {
    try {
      const plan = await readMonitorPlan(context, path)
      take(plan)
      await context.say(`watching ${plan.names.length} names from now on`)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      await printError(error, context)
      await context.say('the configuration from before stays in force')
    }
  }
  let reloading = Promise.resolve()
  return context.onHangup(() => {
    reloading = reloading.then(reload)
  })
}
