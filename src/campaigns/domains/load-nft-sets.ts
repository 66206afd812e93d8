/**
 * Loads address sets into the kernel, with rights that the writer of the files does not have.
 *
 * **Invariant**: what is loaded was checked, and is a copy that nobody else can change meanwhile. A file is loaded as one
 * transaction or not at all. An empty result never replaces addresses unless somebody says so.
 */
import type { Clock } from '../../core/clock.ts'
import { RunError } from '../../core/config-error.ts'
import { FileError, joinPath, readText, type Files } from '../../core/files.ts'
import { ProcessError, type ProcessRunner } from '../../core/process-runner.ts'
import { readNftSets, type NftSets } from './format-nft-sets.ts'

/** Name of the file with the durable sets. */
export const DURABLE_FILE = 'sets.nft'
/** Name of the file with the run-time sets. */
export const RUNTIME_FILE = 'sets-rt.nft'

const OCTETS_MAX = 67_108_864
const LINES_KEPT_MAX = 5
/** Time-outs in a file count from its writing; an older one would keep addresses for too long. */
const RUNTIME_AGE_MS_MAX = 300_000

/** What a loader needs. */
export interface NftLoaderOptions {
  readonly clock: Clock
  readonly files: Files
  readonly processes: ProcessRunner
  /** Where the files are. */
  readonly directory: string
  /** A directory that only we can look into. */
  readonly privateDirectory: string
  readonly sets: NftSets
  readonly allowEmpty: boolean
}

/** What was loaded. */
export interface LoadedSets {
  /** Addresses in the durable sets now; `null` where there was no such file. */
  readonly durable: number | null
  /** Elements of the run-time sets that were renewed; `null` where there was no file, or only an old one. */
  readonly runtime: number | null
}

/** Loads both files. @throws {RunError} When a file is none of ours, is empty, or nft refuses it; nothing changed then. */
export async function loadNftSets(options: NftLoaderOptions): Promise<LoadedSets> {
  const durable = await loadFile(options, DURABLE_FILE)
  const runtime = await loadFile(options, RUNTIME_FILE)
  if (durable === undefined && runtime === undefined)
    throw new RunError(`there is no ${DURABLE_FILE} in ${options.directory}`, 'write it with: candor domains sync')
  return { durable: durable ?? null, runtime: runtime ?? null }
}

/** Whether the sets are still in the kernel: somebody may have flushed the whole ruleset. */
export async function areSetsThere({ processes, sets }: NftLoaderOptions): Promise<boolean> {
  const lines: string[] = []
  const status = await runNft(processes, ['-t', 'list', 'table', ...sets.table.split(' ')], lines)
  return status === 0 && lines.some((line) => line.trim() === `set ${sets.v4} {`)
}

async function loadFile(options: NftLoaderOptions, name: string): Promise<number | undefined> {
  const { clock, files, processes, directory, privateDirectory, sets, allowEmpty } = options
  const path = joinPath(directory, name)
  const info = await files.info(path)
  if (info === undefined) return undefined
  if (name === RUNTIME_FILE && clock.wallNowMs() - info.modifiedAtMs > RUNTIME_AGE_MS_MAX) return undefined
  const text = await readSets(files, path)
  const read = readNftSets(text, sets)
  if ('badLine' in read)
    throw new RunError(
      `${path}, line ${read.badLine}: this is nothing that candor writes for ${sets.table}`,
      'check that the names in [domains] are those that the file was written with',
    )
  if (name === DURABLE_FILE && (read.durable ?? 0) === 0 && !allowEmpty)
    throw new RunError(`${path} has no address, and would empty the sets`, 'if that is meant: --allow-empty')
  const copy = joinPath(privateDirectory, name)
  await files.writeAtomic(copy, text, 0o600)
  const lines: string[] = []
  const status = await runNft(processes, ['-f', copy], lines)
  await files.remove(copy)
  if (status !== 0)
    throw new RunError(
      `nft refuses ${path}: ${lines.slice(0, LINES_KEPT_MAX).join(' ').slice(0, 500)}`,
      'it needs CAP_NET_ADMIN: run this as root, or with the unit that deploy/ has',
    )
  return name === DURABLE_FILE ? (read.durable ?? 0) : read.runtime
}

async function readSets(files: Files, path: string): Promise<string> {
  try {
    return await readText(files, path, OCTETS_MAX)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    throw new RunError(`${path} cannot be read: ${error.code}`, 'a file of candor domains sync', { cause: error })
  }
}

/** @returns The exit status; 1 for an end by a signal. @throws {RunError} When there is no nft. */
async function runNft(processes: ProcessRunner, args: readonly string[], lines: string[]): Promise<number> {
  const program = await processes.which('nft')
  if (program === undefined) throw new RunError('nft is not installed', 'apt-get install nftables')
  try {
    const child = await processes.start(program, args, {
      onLine: (line) => {
        lines.push(line)
      },
    })
    const { code } = await child.exited
    return code ?? 1
  } catch (error) {
    if (error instanceof ProcessError) throw new RunError(error.message, 'a program that can be run', { cause: error })
    throw error
  }
}
