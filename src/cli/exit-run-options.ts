/** The options of `candor exits run`: from the table of settings to flags, and from flags to what the run is told. */
import type { Command } from 'commander'
import { EXIT_SETTING_GROUP, EXIT_SETTINGS, type ExitSettings } from '../config/exit-settings.ts'
import { GENERAL_SETTING_GROUP, GENERAL_SETTINGS, type GeneralSettings } from '../config/general-settings.ts'
import { toExitRunExtras, type ExitRunExtras } from '../config/exit-run-extras.ts'
import { collectSettings, type LoadedGroup } from '../config/load-config.ts'
import { toExitRunOptions } from '../config/to-exit-run-options.ts'
import type { SettingGroup } from '../config/setting.ts'
import type { ExitRunOptions } from '../model/exit-options.ts'
import { requireLocalControl } from '../tor/control-address.ts'
import { checkAppendedLines } from '../tor/torrc.ts'
import type { CliContext } from './cli-context.ts'
import { addSettingOptions, readNamedFile } from './load-settings.ts'

/** The groups whose settings are flags of a run. */
export const EXIT_RUN_GROUPS: readonly SettingGroup[] = [GENERAL_SETTING_GROUP, EXIT_SETTING_GROUP]

/** What the flags, the environment and the configuration file say together. */
export interface LoadedExitRun {
  readonly options: ExitRunOptions
  readonly extras: ExitRunExtras
  readonly settings: ExitSettings
  readonly general: GeneralSettings
}

/** Adds a flag for every setting of a run. */
export function addExitRunOptions(command: Command): void {
  addSettingOptions(command, EXIT_RUN_GROUPS)
}

/**
 * Checks loaded settings against each other and reads the files that they name.
 *
 * @param loaded - What `loadSettings` gave.
 * @param modules - Names of modules from the command line; empty means `dnshealth`, or only those of `--module`.
 * @throws {ConfigError} When something given cannot be used.
 */
export async function finishExitRun(
  loaded: ReadonlyMap<string, LoadedGroup>,
  modules: readonly string[],
  context: CliContext,
): Promise<LoadedExitRun> {
  const settings = collectSettings<ExitSettings>(EXIT_SETTINGS, loaded.get('exits') ?? new Map())
  const general = collectSettings<GeneralSettings>(GENERAL_SETTINGS, loaded.get('') ?? new Map())
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
