/** What the commands of `candor domains` and `candor resolvers` share: settings, the data directory, formats. */
import { Option, type Command } from 'commander'
import type { DomainPolicy } from '../campaigns/domains/domain-campaign.ts'
import type { SetOutput } from '../campaigns/domains/write-domain-sets.ts'
import { DOMAIN_SETTING_GROUP, DOMAIN_SETTINGS, type DomainSettings } from '../config/domain-settings.ts'
import { GENERAL_SETTING_GROUP, GENERAL_SETTINGS, type GeneralSettings } from '../config/general-settings.ts'
import { collectSettings } from '../config/load-config.ts'
import { SETS_SETTING_GROUP, SETS_SETTINGS, type SetsSettings } from '../config/sets-settings.ts'
import { ConfigError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import type { CliContext } from './cli-context.ts'
import { addSettingOptions, loadSettings } from './load-settings.ts'

/** What a command is told. */
export interface DomainPlan {
  readonly settings: DomainSettings
  readonly sets: SetsSettings
  readonly dataDirectory: string
  /** Whether records are for people. */
  readonly isTable: boolean
}

/** Adds `--data-dir`, `--format` and some flags of the campaign. */
export function addDomainOptions(command: Command, settings: readonly (keyof DomainSettings)[]): void {
  addSettingOptions(command, [
    { ...GENERAL_SETTING_GROUP, settings: [GENERAL_SETTINGS.dataDir] },
    { ...DOMAIN_SETTING_GROUP, settings: settings.map((name) => DOMAIN_SETTINGS[name]) },
  ])
  command.addOption(
    new Option('--format <format>', 'records on stdout (default: table on a terminal, else jsonl)').choices([
      'table',
      'jsonl',
    ]),
  )
}

/** Puts the options together. @throws {ConfigError} When something given cannot be used, or no data directory is. */
export async function readDomainPlan(command: Command, context: CliContext): Promise<DomainPlan> {
  const loaded = await loadSettings(command, context, [GENERAL_SETTING_GROUP, DOMAIN_SETTING_GROUP])
  const settings = collectSettings<DomainSettings>(DOMAIN_SETTINGS, loaded.get('domains') ?? new Map())
  const sets = collectSettings<SetsSettings>(SETS_SETTINGS, loaded.get(SETS_SETTING_GROUP.table) ?? new Map())
  const general = collectSettings<GeneralSettings>(GENERAL_SETTINGS, loaded.get('') ?? new Map())
  if (general.dataDir === null)
    throw new ConfigError('--data-dir', 'the health of the domains is kept there', '--data-dir /var/lib/candor')
  const { format } = command.opts<{ readonly format?: string }>()
  const isTable = format === undefined ? context.stdout.isTerminal : format === 'table'
  return { settings, sets, dataDirectory: general.dataDir, isTable }
}

/** How domains are treated. */
export function toDomainPolicy(settings: DomainSettings): DomainPolicy {
  const { nxHardQuarantine, wildcardFallback, concurrency, canaries } = settings
  return { nxHardQuarantine, wildcardFallback, concurrency, canaries }
}

/** Where the sets go. */
export function toSetOutput({ settings, sets, dataDirectory }: DomainPlan, allowEmpty: boolean): SetOutput {
  return { directory: settings.output ?? joinPath(dataDirectory, 'domains', 'sets'), names: sets, allowEmpty }
}
