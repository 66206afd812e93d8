/** `candor config import`: takes over `config.env` of the earlier deployment. */
import type { Command } from 'commander'
import { importConfigEnv } from '../config/import-config-env.ts'
import { loadConfig } from '../config/load-config.ts'
import { SETTING_GROUPS } from '../config/setting-groups.ts'
import { ConfigError } from '../core/config-error.ts'
import type { CliContext } from './cli-context.ts'
import { STATUS_INCOMPLETE } from './exit-status.ts'
import { readNamedFile } from './load-settings.ts'

/** 0644 would do for the configuration, but people write secrets where they should not. */
const FILE_MODE = 0o600

interface ImportFlags {
  readonly output?: string
  readonly secrets?: string
}

/** Adds `candor config import`. */
export function registerConfigImport(config: Command, context: CliContext): void {
  config
    .command('import')
    .description('make a configuration file from config.env of the earlier deployment')
    .argument('<file>', 'the old file')
    .option('--output <file>', 'write the configuration to this file (default: stdout)')
    .option('--secrets <file>', 'write keys and tokens to this file (default: candor.env, beside the configuration)')
    .action(async (path: string, flags: ImportFlags) => {
      await importFile(context, path, flags)
    })
}

async function importFile(context: CliContext, path: string, { output, secrets }: ImportFlags): Promise<void> {
  const { files, environment } = context
  const text = await readNamedFile(files, 'candor config import', path)
  const imported = importConfigEnv(text, environment['HOME'] ?? '/root', SETTING_GROUPS)
  // What we write must be what we read; a value that fits alone may not fit beside another.
  loadConfig(
    { file: { path: output ?? 'candor.toml', text: imported.toml }, environment: {}, flags: new Map() },
    SETTING_GROUPS,
  )
  const secretsPath = secrets ?? (output ?? '').replace(/[^/]*$/, 'candor.env')
  if (output !== undefined) await refuseToOverwrite(context, '--output', output)
  if (imported.secrets !== '') await refuseToOverwrite(context, '--secrets', secretsPath)
  if (imported.secrets !== '') {
    await files.writeAtomic(secretsPath, imported.secrets, FILE_MODE)
    await context.say(`wrote the keys to ${secretsPath} (0600): EnvironmentFile= of systemd reads it`)
  }
  if (output === undefined) await context.stdout.write(imported.toml)
  else {
    await files.writeAtomic(output, imported.toml, FILE_MODE)
    await context.say(`wrote ${output}`)
  }
  for (const { line, message } of imported.notes) await context.say(`${path}:${line}: ${message}`)
  for (const { line, message } of imported.problems)
    await context.stderr.write(`warning: ${path}:${line} is not taken over: ${message}\n`)
  if (imported.problems.length > 0) context.finish(STATUS_INCOMPLETE)
}

async function refuseToOverwrite({ files }: CliContext, option: string, path: string): Promise<void> {
  if ((await files.info(path)) === undefined) return
  throw new ConfigError(`${option} ${path}`, 'the file is there already, and nothing is overwritten', `${option} OTHER`)
}
