/**
 * The thread of the engine: its sockets, its input and its output.
 *
 * Invariant: nothing here waits for the other thread; what it has to say is looked at between two steps.
 */
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { RunError } from '../core/config-error.ts'
import { createSeededRandom } from '../core/random.ts'
import { BinaryRecords } from '../measure/bulk/binary-records.ts'
import type { BulkBackend, BulkDrive } from '../net/bulk-backend.ts'
import { BulkEngine } from '../measure/bulk/bulk-engine.ts'
import { JsonRecords } from '../measure/bulk/json-records.ts'
import { Cooldown } from '../measure/cooldown.ts'
import { NameReader } from '../measure/bulk/name-reader.ts'
import { openNameFile, openRecordOutput, openRingSource, type RecordOutput } from '../platform/bulk-streams.ts'
import { nodeClock } from '../platform/node-clock.ts'
import { createDgramBackend } from '../platform/dgram-backend.ts'
import { createNativeBackend } from '../platform/native-backend.ts'
import type { BulkJob, EngineMessage, TcpMessage } from './bulk-job.ts'

/** Beyond this they are only counted. */
const MALFORMED_LINES_REPORTED_MAX = 20
const LATE_WINDOW_MS = 2_000

if (parentPort !== null) await work(workerData as BulkJob, parentPort)

async function work(job: BulkJob, port: MessagePort): Promise<void> {
  const tell = (message: EngineMessage): void => {
    port.postMessage(message)
  }
  try {
    const output = openRecordOutput(job.output, job.outputOctets)
    const { engine, tcp } = createEngine(job, output, tell)
    const backend = await openBackend(job, engine)
    engine.attach(backend)
    await backend.run(driveOf(engine, job, port, backend, tcp, tell))
    backend.close()
    tell({ kind: 'done', checkpoint: engine.checkpoint() })
    output.close()
  } catch (error) {
    const isKnown = error instanceof RunError || (error instanceof Error && 'syscall' in error)
    if (!isKnown) throw error
    const code = 'code' in error ? String(error.code) : ''
    const hint = error instanceof RunError ? error.hint : ''
    tell({ kind: 'failed', code, message: error.message, hint })
  }
  port.close()
}

/** How many queries are being asked over TCP. */
interface TcpCount {
  waiting: number
}

function createEngine(
  job: BulkJob,
  output: RecordOutput,
  tell: (message: EngineMessage) => void,
): { readonly engine: BulkEngine; readonly tcp: TcpCount } {
  const tcp = { waiting: 0 }
  let reported = 0
  const numbers = new Map(job.resolvers.map(({ address, port }, number) => [`${address}#${port}`, number]))
  const reader = new NameReader(typeof job.names === 'string' ? openNameFile(job.names) : openRingSource(job.names), {
    types: job.types,
    bufferOctets: job.bufferOctets,
    wantsRecursion: job.wantsRecursion,
    wantsDnssec: job.wantsDnssec,
    findResolver: (word) => numbers.get(word.includes('#') ? word : `${word}#53`) ?? -1,
    onMalformed: (line, reason) => {
      if (reported++ < MALFORMED_LINES_REPORTED_MAX) tell({ kind: 'malformed_line', line, reason })
    },
    resumeAt: job.resumeAt,
    unfinished: job.unfinished,
  })
  const nowMs = nodeClock.nowMs()
  const control = new Int32Array(job.control)
  const wallOffsetMs = nodeClock.wallNowMs() - nowMs
  const engine = new BulkEngine(
    {
      reader,
      writer: job.format === 'bin' ? new BinaryRecords(wallOffsetMs) : new JsonRecords(job.resolvers, wallOffsetMs),
      random: createSeededRandom(job.seed),
      isPaced: Uint8Array.from(job.resolvers, ({ isPaced }) => (isPaced ? 1 : 0)),
      pace: job.pace,
      cooldown: job.cooldown === null ? undefined : new Cooldown(job.resolvers.length, job.cooldown),
      timeoutMs: job.timeoutMs,
      retries: job.retries,
      lateWindowMs: LATE_WINDOW_MS,
      isSegmented: job.backend === 'segmented',
      counters: new Float64Array(job.counters),
      writeOut: (octets, sizeOctets) => output.write(octets, sizeOctets),
      askTcp: (slot, resolver, query) => {
        tcp.waiting++
        tell({ kind: 'tcp', slot, resolver, query })
      },
      isStopping: () => Atomics.load(control, 0) === 1,
      nowMs,
    },
    job.outputOctets,
  )
  return { engine, tcp }
}

async function openBackend(job: BulkJob, engine: BulkEngine): Promise<BulkBackend> {
  const { resolvers, hearsStrangers, backend } = job
  const options = { resolvers, batch: engine.batch, hearsStrangers }
  if (backend === 'dgram') return createDgramBackend(options)
  return createNativeBackend({ ...options, segmented: backend === 'segmented' }) ?? createDgramBackend(options)
}

/** The engine with what happens beside it: answers over TCP, and checkpoints. */
function driveOf(
  engine: BulkEngine,
  job: BulkJob,
  port: MessagePort,
  backend: BulkBackend,
  tcp: TcpCount,
  tell: (message: EngineMessage) => void,
): BulkDrive {
  let checkpointAtMs = backend.nowMs() + job.checkpointMs
  return {
    accept: (octets, at, sizeOctets, resolver, atMs) => {
      engine.accept(octets, at, sizeOctets, resolver, atMs)
    },
    step: (nowMs) => {
      while (tcp.waiting > 0) {
        const received = receiveMessageOnPort(port)
        if (received === undefined) break
        tcp.waiting--
        const { slot, message } = received.message as TcpMessage
        engine.takeTcp(slot, message, nowMs)
      }
      const waitMs = engine.step(nowMs)
      if (job.checkpointMs > 0 && nowMs >= checkpointAtMs) {
        checkpointAtMs = nowMs + job.checkpointMs
        const checkpoint = engine.checkpoint()
        if (checkpoint !== undefined) tell({ kind: 'checkpoint', checkpoint })
      }
      return waitMs
    },
  }
}
