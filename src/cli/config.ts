/** The group `candor config`: what the settings are, and who said so. */
import type { Command } from 'commander'
import { formatTomlValue } from '../config/format-toml-value.ts'
import { configKey, type LoadedGroup, type LoadedValue } from '../config/load-config.ts'
import { SETTING_GROUPS } from '../config/setting-groups.ts'
import type { SettingGroup } from '../config/setting.ts'
import type { CliContext } from './cli-context.ts'
import { registerConfigImport } from './config-import.ts'
import { addExitRunOptions, EXIT_RUN_GROUPS, finishExitRun } from './exit-run-options.ts'
import { loadSettings } from './load-settings.ts'

/** What stands in the place of a secret that is set. */
const HIDDEN = '(hidden)'

/** One line of `config check`. */
interface EffectiveSetting {
  readonly key: string
  readonly value: unknown
  readonly origin: string
}

/** Adds `candor config` with its commands. */
export function registerConfig(program: Command, context: CliContext): void {
  const config = program.command('config').description('the settings, from flags, environment and file')
  const check = config
    .command('check')
    .description('check the configuration and print every setting with its origin, as a configuration file')
  addExitRunOptions(check)
  registerConfigImport(config, context)
  check.action(async () => {
    const loaded = await loadSettings(check, context, EXIT_RUN_GROUPS)
    const exits = loaded.get('exits') ?? new Map<string, LoadedValue>()
    // With nothing set there is no run to check: a configuration need not be about exits.
    if ([...exits.values()].some(({ origin }) => origin !== 'default')) await finishExitRun(loaded, [], context)
    const lines = SETTING_GROUPS.flatMap((group) => listGroup(group, loaded.get(group.table)))
    await context.stdout.write(isTable(check, context) ? formatToml(lines) : formatJsonLines(lines))
  })
}

/** `--format` decides; without it, people get a configuration file and programs JSON Lines. */
function isTable(check: Command, context: CliContext): boolean {
  const { format } = check.opts<{ readonly format?: string }>()
  return format === undefined ? context.stdout.isTerminal : format !== 'jsonl'
}

function listGroup(group: SettingGroup, loaded: LoadedGroup | undefined): readonly EffectiveSetting[] {
  return group.settings.flatMap((setting) => {
    const found = loaded?.get(setting.name)
    const isDuration = setting.limit?.unit === 'ms' && typeof found?.value === 'number'
    const plain = isDuration ? found.value / 1000 : found?.value
    const value = setting.isSecret === true && plain !== null ? HIDDEN : plain
    return found === undefined ? [] : [{ key: configKey(group, setting), value, origin: found.origin }]
  })
}

function formatJsonLines(lines: readonly EffectiveSetting[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
}

/** A configuration file that gives the same settings; what is not set stands in a comment. */
function formatToml(lines: readonly EffectiveSetting[]): string {
  let table = ''
  const rows: string[] = []
  for (const { key, value, origin } of lines) {
    const [first = '', second] = key.split('.')
    if (second !== undefined && first !== table) {
      table = first
      rows.push('', `[${table}]`)
    }
    const name = second ?? first
    if (value === null) rows.push(`# ${name} is not set`)
    else if (value === HIDDEN) rows.push(`# ${name} is set and not shown`.padEnd(48) + ` # ${origin}`)
    else rows.push(`${name} = ${formatTomlValue(value)}`.padEnd(48) + ` # ${origin}`)
  }
  return `${rows.join('\n').trimStart()}\n`
}
