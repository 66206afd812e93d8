/** Runs `candor bulk` as a process, and reads what it leaves behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, createReadStream, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { loadNativeAddon } from '../../src/platform/native-sockets.ts'
import { HOME } from '../tidy/source-tree.ts'

/** What is written at once. */
const CHUNK_NAMES = 10_000

/** The shipped command. */
export const CANDOR: string = join(HOME, 'bin/candor')

/** The backends that work here; where the addon is not, the command would quietly take the sockets of Node. */
export function listBackends(): readonly string[] {
  return loadNativeAddon() === undefined ? ['dgram'] : ['dgram', 'native', 'segmented']
}

/** One record of the output, without the times and the port of the resolvers, which differ from run to run. */
export interface BulkRecord {
  readonly name: string
  readonly status: string
  readonly proto: string
  readonly resolver: string
  readonly tries: number
  readonly data: { readonly answers?: readonly { readonly data: string }[] }
}

/** What `--status-file` says at the end. */
export type BulkStatus = Readonly<Record<string, number | string | null>>

/** A run that was started. */
export interface BulkProcess {
  readonly child: ChildProcess
  readonly ended: Promise<{ readonly status: number | null; readonly stderr: string }>
}

/** A place for the files of one run, with names and resolvers in it. */
export interface BulkFiles {
  readonly directory: string
  /** How many names there are. */
  readonly count: number
}

/** How often the names of the input occur in an output. */
export interface NameCounts {
  readonly missing: number
  readonly once: number
  readonly repeated: number
  /** Records that say that nobody answered. */
  readonly unanswered: number
}

/** A name of the input. All have one length, so that segmented sends can make runs of them. */
export function nameOf(index: number): string {
  return `n${String(index).padStart(8, '0')}.faults.example`
}

/** Writes the input. */
export function writeInput(directory: string, count: number, resolvers: readonly string[]): BulkFiles {
  const file = openSync(join(directory, 'names'), 'w')
  for (let start = 0; start < count; start += CHUNK_NAMES) {
    const names = Array.from({ length: Math.min(CHUNK_NAMES, count - start) }, (_, at) => nameOf(start + at))
    writeSync(file, `${names.join('\n')}\n`)
  }
  closeSync(file)
  writeFileSync(join(directory, 'resolvers'), `${resolvers.join('\n')}\n`)
  return { directory, count }
}

/** Arguments for the files of {@link writeInput}. */
export function bulkArguments({ directory }: BulkFiles, more: readonly string[]): readonly string[] {
  return [
    'bulk',
    '--quiet',
    `--names=${join(directory, 'names')}`,
    `--resolvers=${join(directory, 'resolvers')}`,
    `--output=${join(directory, 'records')}`,
    `--status-file=${join(directory, 'status')}`,
    ...more,
  ]
}

/** Starts a run. */
export function startBulk(files: BulkFiles, more: readonly string[]): BulkProcess {
  return startProgram(CANDOR, bulkArguments(files, more))
}

/** Starts any program. */
export function startProgram(command: string, args: readonly string[]): BulkProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return {
    child,
    ended: once(child, 'close').then(([status]: (number | null)[]) => ({ status: status ?? null, stderr })),
  }
}

/** The records in the output, by name. @throws When a line is no record, or a name has two. */
export function readRecords(file: string): ReadonlyMap<string, BulkRecord> {
  const records = new Map<string, BulkRecord>()
  for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
    const {
      rx_ts: _at,
      latency_ms: _latency,
      ...rest
    } = JSON.parse(line) as BulkRecord & Readonly<Record<string, unknown>>
    const record = { ...rest, resolver: rest.resolver.replace(/:\d+$/, '') }
    if (records.has(record.name)) throw new Error(`${record.name} has two records`)
    records.set(record.name, record)
  }
  return records
}

/** Counts the names in an output of any size. @throws When a line does not begin as a record does. */
export async function countNames(file: string, count: number): Promise<NameCounts> {
  const times = new Uint8Array(count)
  let unanswered = 0
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const index = Number(/^\{"name":"n(\d{8})\.faults\.example\.".*\}$/.exec(line)?.[1])
    if (!(index < count)) throw new Error(`no record of a name of the input: ${line}`)
    if (line.includes('"status":"TIMEOUT"')) unanswered++
    times[index] = Math.min(255, (times[index] as number) + 1)
  }
  const having = (wanted: (value: number) => boolean): number =>
    times.reduce((sum, value) => sum + (wanted(value) ? 1 : 0), 0)
  return {
    missing: having((value) => value === 0),
    once: having((value) => value === 1),
    repeated: having((value) => value > 1),
    unanswered,
  }
}

/** What the status file says. */
export function readStatus({ directory }: BulkFiles): BulkStatus {
  return JSON.parse(readFileSync(join(directory, 'status'), 'utf8')) as BulkStatus
}

/** Octets of a file; 0 when there is none. */
export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
