/**
 * A bulk run over connections: the engine for every transport between the same input and the same output as over UDP.
 *
 * Invariant: a question has its slot until its record is written; so the journal knows what is unfinished.
 */
import { sleep, type Timer } from '../core/clock.ts'
import { createSeededRandom } from '../core/random.ts'
import { padQuery } from '../dns/pad-query.ts'
import type { TimedResponse } from '../model/observation.ts'
import { BinaryRecords } from '../measure/bulk/binary-records.ts'
import type { BulkCheckpoint } from '../measure/bulk/bulk-checkpoint.ts'
import { AT, rcodePlace } from '../measure/bulk/bulk-counters.ts'
import { BulkSlots, SLOT_QUEUED } from '../measure/bulk/bulk-slots.ts'
import { JsonRecords } from '../measure/bulk/json-records.ts'
import { READ_END, READ_QUERY, type NameReader } from '../measure/bulk/name-reader.ts'
import { scanRecords, type RecordScan } from '../measure/bulk/record-scan.ts'
import type { BulkProtocol, RecordWriter } from '../measure/bulk/record-writer.ts'
import type { EngineResolver, EngineResult, EngineTask } from '../measure/engine/engine-task.ts'
import { runEngine } from '../measure/engine/run-engine.ts'
import type { RecordOutput } from '../platform/bulk-streams.ts'
import { nodeClock } from '../platform/node-clock.ts'
import { nodeNet } from '../platform/node-net.ts'
import { openResolver, type ResolverTarget, type ResolverVantage } from '../vantages/resolver.ts'
import { openBulkInput } from './bulk-input.ts'
import type { BulkJob, BulkStream, EngineMessage } from './bulk-job.ts'
import { makeStreamPolicy } from './bulk-stream-policy.ts'

const CONNECT_TIMEOUT_MS = 10_000
/** How often is looked whether the run is to stop. */
const LOOK_MS = 50
const INPUT_WAIT_MS = 2
const OUTPUT_WAIT_MS = 5
const FLUSH_OCTETS = 131_072
const FLUSH_INTERVAL_MS = 200
/** Who reads slowly makes us ask slowly. */
const BACKLOG_OCTETS_MAX = 4_194_304
/** A record has room for so many. */
const TRIES_MAX = 15
const FAILURES_TOLD_MAX = 20
const PROTOCOLS: Readonly<Record<ResolverTarget['transport'], BulkProtocol>> = {
  udp: 'UDP',
  tcp: 'TCP',
  tls: 'TLS',
  https: 'HTTPS',
  https_json: 'HTTPS',
}

/** Runs to the end, or until nothing new is to be begun. @throws {Error} When the output cannot be written. */
export async function runBulkStreams(
  job: BulkJob,
  streams: readonly BulkStream[],
  output: RecordOutput,
  tell: (message: EngineMessage) => void,
): Promise<Extract<EngineMessage, { kind: 'done' }>> {
  const run = new StreamRun(job, streams, output, tell)
  return await run.run()
}

class StreamRun {
  private readonly job: BulkJob
  private readonly streams: readonly BulkStream[]
  private readonly output: RecordOutput
  private readonly tell: (message: EngineMessage) => void
  private readonly slots: BulkSlots
  private readonly reader: NameReader
  private readonly writer: RecordWriter
  private readonly counters: Float64Array
  private readonly stopping = new AbortController()
  private readonly scan: RecordScan = { isWhole: false, isSimple: false, rcode: 0 }
  private readonly told = new Set<string>()
  private outputOctets: number
  private flushedAtMs = nodeClock.nowMs()
  private checkpointAtMs: number
  private isInputEnded = false

  constructor(
    job: BulkJob,
    streams: readonly BulkStream[],
    output: RecordOutput,
    tell: (message: EngineMessage) => void,
  ) {
    const wallOffsetMs = nodeClock.wallNowMs() - nodeClock.nowMs()
    const protocols = streams.map(({ target }) => PROTOCOLS[target.transport])
    this.job = job
    this.streams = streams
    this.output = output
    this.tell = tell
    this.slots = new BulkSlots(createSeededRandom(job.seed))
    this.reader = openBulkInput(job, tell)
    this.writer =
      job.format === 'bin' ? new BinaryRecords(wallOffsetMs) : new JsonRecords(job.resolvers, wallOffsetMs, protocols)
    this.counters = new Float64Array(job.counters)
    this.outputOctets = job.outputOctets
    this.checkpointAtMs = this.flushedAtMs + job.checkpointMs
  }

  async run(): Promise<Extract<EngineMessage, { kind: 'done' }>> {
    const vantages: ResolverVantage[] = []
    const open = (target: ResolverTarget): ResolverVantage => {
      const vantage = openResolver({ net: nodeNet, clock: nodeClock }, target, CONNECT_TIMEOUT_MS)
      vantages.push(vantage)
      return vantage
    }
    const resolvers = this.streams.map(({ target }) => this.makeResolver(target, open))
    const looking = { timer: undefined as Timer | undefined }
    const look = (): void => {
      if (Atomics.load(new Int32Array(this.job.control), 0) === 1) this.stopping.abort()
      looking.timer = nodeClock.setTimer(LOOK_MS, look)
    }
    look()
    try {
      const results = runEngine<number>({
        clock: nodeClock,
        random: createSeededRandom(this.job.seed),
        resolvers,
        policy: makeStreamPolicy(this.job),
        tasks: this.readTasks(),
        signal: this.stopping.signal,
        isUsable: (task, response) => this.isUsable(task.content, response),
        journal: (result) => this.record(result),
        onRest: () => {
          this.count(AT.rests)
        },
      })
      for await (const { task } of results) void task
    } finally {
      looking.timer?.cancel()
      // Whoever waits for names must not wait for ever.
      this.stopping.abort()
      for (const vantage of vantages) vantage.close()
    }
    await this.flushAll()
    this.counters[AT.in_flight] = 0
    this.counters[AT.finished_ms] = nodeClock.nowMs()
    const isComplete = this.isInputEnded && this.slots.inUse === 0
    return { kind: 'done', checkpoint: this.checkpoint(), isComplete }
  }

  private makeResolver(
    target: ResolverTarget,
    open: (target: ResolverTarget) => ResolverVantage,
  ): EngineResolver<number> {
    const { transport, endpoint } = target
    const first = open(target)
    const tcp = transport === 'udp' ? open({ transport: 'tcp', endpoint }) : undefined
    return {
      hasTcp: tcp !== undefined,
      ask: (task, { isOverTcp, ...request }) =>
        (isOverTcp && tcp !== undefined ? tcp : first).exchange({
          ...request,
          query: this.makeQuery(task.content, transport),
        }),
    }
  }

  /** Over an encrypted transport the length must not tell what is asked; over HTTPS the id is 0 (RFC 8484 section 4.1). */
  private makeQuery(slot: number, transport: ResolverTarget['transport']): Uint8Array {
    const at = this.slots.wireAt[slot] as number
    const query = this.slots.wire.slice(at, at + (this.slots.wireOctets[slot] as number))
    if (transport === 'udp' || transport === 'tcp') return query
    if (transport !== 'tls') query.fill(0, 0, 2)
    return padQuery(query)
  }

  private async *readTasks(): AsyncGenerator<EngineTask<number>> {
    const { slots, reader, counters } = this
    while (!this.stopping.signal.aborted) {
      const slot = slots.peek(nodeClock.nowMs())
      const read = slot < 0 ? 0 : reader.next(slots, slot)
      counters[AT.input_octets] = reader.inputOctets
      counters[AT.malformed_lines] = reader.malformedLines
      if (read === READ_END) {
        this.isInputEnded = true
        return
      }
      if (read !== READ_QUERY) {
        await sleep(nodeClock, INPUT_WAIT_MS)
        continue
      }
      slots.take()
      slots.state[slot] = SLOT_QUEUED
      this.count(AT.queries)
      counters[AT.in_flight] = slots.inUse
      const resolver = reader.resolver < 0 ? undefined : reader.resolver
      yield { content: slot, number: slots.index[slot] as number, resolver }
    }
  }

  private isUsable(slot: number, { octets }: TimedResponse): boolean {
    scanRecords(octets, 0, this.slots.questionEnd[slot] as number, octets.length, this.scan)
    if (!this.scan.isWhole) this.count(AT.malformed)
    return this.scan.isWhole
  }

  /** Writes the record of a question; one that was cut off stays without. */
  private async record(result: EngineResult<number>): Promise<void> {
    const { slots, counters } = this
    const { task, attempts, answer, isCut } = result
    const slot = task.content
    this.countAttempts(result)
    if (!isCut) {
      const last = answer?.attempt ?? attempts.at(-1)
      slots.tries[slot] = Math.min(attempts.filter(({ reason }) => reason !== 'truncated').length, TRIES_MAX)
      slots.resolver[slot] = last?.resolver ?? 0
      const rcode = answer === undefined ? -1 : this.writeAnswer(slot, answer)
      if (rcode < 0) this.writer.unanswered(slots, slot, nodeClock.nowMs())
      this.count(AT.finished)
      this.count(rcode < 0 ? AT.unanswered : AT.answered)
      if (rcode >= 0) this.count(rcodePlace(rcode))
      slots.release(slot, nodeClock.nowMs())
    }
    counters[AT.in_flight] = slots.inUse
    await this.writeOut()
  }

  private writeAnswer(slot: number, { attempt, response }: NonNullable<EngineResult<number>['answer']>): number {
    const { octets, elapsedMs } = response
    const transport = this.streams[attempt.resolver]?.target.transport ?? 'udp'
    const protocol = attempt.reason === 'truncated' ? 'TCP' : PROTOCOLS[transport]
    this.slots.sentAtMs[slot] = attempt.endedAtMs - elapsedMs
    return this.writer.answered(this.slots, slot, octets, 0, octets.length, attempt.endedAtMs, protocol)
  }

  private countAttempts({ attempts }: EngineResult<number>): void {
    for (const { resolver, reason, exchange, startedAtMs } of attempts) {
      const { wrongId, wrongSource, wrongQuestion, malformed } = exchange.oddities
      this.add(AT.wrong_id, wrongId)
      this.add(AT.wrong_source, wrongSource)
      this.add(AT.wrong_question, wrongQuestion)
      this.add(AT.malformed, malformed)
      if (reason === 'truncated') this.count(AT.truncated)
      else this.count(reason === 'first' ? AT.first_sends : AT.retransmissions)
      if (reason === 'hedge') this.count(AT.hedges)
      const firstMs = this.counters[AT.first_send_ended_ms] as number
      if (reason === 'first') this.counters[AT.first_send_ended_ms] = Math.max(firstMs, startedAtMs)
      if (exchange.kind === 'failure') this.tellFailure(resolver, exchange)
    }
  }

  /** A server that cannot be reached at all would otherwise show as silence. */
  private tellFailure(resolver: number, { operation, failure }: { operation: string; failure: string }): void {
    const key = `${resolver} ${failure}`
    if (failure === 'interrupted' || failure === 'generic_timeout_error' || this.told.has(key)) return
    if (this.told.size >= FAILURES_TOLD_MAX) return
    this.told.add(key)
    this.tell({ kind: 'resolver_failed', resolver: this.streams[resolver]?.word ?? '', operation, failure })
  }

  private async writeOut(): Promise<void> {
    const nowMs = nodeClock.nowMs()
    const isCheckpointDue = this.job.checkpointMs > 0 && nowMs >= this.checkpointAtMs
    const { text } = this.writer
    if (text.length >= FLUSH_OCTETS || nowMs - this.flushedAtMs >= FLUSH_INTERVAL_MS || isCheckpointDue) this.flush()
    while (text.length > BACKLOG_OCTETS_MAX) {
      await sleep(nodeClock, OUTPUT_WAIT_MS)
      this.flush()
    }
    if (!isCheckpointDue) return
    this.checkpointAtMs = nowMs + this.job.checkpointMs
    const checkpoint = this.checkpoint()
    if (checkpoint !== undefined) this.tell({ kind: 'checkpoint', checkpoint })
  }

  private async flushAll(): Promise<void> {
    this.flush()
    while (this.writer.text.length > 0) {
      await sleep(nodeClock, OUTPUT_WAIT_MS)
      this.flush()
    }
  }

  private flush(): void {
    const { text } = this.writer
    this.flushedAtMs = nodeClock.nowMs()
    if (text.length === 0) return
    const taken = this.output.write(text.octets, text.length)
    text.octets.copyWithin(0, taken, text.length)
    text.length -= taken
    this.outputOctets += taken
    this.counters[AT.output_octets] = this.outputOctets
  }

  private checkpoint(): BulkCheckpoint | undefined {
    if (this.writer.text.length > 0) return undefined
    const { outputOctets, reader, slots } = this
    return { outputOctets, nextIndex: reader.nextIndex, unfinished: slots.unfinished() }
  }

  private count(place: number): void {
    this.add(place, 1)
  }

  private add(place: number, more: number): void {
    this.counters[place] = (this.counters[place] as number) + more
  }
}
