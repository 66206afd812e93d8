/** What the commands about the archive share: which one it is, how long things are kept, and how it is opened. */
import type { Command } from 'commander'
import { GENERAL_SETTING_GROUP, GENERAL_SETTINGS, type GeneralSettings } from '../config/general-settings.ts'
import { collectSettings } from '../config/load-config.ts'
import { RETENTION_SETTING_GROUP, RETENTION_SETTINGS, type RetentionSettings } from '../config/retention-settings.ts'
import { ConfigError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import type { RetentionPolicy } from '../model/retention.ts'
import { openExitArchive, type ExitArchiveStore } from '../store/exit-archive.node.ts'
import { ARCHIVE_FILE } from './archive-file.ts'
import type { CliContext } from './cli-context.ts'
import { loadSettings } from './load-settings.ts'

const STATE_MODE = 0o700
const OCTETS_PER_MIB = 1_048_576

/** What a command about the archive is told. */
export interface StorePlan {
  readonly archivePath: string
  readonly dataDir: string
  readonly policy: RetentionPolicy
  readonly format: 'table' | 'jsonl'
}

/** The policy that settings amount to. */
export function toRetentionPolicy(settings: RetentionSettings): RetentionPolicy {
  return {
    evidenceDays: settings.exitsEvidence,
    failureEvidenceDays: settings.exitsFailureEvidence,
    rowDays: settings.exitsRows,
    relayDayDays: settings.exitsRelayDays,
    budgetOctets: settings.diskBudget * OCTETS_PER_MIB,
  }
}

/** Puts the options together. @throws {ConfigError} When there is no data directory, or something given cannot be used. */
export async function readStorePlan(command: Command, context: CliContext): Promise<StorePlan> {
  const loaded = await loadSettings(command, context, [GENERAL_SETTING_GROUP, RETENTION_SETTING_GROUP])
  const general = collectSettings<GeneralSettings>(GENERAL_SETTINGS, loaded.get('') ?? new Map())
  const settings = collectSettings<RetentionSettings>(RETENTION_SETTINGS, loaded.get('retention') ?? new Map())
  const { dataDir } = general
  if (dataDir === null) {
    throw new ConfigError('--data-dir', 'the archive is in the data directory', '--data-dir /var/lib/candor')
  }
  const { format } = command.opts<{ format?: 'table' | 'jsonl' }>()
  return {
    archivePath: joinPath(dataDir, ARCHIVE_FILE),
    dataDir,
    policy: toRetentionPolicy(settings),
    format: format ?? (context.stdout.isTerminal ? 'table' : 'jsonl'),
  }
}

/** Opens the archive, creating the directory (0700) when it is new, and closes it whatever happens. */
export async function withArchive<T>(
  { files }: CliContext,
  { archivePath, dataDir }: StorePlan,
  work: (archive: ExitArchiveStore) => Promise<T>,
): Promise<T> {
  await files.makeDirectory(dataDir, STATE_MODE)
  const archive = await openExitArchive(archivePath)
  try {
    return await work(archive)
  } finally {
    await archive.close()
  }
}
