/**
 * `candor domains apply-sets`: loads the address sets that `candor domains sync` or the daemon wrote into the kernel.
 *
 * The daemon has no right to do it; this small command has that one right.
 */
import type { Command } from 'commander'
import { areSetNames, type NftSets } from '../campaigns/domains/format-nft-sets.ts'
import {
  areSetsThere,
  DURABLE_FILE,
  loadNftSets,
  RUNTIME_FILE,
  type LoadedSets,
  type NftLoaderOptions,
} from '../campaigns/domains/load-nft-sets.ts'
import { collectSettings, type LoadedGroup } from '../config/load-config.ts'
import { SETS_SETTING_GROUP, SETS_SETTINGS, type SetsSettings } from '../config/sets-settings.ts'
import { sleep } from '../core/clock.ts'
import { ConfigError, RunError } from '../core/config-error.ts'
import { joinPath, type Files } from '../core/files.ts'
import type { CliContext } from './cli-context.ts'
import { addSettingOptions, loadSettings } from './load-settings.ts'

const POLL_MS = 1_000
/** Somebody may flush the whole ruleset: then everything is loaded again. */
const CHECK_EVERY_POLLS = 5

interface ApplyOptions {
  readonly directory: string
  readonly watch?: boolean
  readonly allowEmpty?: boolean
}

/** Adds the command to `candor domains`. */
export function registerDomainsApplySets(domains: Command, context: CliContext): void {
  const command = domains
    .command('apply-sets')
    .description('load address sets into nftables; needs CAP_NET_ADMIN and nothing else')
    .requiredOption('--directory <directory>', `where ${DURABLE_FILE} and ${RUNTIME_FILE} are`)
    .option('--watch', 'load them again whenever they change, or when the sets are gone, until SIGTERM')
    .option('--allow-empty', 'let a file without addresses empty the sets')
  addSettingOptions(command, [SETS_SETTING_GROUP])
  command.addHelpText(
    'after',
    '\nExample:\n  candor domains apply-sets --directory /var/lib/candor/domains/sets --watch',
  )
  command.action(async (options: ApplyOptions) => {
    const groups = await loadSettings(command, context, [SETS_SETTING_GROUP])
    const sets = readSets(groups.get('sets'))
    const directory = await makePrivateDirectory(context)
    try {
      await apply(context, options, {
        clock: context.clock,
        files: context.files,
        processes: context.processes,
        directory: options.directory,
        privateDirectory: directory,
        sets,
        allowEmpty: options.allowEmpty === true,
      })
    } finally {
      await context.files.remove(directory)
    }
  })
}

/** Reads the names. @throws {ConfigError} When two sets have one name. */
export function readSets(group: LoadedGroup | undefined): NftSets {
  const sets = collectSettings<SetsSettings>(SETS_SETTINGS, group ?? new Map())
  if (areSetNames(sets)) return sets
  throw new ConfigError('sets', 'two of the sets have the same name', 'sets.rt_v4 = "names_rt_v4"')
}

async function apply(context: CliContext, { watch }: ApplyOptions, loader: NftLoaderOptions): Promise<void> {
  if (watch !== true) {
    await context.stdout.write(formatRecord(await loadNftSets(loader)))
    return
  }
  const { clock, files, interrupted, log } = context
  let loadedMark = ''
  for (let poll = 0; !interrupted.aborted; poll++) {
    const mark = await readMark(files, loader.directory)
    const isGone = poll % CHECK_EVERY_POLLS === 0 && loadedMark !== '' && !(await areSetsThere(loader))
    if (mark !== loadedMark || isGone) {
      try {
        await context.stdout.write(formatRecord(await loadNftSets(loader)))
        loadedMark = mark
      } catch (error) {
        if (!(error instanceof RunError)) throw error
        // What is wrong stands in the log once for each state of the files.
        if (mark !== loadedMark) log.error('domains.sets.refused', { message: error.message })
        loadedMark = mark
      }
    }
    await sleep(clock, POLL_MS, interrupted)
  }
}

function formatRecord({ durable, runtime }: LoadedSets): string {
  return `${JSON.stringify({ durable_addresses: durable, runtime_elements: runtime })}\n`
}

/** Changes whenever one of the files is replaced. */
async function readMark(files: Files, directory: string): Promise<string> {
  const infos = [DURABLE_FILE, RUNTIME_FILE].map((name) => files.info(joinPath(directory, name)))
  return (await Promise.all(infos)).map((info) => `${info?.modifiedAtMs ?? '-'}/${info?.sizeOctets ?? '-'}`).join(' ')
}

/** What is loaded is a copy that the writer of the files cannot change after it was checked. */
async function makePrivateDirectory(context: CliContext): Promise<string> {
  const { files, environment } = context
  const directory = joinPath(environment['TMPDIR'] ?? '/tmp', `candor-sets-${context.newSeed()}`)
  if ((await files.info(directory)) !== undefined) throw new RunError(`${directory} is there already`)
  await files.makeDirectory(directory, 0o700)
  return directory
}
