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
import { openRecordOutput, type RecordOutput } from '../platform/bulk-streams.ts'
import { nodeClock } from '../platform/node-clock.ts'
import { createDgramBackend } from '../platform/dgram-backend.ts'
import { createNativeBackend } from '../platform/native-backend.ts'
import { openBulkInput } from './bulk-input.ts'
import type { BulkJob, EngineMessage, TcpMessage } from './bulk-job.ts'

const LATE_WINDOW_MS = 2_000

if (parentPort !== null) await work(workerData as BulkJob, parentPort)

async function work(job: BulkJob, port: MessagePort): Promise<void> {
  const tell = (message: EngineMessage): void => {
    port.postMessage(message)
  }
  try {
    const output = openRecordOutput(job.output, job.outputOctets)
    tell(job.streams === null ? await runEngine(job, port, output, tell) : await runStreams(job, output, tell))
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

async function runEngine(job: BulkJob, port: MessagePort, output: RecordOutput, tell: Tell): Promise<Done> {
  const control = new Int32Array(job.control)
  const deadlineAtMs = nodeClock.nowMs() + (job.deadlineMs ?? Infinity)
  const stop = { isStopping: false }
  const isStopping = (): boolean =>
    (stop.isStopping ||= Atomics.load(control, 0) === 1 || nodeClock.nowMs() >= deadlineAtMs)
  const { engine, tcp } = createEngine(job, output, tell, isStopping)
  const backend = await openBackend(job, engine)
  engine.attach(backend)
  await backend.run(driveOf(engine, job, port, backend, tcp, tell))
  backend.close()
  return { kind: 'done', checkpoint: engine.checkpoint(), isComplete: !stop.isStopping }
}

/** The transports of connections are read only where they are used. */
async function runStreams(job: BulkJob, output: RecordOutput, tell: Tell): Promise<Done> {
  const { runBulkStreams } = await import('./bulk-stream-run.ts')
  return await runBulkStreams(job, job.streams ?? [], output, tell)
}

type Tell = (message: EngineMessage) => void
type Done = Extract<EngineMessage, { kind: 'done' }>

/** How many queries are being asked over TCP. */
interface TcpCount {
  waiting: number
}

function createEngine(
  job: BulkJob,
  output: RecordOutput,
  tell: Tell,
  isStopping: () => boolean,
): { readonly engine: BulkEngine; readonly tcp: TcpCount } {
  const tcp = { waiting: 0 }
  const nowMs = nodeClock.nowMs()
  const wallOffsetMs = nodeClock.wallNowMs() - nowMs
  const engine = new BulkEngine(
    {
      reader: openBulkInput(job, tell),
      writer: job.format === 'bin' ? new BinaryRecords(wallOffsetMs) : new JsonRecords(job.resolvers, wallOffsetMs),
      random: createSeededRandom(job.seed),
      isPaced: Uint8Array.from(job.resolvers, ({ isPaced }) => (isPaced ? 1 : 0)),
      pace: job.pace,
      cooldown: job.cooldown === null ? undefined : new Cooldown(job.resolvers.length, job.cooldown),
      timeoutMs: job.timeoutMs,
      retries: job.retries,
      isRetried: Uint8Array.from({ length: 16 }, (_, rcode) => (job.retriedRcodes.includes(rcode) ? 1 : 0)),
      lateWindowMs: LATE_WINDOW_MS,
      isSegmented: job.backend === 'segmented',
      counters: new Float64Array(job.counters),
      writeOut: (octets, sizeOctets) => output.write(octets, sizeOctets),
      askTcp: (slot, resolver, query) => {
        tcp.waiting++
        tell({ kind: 'tcp', slot, resolver, query })
      },
      isStopping,
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
