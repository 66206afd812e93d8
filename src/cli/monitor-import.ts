/**
 * `candor monitor import`: a CSV or a zone file becomes `dns-monitor.toml`; with `--history` what was seen elsewhere becomes
 * what is known here.
 */
import type { Command } from 'commander'
import { formatMonitorFile, parseMonitorCsv, parseMonitorZone } from '../config/import-monitor-names.ts'
import { parseMonitorFile } from '../config/monitor-file.ts'
import { ConfigError, RunError } from '../core/config-error.ts'
import { importHistory } from '../campaigns/monitor/import-history.ts'
import { parseMonitorHistory } from '../config/parse-monitor-history.ts'
import type { MonitorHistory } from '../model/monitor-state.ts'
import { openMonitorStore } from '../store/monitor-store.node.ts'
import type { CliContext } from './cli-context.ts'
import { readDataDirectory } from './monitor-options.ts'
import { readMonitorPlan } from './monitor-plan.ts'
import { readNamedFile } from './load-settings.ts'

interface ImportFlags {
  readonly origin?: string
  readonly history?: boolean
  readonly config?: string
  readonly dataDir?: string
}

/** Adds `candor monitor import`. */
export function registerMonitorImport(monitor: Command, context: CliContext): void {
  const command = monitor
    .command('import')
    .description('a CSV (name,domain,record_type,category) or a zone file as dns-monitor.toml, on stdout')
    .argument('<file>', 'names.csv, or a zone file')
    .option('--origin <name>', 'it is a zone file, and names without a dot at the end are below this one')
    .option('--history', 'it is a history: a dump of the key-value store, or what `monitor explain` wrote')
    .option('--config <file>', 'with --history: the names to watch (default: dns-monitor.toml)')
    .option('--data-dir <directory>', 'with --history: where it is kept (CANDOR_DATA_DIR)')
  command.action(async (path: string) => {
    const flags = command.optsWithGlobals<ImportFlags>()
    const { origin } = flags
    const text = await readNamedFile(context.files, 'import', path)
    if (flags.history === true) {
      await importInto(context, flags, parseMonitorHistory(path, text))
      return
    }
    if (origin === undefined && !path.toLowerCase().endsWith('.csv'))
      throw new ConfigError(path, 'it is no .csv, and a zone file needs the name of its zone', '--origin zone.example')
    const names = origin === undefined ? parseMonitorCsv(path, text) : parseMonitorZone(path, text, origin)
    const file = formatMonitorFile(names)
    parseMonitorFile(path, file)
    await context.stdout.write(file)
    await context.say(`${names.length} names`)
  })
}

async function importInto(context: CliContext, flags: ImportFlags, entries: readonly MonitorHistory[]): Promise<void> {
  const plan = await readMonitorPlan(context, flags.config)
  const dataDirectory = readDataDirectory(flags.dataDir, context, 'candor monitor import --history')
  // While somebody watches, states are in memory there: an import would be lost.
  await using store = await openMonitorStore(dataDirectory, 'candor monitor import')
  const { taken, left } = await importHistory(context.addressPlan, plan, store, entries)
  await context.say(
    `${taken} ${taken === 1 ? 'name has' : 'names have'} a history now${left === 0 ? '' : `; ${left} of the file are not watched`}`,
  )
  if (taken === 0) throw new RunError('no name of the file is watched', '--config FILE, with the names to watch')
}
