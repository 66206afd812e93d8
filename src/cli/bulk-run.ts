/**
 * One run of `candor bulk`: starts the engine in a thread of its own and does beside it what may wait: stdin, TCP, the
 * journal, the display.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { sleep, withTimeout } from '../core/clock.ts'
import { ConfigError, RunError } from '../core/config-error.ts'
import { FileError } from '../core/files.ts'
import { BULK_COUNTERS, readCounters } from '../measure/bulk/bulk-counters.ts'
import type { BulkResolver } from '../net/bulk-backend.ts'
import { loadNativeAddon } from '../platform/native-sockets.ts'
import { createRingMemory, openRingFeed } from '../platform/bulk-streams.ts'
import type { BulkBackendName, BulkFormat, BulkJob, EngineMessage, TcpMessage } from './bulk-job.ts'
import { createBulkJournal, journalPath, type BulkJournal, type BulkJournalWriter } from './bulk-journal.ts'
import { parseTuning, parseTypes, type BulkFlags } from './bulk-options.ts'
import { resolveCooldown, resolvePace } from './bulk-pace.ts'
import { startBulkDisplay } from './bulk-progress.ts'
import { readBulkResolvers, type BulkResolverList } from './bulk-resolvers.ts'
import { createBulkTcp } from './bulk-tcp.ts'
import type { CliContext } from './cli-context.ts'
import { STATUS_INCOMPLETE, STATUS_INTERRUPTED } from './exit-status.ts'

const CHECKPOINT_MS = 1_000
const LIMIT_HINT = 'raise the limit of open files (`ulimit -n`)'
/** How long stdin waits when the engine has enough. */
const FEED_WAIT_MS = 2
/** How long the engine's thread may take to end by itself. */
const THREAD_END_MS = 1_000
/** `node:dgram` makes objects that die at once; without a bound they take 60 MB. */
const YOUNG_MEMORY_MB = 6
/** The published package has the same file compiled. */
const ENGINE = new URL('./bulk-worker.ts', import.meta.url)

/** What a resumed run must agree with: who is asked, in which order; the pace may change. */
function hashResolvers({ resolvers, streams }: BulkResolverList): string {
  const list = streams?.map(({ word }) => word) ?? resolvers.map(({ address, port }) => [address, port])
  const text = JSON.stringify(list)
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/**
 * Runs to the end, to the deadline, or to the first interrupt.
 *
 * @returns Whether every query has its record.
 * @throws {ConfigError | RunError | FileError}
 */
export async function runBulk(context: CliContext, flags: BulkFlags): Promise<boolean> {
  const list = await readBulkResolvers(context, flags)
  const inputOctets = await inputSize(context, flags.names)
  const { output, format, table } = outputOf(flags)
  const plan = {
    names: flags.names,
    types: flags.type,
    format: flags.format,
    resolvers: hashResolvers(list),
  }
  const journal = await openJournal(context, flags.resume === true, output, plan)
  if (journal?.complete === true) {
    // The run ended between its last record and its table.
    if (table !== null && output !== null) await writeTable(context, output, table)
    await context.say(`${flags.output ?? ''}: complete already; nothing is left to be asked`)
    return true
  }
  const job = await createJob(context, flags, list, { output, format, journal })
  context.log.info('cli.bulk.started', { seed: job.seed, resolvers: job.resolvers.length })
  if (flags.rate === 'unlimited')
    await context.say('no pace: queries go out as fast as this machine sends them, whoever the resolvers belong to')
  const writer = output === null ? undefined : createBulkJournal(context.files, output, plan, job.seed)
  const counters = new Float64Array(job.counters)
  const display = startBulkDisplay(context, counters, inputOctets, flags.statusFile ?? null)
  let isComplete = false
  try {
    isComplete = await runEngine(context, job, writer)
  } finally {
    await display.stop()
  }
  if (table !== null && isComplete) await writeTable(context, job.output ?? '', table)
  const { malformed_lines: malformedLines } = readCounters(counters)
  if (malformedLines > 0) {
    await context.say(`${malformedLines} lines of the input could not be used`)
    context.finish(STATUS_INCOMPLETE)
  }
  if (isComplete) return true
  if (!context.interrupted.aborted) await context.say('the deadline has come before the end of the names')
  context.finish(context.interrupted.aborted ? STATUS_INTERRUPTED : STATUS_INCOMPLETE)
  return false
}

/** What a run begins with, beside its options. */
interface BulkStart extends Pick<BulkOutput, 'output' | 'format'> {
  readonly journal: BulkJournal | undefined
}

async function createJob(
  context: CliContext,
  flags: BulkFlags,
  { resolvers: parsed, streams }: BulkResolverList,
  { output, format, journal }: BulkStart,
): Promise<BulkJob> {
  const { pace, resolvers } = resolvePace(flags, parsed, context.addressPlan)
  return {
    ...parseTuning(flags, streams !== null),
    streams,
    types: parseTypes(flags.type),
    backend: streams === null ? await chooseBackend(context, flags.backend, resolvers) : 'dgram',
    names: flags.names === '-' ? createRingMemory() : flags.names,
    output,
    outputOctets: journal?.output_octets ?? 0,
    format,
    resolvers,
    pace,
    cooldown: resolveCooldown(flags, parsed, streams !== null),
    wantsRecursion: flags.recurse,
    wantsDnssec: flags.dnssec === true,
    hearsStrangers: flags.strangers === true,
    seed: journal?.seed ?? flags.seed ?? context.newSeed(),
    resumeAt: journal?.next_index ?? 0,
    unfinished: Float64Array.from(journal?.unfinished ?? []),
    counters: new SharedArrayBuffer(BULK_COUNTERS.length * Float64Array.BYTES_PER_ELEMENT),
    control: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
    checkpointMs: output === null ? 0 : CHECKPOINT_MS,
  }
}

/** The best that this machine has; queries of paced resolvers go out one by one and gain nothing from segments. */
async function chooseBackend(
  context: CliContext,
  wanted: BulkFlags['backend'],
  resolvers: readonly BulkResolver[],
): Promise<BulkBackendName> {
  if (wanted === 'dgram') return wanted
  if (loadNativeAddon() === undefined) {
    await context.say('no native sockets for this system: those of Node are used, which cost more processor time')
    return 'dgram'
  }
  if (wanted !== 'auto') return wanted
  return resolvers.some(({ isPaced }) => isPaced) ? 'native' : 'segmented'
}

async function inputSize(context: CliContext, names: string): Promise<number | null> {
  if (names === '-') return null
  const info = await context.files.info(names)
  if (info === undefined) throw new FileError('ENOENT', names)
  return info.kind === 'file' ? info.sizeOctets : null
}

/** Where the engine writes what, and the table that is made of it in the end. */
interface BulkOutput {
  readonly output: string | null
  readonly format: BulkFormat
  readonly table: string | null
}

/** A table cannot be cut back and continued: the records go to a file of their own first. */
function outputOf({ output, format }: BulkFlags): BulkOutput {
  if (format !== 'parquet') return { output: output ?? null, format, table: null }
  if (output === undefined)
    throw new ConfigError('--format parquet', 'a table is no stream', 'candor bulk --format parquet --output FILE')
  return { output: `${output}.records`, format: 'jsonl', table: output }
}

async function writeTable(context: CliContext, records: string, table: string): Promise<void> {
  // DuckDB takes 60 MB from everybody who does not write tables.
  const { writeBulkParquet } = await import('../store/bulk-parquet.node.ts')
  await writeBulkParquet(records, table)
  await context.files.remove(records)
  await context.files.remove(journalPath(records))
}

async function openJournal(
  context: CliContext,
  isResumed: boolean,
  output: string | null,
  plan: Readonly<Record<string, string>>,
): Promise<BulkJournal | undefined> {
  if (output === null) {
    if (!isResumed) return undefined
    throw new ConfigError(
      '--resume',
      'what went to stdout cannot be cut back to where the journal says',
      'candor bulk --output FILE --resume',
    )
  }
  if (isResumed) {
    const { readBulkJournal } = await import('./read-bulk-journal.ts')
    return readBulkJournal(context.files, output, plan)
  }
  // A journal of an earlier run speaks of an output that is about to be replaced.
  await context.files.remove(journalPath(output))
  return undefined
}

/**
 * @returns Whether every query has its record.
 * @throws {RunError} When the engine cannot go on; what the journal says stays true.
 */
async function runEngine(context: CliContext, job: BulkJob, journal: BulkJournalWriter | undefined): Promise<boolean> {
  const control = new Int32Array(job.control)
  const worker = new Worker(
    ENGINE.href.endsWith('.ts') && import.meta.url.endsWith('.js')
      ? new URL(ENGINE.href.replace(/\.ts$/, '.js'))
      : ENGINE,
    { workerData: job, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEMORY_MB } },
  )
  const tcp = createBulkTcp(context.net, context.clock, job.resolvers)
  const exited = new Promise((resolve) => worker.once('exit', resolve))
  const ended = new AbortController()
  const stop = (): void => {
    Atomics.store(control, 0, 1)
  }
  context.interrupted.addEventListener('abort', stop)
  if (context.interrupted.aborted) stop()
  const feeding = job.names instanceof SharedArrayBuffer ? feed(context, job.names, ended.signal) : undefined
  try {
    const last = await listen(context, worker, tcp, journal)
    await journal?.finish(last.checkpoint, last.isComplete)
    return last.isComplete
  } finally {
    ended.abort()
    context.interrupted.removeEventListener('abort', stop)
    tcp.close()
    // A thread that is ending must not be torn down in the middle of compiling: V8 has died of it.
    await withTimeout(context.clock, exited, THREAD_END_MS)
    await worker.terminate()
    await feeding
  }
}

/** Does what the engine asks for until it is done. */
function listen(
  context: CliContext,
  worker: Worker,
  tcp: ReturnType<typeof createBulkTcp>,
  journal: BulkJournalWriter | undefined,
): Promise<Extract<EngineMessage, { kind: 'done' }>> {
  return new Promise((resolve, reject) => {
    worker.on('error', (error: Error & { readonly code?: string }) => {
      const isOurs = error.code !== 'ERR_WORKER_INIT_FAILED'
      reject(isOurs ? error : new RunError('the engine does not start', LIMIT_HINT, { cause: error }))
    })
    worker.on('message', (message: EngineMessage) => {
      switch (message.kind) {
        case 'tcp':
          void tcp.ask(message.resolver, message.query).then((answer) => {
            // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
            worker.postMessage({ slot: message.slot, message: answer } satisfies TcpMessage)
          })
          return
        case 'malformed_line':
          void context.say(`line ${message.line} of the input is skipped: ${message.reason}`)
          return
        case 'resolver_failed':
          void context.say(`${message.resolver}: ${message.failure} (${message.operation})`)
          return
        case 'checkpoint':
          journal?.save(message.checkpoint)
          return
        case 'failed':
          // What was saved before is on its way to the disk.
          void Promise.resolve(journal?.finish(undefined, false))
            .catch(() => {})
            .then(() => {
              reject(describeFailure(message, journal !== undefined))
            })
          return
        case 'done':
          resolve(message)
      }
    })
  })
}

function describeFailure(
  { code, message, hint }: Extract<EngineMessage, { kind: 'failed' }>,
  isResumable: boolean,
): RunError {
  if (code === 'EPIPE') return new RunError('nobody reads the records any more')
  if (code === 'ENOSPC')
    return new RunError(
      'the disk is full',
      `free some space and run the same command again${isResumable ? ' with --resume' : ''}`,
    )
  return new RunError(message, hint)
}

/** Brings stdin to the engine, no faster than it takes it. */
async function feed(context: CliContext, memory: SharedArrayBuffer, ended: AbortSignal): Promise<void> {
  const ring = openRingFeed(memory)
  const stdin = createReadStream('', { fd: 0, autoClose: false })
  ended.addEventListener('abort', () => {
    stdin.destroy()
  })
  try {
    for await (const chunk of stdin) {
      for (let left = chunk as Uint8Array; left.length > 0;) {
        const taken = ring.write(left)
        left = left.subarray(taken)
        if (taken === 0) await sleep(context.clock, FEED_WAIT_MS, ended)
        if (ended.aborted) return
      }
    }
  } catch (error) {
    if (!ended.aborted) context.log.warn('cli.bulk.stdin_failed', { error: String(error) })
  } finally {
    ring.end()
  }
}
