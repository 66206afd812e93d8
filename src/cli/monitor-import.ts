/** `candor monitor import`: a CSV or a zone file becomes `dns-monitor.toml`. */
import type { Command } from 'commander'
import { formatMonitorFile, parseMonitorCsv, parseMonitorZone } from '../config/import-monitor-names.ts'
import { parseMonitorFile } from '../config/monitor-file.ts'
import { ConfigError } from '../core/config-error.ts'
import type { CliContext } from './cli-context.ts'
import { readNamedFile } from './load-settings.ts'

/** Adds `candor monitor import`. */
export function registerMonitorImport(monitor: Command, context: CliContext): void {
  monitor
    .command('import')
    .description('a CSV (name,domain,record_type,category) or a zone file as dns-monitor.toml, on stdout')
    .argument('<file>', 'names.csv, or a zone file')
    .option('--origin <name>', 'it is a zone file, and names without a dot at the end are below this one')
    .action(async (path: string, { origin }: { readonly origin?: string }) => {
      const text = await readNamedFile(context.files, 'import', path)
      if (origin === undefined && !path.toLowerCase().endsWith('.csv'))
        throw new ConfigError(
          path,
          'it is no .csv, and a zone file needs the name of its zone',
          '--origin zone.example',
        )
      const names = origin === undefined ? parseMonitorCsv(path, text) : parseMonitorZone(path, text, origin)
      const file = formatMonitorFile(names)
      parseMonitorFile(path, file)
      await context.stdout.write(file)
      await context.say(`${names.length} names`)
    })
}
