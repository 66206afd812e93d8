/** The group `candor config`: what the settings are, and who said so. */
import type { Command } from 'commander'
import { configKey, type LoadedGroup } from '../config/load-config.ts'
import type { CliContext } from './cli-context.ts'
import { addExitRunOptions, finishExitRun, loadSettings, SETTING_GROUPS } from './exit-run-options.ts'

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
  check.action(async () => {
    const [general, exits] = await loadSettings(check, context)
    // With nothing set there is no run to check: a configuration need not be about exits.
    if ([...exits.values()].some(({ origin }) => origin !== 'default')) await finishExitRun(general, exits, [], context)
    const lines = [general, exits].flatMap(listGroup)
    await context.stdout.write(isTable(check, context) ? formatToml(lines) : formatJsonLines(lines))
  })
}

/** `--format` decides; without it, people get a configuration file and programs JSON Lines. */
function isTable(check: Command, context: CliContext): boolean {
  const { format } = check.opts<{ readonly format?: string }>()
  return format === undefined ? context.stdout.isTerminal : format !== 'jsonl'
}

function listGroup(loaded: LoadedGroup, index: number): readonly EffectiveSetting[] {
  const group = SETTING_GROUPS[index]
  return (group?.settings ?? []).flatMap((setting) => {
    const found = loaded.get(setting.name)
    const isDuration = setting.limit?.unit === 'ms' && typeof found?.value === 'number'
    const plain = isDuration ? found.value / 1000 : found?.value
    const value = setting.isSecret === true && plain !== null ? HIDDEN : plain
    return group === undefined || found === undefined
      ? []
      : [{ key: configKey(group, setting), value, origin: found.origin }]
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
    else rows.push(`${name} = ${JSON.stringify(value)}`.padEnd(48) + ` # ${origin}`)
  }
  return `${rows.join('\n').trimStart()}\n`
}
