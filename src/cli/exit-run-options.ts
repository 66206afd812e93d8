/** The options of `candor exits run`: from the table of settings to flags, and from flags to what the run is told. */
import { Option, type Command } from 'commander'
import { EXIT_SETTING_GROUP, EXIT_SETTINGS, type ExitSettings } from '../config/exit-settings.ts'
import { GENERAL_SETTING_GROUP, GENERAL_SETTINGS, type GeneralSettings } from '../config/general-settings.ts'
import { toExitRunExtras, type ExitRunExtras } from '../config/exit-run-extras.ts'
import {
  collectSettings,
  describeDefault,
  loadConfig,
  type ConfigSources,
  type LoadedGroup,
} from '../config/load-config.ts'
import { toExitRunOptions } from '../config/to-exit-run-options.ts'
import type { Setting, SettingGroup } from '../config/setting.ts'
import { ConfigError } from '../core/config-error.ts'
import { FileError, readText, type Files } from '../core/files.ts'
import type { ExitRunOptions } from '../model/exit-options.ts'
import { requireLocalControl } from '../tor/control-address.ts'
import { checkAppendedLines } from '../tor/torrc.ts'
import type { CliContext } from './cli-context.ts'

/** Every group of settings that a configuration file may hold. */
export const SETTING_GROUPS: readonly SettingGroup[] = [GENERAL_SETTING_GROUP, EXIT_SETTING_GROUP]

/** A list of a million lines is a mistake; ten times the longest that is allowed fits. */
const FILE_OCTETS_MAX = 16_777_216

/** What the flags, the environment and the configuration file say together. */
export interface LoadedExitRun {
  readonly options: ExitRunOptions
  readonly extras: ExitRunExtras
  readonly settings: ExitSettings
  readonly general: GeneralSettings
}

/** Adds a flag for every setting of a run. */
export function addExitRunOptions(command: Command): void {
  for (const setting of SETTING_GROUPS.flatMap((group) => group.settings)) {
    for (const option of toOptions(setting)) command.addOption(option)
  }
}

/**
 * Puts the options of a run together.
 *
 * @param command - The command that {@link addExitRunOptions} was called with, after parsing.
 * @param modules - Names of modules from the command line; empty means `dnshealth`, or only those of `--module`.
 * @throws {ConfigError} When something given cannot be used.
 */
export async function readExitRunOptions(
  command: Command,
  modules: readonly string[],
  context: CliContext,
): Promise<LoadedExitRun> {
  const [general, exits] = await loadSettings(command, context)
  return finishExitRun(general, exits, modules, context)
}

/** Loads all groups: the shared settings and those of the campaign, each value with its origin. @throws {ConfigError} */
export async function loadSettings(command: Command, context: CliContext): Promise<[LoadedGroup, LoadedGroup]> {
  const given: Readonly<Record<string, unknown>> = command.optsWithGlobals()
  const flags = new Map<string, unknown>()
  for (const { name } of SETTING_GROUPS.flatMap((group) => group.settings)) {
    const value = given[new Option(`--${name}`).attributeName()]
    if (value !== undefined) flags.set(name, value)
  }
  const file = await readConfigFile(given['config'], context)
  const loaded = loadConfig({ file, environment: context.environment, flags }, SETTING_GROUPS)
  return [loaded[0] ?? new Map(), loaded[1] ?? new Map()]
}

/** Checks loaded settings against each other and reads the files that they name. @throws {ConfigError} */
export async function finishExitRun(
  generalLoaded: LoadedGroup,
  exitsLoaded: LoadedGroup,
  modules: readonly string[],
  context: CliContext,
): Promise<LoadedExitRun> {
  const settings = collectSettings<ExitSettings>(EXIT_SETTINGS, exitsLoaded)
  const general = collectSettings<GeneralSettings>(GENERAL_SETTINGS, generalLoaded)
  const readFile = (option: string, path: string): Promise<string> => readNamedFile(context.files, option, path)
  const options = await toExitRunOptions(settings, general, {
    modules,
    readFile,
    wallNowMs: context.clock.wallNowMs(),
    newSeed: () => context.newSeed(),
  })
  const extras = await toExitRunExtras(settings, readFile)
  if (extras.control !== null) requireLocalControl(extras.control)
  checkAppendedLines(extras.torrcAppend, '--torrc-append')
  return { options, extras, settings, general }
}

async function readConfigFile(flag: unknown, context: CliContext): Promise<ConfigSources['file']> {
  const path = typeof flag === 'string' ? flag : (context.environment['CANDOR_CONFIG'] ?? '')
  if (path === '') return null
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
  if (setting.isSecret === true) return []
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
