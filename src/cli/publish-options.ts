/** What the commands of `candor publish` share: their settings, the directory they work on, and how they write records. */
import { Option, type Command } from 'commander'
import { EXIT_SETTINGS, type ExitSettings } from '../config/exit-settings.ts'
import { GENERAL_SETTING_GROUP, GENERAL_SETTINGS, type GeneralSettings } from '../config/general-settings.ts'
import { collectSettings } from '../config/load-config.ts'
import { PUBLISH_SETTING_GROUP, PUBLISH_SETTINGS, type PublishSettings } from '../config/publish-settings.ts'
import { ConfigError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import type { CliContext } from './cli-context.ts'
import { addSettingOptions, loadSettings } from './load-settings.ts'

const FLAG_GROUPS = [GENERAL_SETTING_GROUP, PUBLISH_SETTING_GROUP]

/** What a command of `candor publish` is told. */
export interface PublishPlan {
  readonly settings: PublishSettings
  /** The directory of publication. */
  readonly directory: string
  /** Where state is kept: the data directory, or the one that a run without any uses. */
  readonly stateDirectory: string
  readonly dryRun: boolean
  readonly skipIfBusy: boolean
  readonly format: 'table' | 'jsonl'
}

/** Adds the options that all of them have; `isWriting` adds those of commands that change something. */
export function addPublishOptions(command: Command, isWriting: boolean): void {
  addSettingOptions(command, [
    { ...GENERAL_SETTING_GROUP, settings: [GENERAL_SETTINGS.dataDir] },
    PUBLISH_SETTING_GROUP,
  ])
  if (isWriting) {
    command
      .option('--dry-run', 'say what would be done, and do nothing')
      .option('--skip-if-busy', 'exit status 0 where another run holds the directory')
  }
  command.addOption(
    new Option('--format <format>', 'records on stdout (default: table on a terminal, else jsonl)').choices([
      'table',
      'jsonl',
    ]),
  )
}

/** Puts the options together. @throws {ConfigError} When something given cannot be used. */
export async function readPublishPlan(command: Command, context: CliContext): Promise<PublishPlan> {
  const loaded = await loadSettings(command, context, FLAG_GROUPS)
  const settings = collectSettings<PublishSettings>(PUBLISH_SETTINGS, loaded.get('publish') ?? new Map())
  const general = collectSettings<GeneralSettings>(GENERAL_SETTINGS, loaded.get('') ?? new Map())
  const exits = collectSettings<ExitSettings>(EXIT_SETTINGS, loaded.get('exits') ?? new Map())
  const directory = settings.directory ?? exits.analysisDir
  const info = await context.files.info(directory)
  if (info?.kind !== 'directory') {
    throw new ConfigError(
      `the directory ${directory}`,
      info === undefined ? 'it does not exist' : 'it is no directory',
      '--directory DIRECTORY, the one that `candor exits run` writes its reports to',
    )
  }
  const given: { dryRun?: boolean; skipIfBusy?: boolean; format?: 'table' | 'jsonl' } = command.opts()
  return {
    settings,
    directory,
    stateDirectory: general.dataDir ?? joinPath(exits.analysisDir, '.candor'),
    dryRun: given.dryRun === true,
    skipIfBusy: given.skipIfBusy === true,
    format: given.format ?? (context.stdout.isTerminal ? 'table' : 'jsonl'),
  }
}

/** Formats records: aligned columns with a head, or JSON Lines. The first record says which columns there are. */
export function formatRecords(records: readonly object[], format: 'table' | 'jsonl'): string {
  if (format === 'jsonl') return records.map((record) => `${JSON.stringify(record)}\n`).join('')
  const columns = Object.keys(records[0] ?? {})
  const rows = [
    columns,
    ...records.map((record) => columns.map((column) => formatCell(new Map(Object.entries(record)).get(column)))),
  ]
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function formatCell(value: unknown): string {
  if (value === null || value === undefined) return '–'
  if (Array.isArray(value)) return value.join(' ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
