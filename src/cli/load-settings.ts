/** Settings of a command: flags from the table of settings, and the values from flags, environment and file. */
import { Option, type Command } from 'commander'
import { describeDefault, loadConfig, type ConfigSources, type LoadedGroup } from '../config/load-config.ts'
import { SETTING_GROUPS } from '../config/setting-groups.ts'
import type { Setting, SettingGroup } from '../config/setting.ts'
import { ConfigError } from '../core/config-error.ts'
import { FileError, readText, type Files } from '../core/files.ts'
import type { CliContext } from './cli-context.ts'

/** A list of a million lines is a mistake; ten times the longest that is allowed fits. */
const FILE_OCTETS_MAX = 16_777_216

/** Adds a flag for every setting of some groups. */
export function addSettingOptions(command: Command, groups: readonly SettingGroup[]): void {
  for (const setting of groups.flatMap((group) => group.settings)) {
    for (const option of toOptions(setting)) command.addOption(option)
  }
}

/**
 * Loads all groups, each value with its origin.
 *
 * @param flagGroups - The groups that {@link addSettingOptions} was called with, before parsing.
 * @param proposed - What a laboratory proposes, under the names of environment variables.
 * @returns For each group, under the name of its table, its settings.
 * @throws {ConfigError} When something given cannot be used, whichever command it is for.
 */
export async function loadSettings(
  command: Command,
  context: CliContext,
  flagGroups: readonly SettingGroup[],
  proposed: Readonly<Record<string, string>> = {},
): Promise<ReadonlyMap<string, LoadedGroup>> {
  const given: Readonly<Record<string, unknown>> = command.optsWithGlobals()
  const flags = new Map<string, unknown>()
  for (const { name } of flagGroups.flatMap((group) => group.settings)) {
    const value = given[new Option(`--${name}`).attributeName()]
    if (value !== undefined) flags.set(name, value)
  }
  const file = await readConfigFile(command, context)
  const sources = { file, environment: context.environment, flags, proposed }
  const loaded = loadConfig(sources, SETTING_GROUPS, flagGroups)
  return new Map(SETTING_GROUPS.map(({ table }, index) => [table, loaded[index] ?? new Map()]))
}

/** The configuration file that a command was given; `null` without one. */
export function findConfigPath(command: Command, context: CliContext): string | null {
  const flag: unknown = command.optsWithGlobals()['config']
  const path = typeof flag === 'string' ? flag : (context.environment['CANDOR_CONFIG'] ?? '')
  return path === '' ? null : path
}

async function readConfigFile(command: Command, context: CliContext): Promise<ConfigSources['file']> {
  const path = findConfigPath(command, context)
  if (path === null) return null
  return { path, text: await readNamedFile(context.files, '--config', path) }
}

/** Reads a file that an option names: one that cannot be read is the mistake of whoever named it. @throws {ConfigError} */
export async function readNamedFile(files: Files, option: string, path: string): Promise<string> {
  try {
    return await readText(files, path, FILE_OCTETS_MAX)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    throw new ConfigError(
      `${option} ${path}`,
      FILE_REASONS[error.code] ?? `reading it fails with ${error.code}`,
      `${option} FILE, with a file that can be read`,
      {
        cause: error,
      },
    )
  }
}

const FILE_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read by this user',
  EISDIR: 'it is a directory',
  TOO_LARGE: `it is longer than ${FILE_OCTETS_MAX} octets`,
}

function toOptions(setting: Setting<unknown>): readonly Option[] {
  if (setting.isSecret === true || setting.tables !== undefined) return []
  const short = setting.short === undefined ? '' : `${setting.short}, `
  const value = setting.placeholder === undefined ? '' : ` <${setting.placeholder}>`
  const shown = setting.default === null && setting.defaultText === undefined ? '' : describeDefault(setting)
  const isPlainSwitch = setting.placeholder === undefined && setting.default === false
  const note = shown === '' || shown === 'none' || isPlainSwitch ? '' : ` (default: ${shown})`
  const option = new Option(`${short}--${setting.name}${value}`, `${setting.description}${note}`)
  if (setting.isList === true)
    option.argParser((text, before: readonly string[] | undefined) => [...(before ?? []), text])
  return setting.default === true
    ? [option, new Option(`--no-${setting.name}`, `the opposite of --${setting.name}`)]
    : [option]
}
