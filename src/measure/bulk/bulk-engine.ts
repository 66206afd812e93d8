/**
 * The engine of `candor bulk`: names in, datagrams out and in, one record for each query out.
 *
 * Everything about a query lies in the columns of its slot. Sockets, files and threads are passed in; a backend calls
 * `step` and `accept` and nothing else happens.
 *
 * Invariant: each query of the input ends in exactly one record. A datagram is an answer only if it comes from the resolver
 * that is being asked, with its id and its question octet by octet; everything else is counted under its name.
 *
 * Sources: RFC 5452 section 9 (what an answer must match), RFC 7766 section 5 (truncation).
 */
import { shuffle, type Random } from '../../core/random.ts'
import type { BulkBackend, BulkBatch, BulkDrive } from '../../net/bulk-backend.ts'
import { chooseAwake, type Cooldown } from '../cooldown.ts'
import type { BulkCheckpoint } from './bulk-checkpoint.ts'
import { AT, rcodePlace } from './bulk-counters.ts'
import { BulkSlots, SLOT_QUEUED, SLOT_SENT, SLOT_TCP, SLOTS, WIRE_STRIDE_OCTETS } from './bulk-slots.ts'
import { moveQueued } from './move-queued.ts'
import { READ_END, READ_NOTHING, type NameReader } from './name-reader.ts'
import type { RecordWriter } from './record-writer.ts'
import { ResolverQueues, type BulkPace } from './resolver-queues.ts'
import { oldPlace, strayPlace } from './stray-place.ts'
import { TimerWheel } from './timer-wheel.ts'

/** One system call takes at most this many datagrams. */
export const BATCH_MAX = 256
/** Numbers for each datagram of a batch. */
export const BATCH_FIELDS = 3

/** As much is read ahead for each resolver, … */
const QUEUED_PER_RESOLVER = 16
/** … and in all at least and at most this much. */
const QUEUED_MIN = 512
const QUEUED_MAX = 16_384
/** Consecutive queries go to one resolver, so that they can be sent in one piece. */
const BLOCK_QUERIES = 16
/** Up to this many resolvers, blocks for all of them fit into the queue. */
const BLOCK_RESOLVERS_MAX = 512
const TICK_MS = 8
const TICKS = 4_096
const TIMEOUT_MS_MAX = 16_000
/** Records leave when there are this many octets… */
const FLUSH_OCTETS = 131_072
/** … or after this many milliseconds, so that who reads along sees something. */
const FLUSH_INTERVAL_MS = 200
/** Who reads slowly makes us read slowly. */
const BACKLOG_OCTETS_MAX = 4_194_304
const TICK_WAIT_MS = 4
const IDLE_WAIT_MS = 50
const HEADER_OCTETS = 12

/** What an engine is made of. */
export interface BulkEngineOptions {
  readonly reader: NameReader
  readonly writer: RecordWriter
  readonly random: Random
  /** For each resolver, whether it is paced (1) or gets what it can take (0). */
  readonly isPaced: Uint8Array
  readonly pace: BulkPace
  /** Rests for resolvers that keep failing; without it nobody rests. */
  readonly cooldown?: Cooldown | undefined
  /** How long the first try waits, in milliseconds; each further one twice as long. */
  readonly timeoutMs: number
  /** How often a query is sent again. */
  readonly retries: number
  /** For each RCODE of the header whether such an answer is asked for again (1); without it none is. */
  readonly isRetried?: Uint8Array
  /** For how long the id of an unanswered query stays reserved, in milliseconds. */
  readonly lateWindowMs: number
  /** Whether queries to one resolver are sorted by length, for a backend that sends them in one piece. */
  readonly isSegmented: boolean
  /** Shared memory of {@link AT}. */
  readonly counters: Float64Array
  /** @returns How many octets were taken; fewer than offered when the reader is slow. @throws When it cannot be written. */
  readonly writeOut: (octets: Uint8Array, sizeOctets: number) => number
  /** Asks over TCP what was truncated; the outcome comes with {@link BulkEngine.takeTcp}. */
  readonly askTcp: (slot: number, resolver: number, query: Uint8Array) => void
  /** @returns Whether nothing new is to be begun. */
  readonly isStopping: () => boolean
  readonly nowMs: number
}

/** The engine. */
export class BulkEngine implements BulkDrive {
  readonly batch: BulkBatch
  private readonly options: BulkEngineOptions
  private readonly slots: BulkSlots
  private readonly queues: ResolverQueues
  private readonly timers: TimerWheel
  private readonly order: Int32Array
  private readonly counters: Float64Array
  private readonly chosen = new Int32Array(BATCH_MAX)
  private readonly blockQueries: number
  private readonly queuedMax: number
  private chosenCount = 0
  private backend: BulkBackend | undefined
  private queuedCount = 0
  private droppedCount = 0
  private isInputEnded = false
  private isStopped = false
  private flushedAtMs: number
  private nowMs: number
  private outputOctets: number

  /** @param outputOctets - How much output there is already. */
  constructor(options: BulkEngineOptions, outputOctets: number) {
    const { random, isPaced, pace, nowMs } = options
    this.options = options
    this.slots = new BulkSlots(random)
    this.queues = new ResolverQueues(this.slots, isPaced, pace, nowMs)
    this.timers = new TimerWheel(SLOTS, TICK_MS, TICKS, nowMs)
    this.order = Int32Array.from(
      shuffle(
        random,
        Array.from(isPaced, (_, resolver) => resolver),
      ),
    )
    const usesBlocks = isPaced.length <= BLOCK_RESOLVERS_MAX && !isPaced.includes(1)
    this.blockQueries = usesBlocks ? BLOCK_QUERIES : 1
    this.queuedMax = Math.min(Math.max(isPaced.length * QUEUED_PER_RESOLVER, QUEUED_MIN), QUEUED_MAX)
    this.counters = options.counters
    const { wire } = this.slots
    this.batch = { wire, strideOctets: WIRE_STRIDE_OCTETS, entries: new Int32Array(BATCH_MAX * BATCH_FIELDS) }
    this.nowMs = nowMs
    this.flushedAtMs = nowMs
    this.outputOctets = outputOctets
  }

  /** Gives the engine its sockets. */
  attach(backend: BulkBackend): void {
    this.backend = backend
  }

  step(nowMs: number): number {
    const { counters, options, slots } = this
    this.nowMs = nowMs
    for (let slot = this.timers.expire(nowMs); slot >= 0; slot = this.timers.expire(nowMs)) this.timedOut(slot)
    slots.endLateWindows(nowMs)
    this.queues.wake(nowMs)
    if (!this.isStopped && options.isStopping()) this.stop()
    this.fill()
    this.pump()
    const isEnded = this.isInputEnded && slots.inUse <= this.droppedCount
    const { length } = options.writer.text
    if (length > 0 && (length >= FLUSH_OCTETS || isEnded || nowMs - this.flushedAtMs >= FLUSH_INTERVAL_MS)) this.flush()
    counters[AT.in_flight] = slots.inUse - this.queuedCount
    counters[AT.input_octets] = options.reader.inputOctets
    counters[AT.malformed_lines] = options.reader.malformedLines
    if (isEnded && options.writer.text.length === 0) {
      counters[AT.finished_ms] = nowMs
      return -1
    }
    return this.waitMs()
  }

  accept(octets: Uint8Array, at: number, sizeOctets: number, resolver: number, atMs: number): void {
    const { slots } = this
    // What strangers send says nothing about a resolver, whatever it is.
    if (resolver < 0 || sizeOctets < HEADER_OCTETS || ((octets[at + 2] as number) & 0x80) === 0) {
      this.count(resolver < 0 ? AT.wrong_source : AT.malformed)
      return
    }
    const slot = slots.slotOf[((octets[at] as number) << 8) | (octets[at + 1] as number)] as number
    if (slots.state[slot] !== SLOT_SENT || slots.resolver[slot] !== resolver) {
      this.count(strayPlace(slots, slot, octets, at, sizeOctets, resolver))
      return
    }
    if (!slots.hasQuestion(slot, octets, at, sizeOctets)) {
      this.count(oldPlace(slots, slot, octets, at, sizeOctets, resolver, AT.wrong_question))
      return
    }
    this.queues.heard(resolver, atMs, Math.max(0, atMs - (slots.sentAtMs[slot] as number)))
    this.options.cooldown?.answered(resolver, atMs)
    if (((octets[at + 2] as number) & 0x02) !== 0) {
      this.timers.clear(slot)
      slots.state[slot] = SLOT_TCP
      this.count(AT.truncated)
      const base = slots.wireAt[slot] as number
      this.options.askTcp(slot, resolver, slots.wire.slice(base, base + (slots.wireOctets[slot] as number)))
      return
    }
    if (this.options.isRetried?.[(octets[at + 3] as number) & 0x0f] === 1 && this.askAgain(slot)) return
    const rcode = this.options.writer.answered(slots, slot, octets, at, sizeOctets, atMs, 'UDP')
    if (rcode < 0) {
      this.count(AT.malformed)
      return
    }
    this.timers.clear(slot)
    this.finish(slot, rcode)
  }

  /** Takes what TCP gave for a slot: a message whose id and question were compared, or `undefined`. */
  takeTcp(slot: number, message: Uint8Array | undefined, atMs: number): void {
    const { slots } = this
    if (slots.state[slot] !== SLOT_TCP) return
    const rcode =
      message === undefined ? -1 : this.options.writer.answered(slots, slot, message, 0, message.length, atMs, 'TCP')
    if (rcode >= 0) this.finish(slot, rcode)
    else this.timedOut(slot)
  }

  /** Where the run stands; `undefined` while records wait to be written. */
  checkpoint(): BulkCheckpoint | undefined {
    this.flush()
    if (this.options.writer.text.length > 0) return undefined
    const { nextIndex } = this.options.reader
    return { outputOctets: this.outputOctets, nextIndex, unfinished: this.slots.unfinished() }
  }

  private waitMs(): number {
    if (this.chosenCount > 0) return 1
    const idleMs = this.queues.idleMs()
    const boundMs = this.timers.size > 0 || !this.isInputEnded ? TICK_WAIT_MS : IDLE_WAIT_MS
    return Math.min(idleMs, boundMs)
  }

  /** What is not sent yet will not be: it stays without a record, and the journal says so. */
  private stop(): void {
    const { slots } = this
    this.isStopped = true
    this.isInputEnded = true
    for (let slot = 0; slot < SLOTS; slot++) {
      if (slots.state[slot] === SLOT_QUEUED && slots.tries[slot] === 0) this.droppedCount++
    }
  }

  private fill(): void {
    const { slots, options } = this
    while (!this.isInputEnded && this.queuedCount < this.queuedMax && options.writer.text.length < BACKLOG_OCTETS_MAX) {
      const slot = slots.peek(this.nowMs)
      if (slot < 0) return
      const read = options.reader.next(slots, slot)
      if (read === READ_NOTHING) return
      if (read === READ_END) {
        this.isInputEnded = true
        return
      }
      slots.take()
      const pinned = options.reader.resolver
      slots.pinned[slot] = pinned >= 0 ? 1 : 0
      slots.tries[slot] = 0
      slots.resolver[slot] = pinned >= 0 ? pinned : this.resolverFor(slot, 0)
      this.count(AT.queries)
      this.enqueue(slot)
    }
  }

  /** The resolver of a try, which depends on the number of the query and the seed alone, unless it rests. */
  private resolverFor(slot: number, tries: number): number {
    const block = Math.floor((this.slots.index[slot] as number) / this.blockQueries)
    return chooseAwake(this.order, block + tries, this.options.cooldown, this.nowMs)
  }

  private enqueue(slot: number): void {
    this.slots.state[slot] = SLOT_QUEUED
    this.queuedCount++
    this.queues.push(slot, this.slots.resolver[slot] as number)
  }

  private pump(): void {
    const { chosen, slots, options, backend } = this
    if (backend === undefined) return
    let count = this.queues.take(chosen, this.chosenCount, this.nowMs)
    if (this.isStopped) count = this.withoutDropped(count)
    this.chosenCount = count
    if (count === 0) return
    if (options.isSegmented) this.sortRuns(count)
    const { entries } = this.batch
    for (let i = 0; i < count; i++) {
      const slot = chosen[i] as number
      entries[i * BATCH_FIELDS] = slots.wireAt[slot] as number
      entries[i * BATCH_FIELDS + 1] = slots.wireOctets[slot] as number
      entries[i * BATCH_FIELDS + 2] = slots.resolver[slot] as number
    }
    const atMs = backend.nowMs()
    const sent = backend.send(count)
    for (let i = 0; i < sent; i++) this.sent(chosen[i] as number, atMs)
    chosen.copyWithin(0, sent, count)
    this.chosenCount = count - sent
  }

  /** Takes out what was dropped at the stop, also what a backend had not taken before it. @returns How many are left. */
  private withoutDropped(count: number): number {
    const { chosen, slots } = this
    let kept = 0
    for (let i = 0; i < count; i++) {
      const slot = chosen[i] as number
      if ((slots.tries[slot] as number) > 0) chosen[kept++] = slot
    }
    return kept
  }

  /** Sorts the queries of each resolver by length; they are few and often in order. */
  private sortRuns(count: number): void {
    const { chosen } = this
    const { resolver, wireOctets } = this.slots
    for (let i = 1; i < count; i++) {
      const slot = chosen[i] as number
      const size = wireOctets[slot] as number
      let to = i
      for (; to > 0; to--) {
        const other = chosen[to - 1] as number
        if (resolver[other] !== resolver[slot] || (wireOctets[other] as number) <= size) break
        chosen[to] = other
      }
      chosen[to] = slot
    }
  }

  private sent(slot: number, atMs: number): void {
    const { slots, options, counters } = this
    const tries = slots.tries[slot] as number
    slots.tries[slot] = tries + 1
    slots.state[slot] = SLOT_SENT
    slots.sentAtMs[slot] = atMs
    this.queuedCount--
    this.timers.set(slot, atMs + Math.min(options.timeoutMs * 2 ** tries, TIMEOUT_MS_MAX))
    if (tries > 0) {
      this.count(AT.retransmissions)
      return
    }
    this.count(AT.first_sends)
    counters[AT.first_send_ended_ms] = atMs
  }

  private timedOut(slot: number): void {
    const { slots, options, nowMs } = this
    const resolver = slots.resolver[slot] as number
    this.queues.missed(resolver)
    slots.endTry(slot)
    if (options.cooldown?.failed(resolver, nowMs) === true) {
      this.count(AT.rests)
      moveQueued(slots, this.queues, resolver, (other) => this.resolverFor(other, slots.tries[other] as number))
    }
    if (this.askAgain(slot)) return
    options.writer.unanswered(slots, slot, nowMs)
    this.count(AT.finished)
    this.count(AT.unanswered)
    slots.releaseLate(slot, nowMs + options.lateWindowMs)
  }

  /** @returns Whether a try is left, and the query goes out once more. */
  private askAgain(slot: number): boolean {
    const { slots } = this
    const tries = slots.tries[slot] as number
    if (tries > this.options.retries) return false
    this.timers.clear(slot)
    if (slots.pinned[slot] === 0) slots.resolver[slot] = this.resolverFor(slot, tries)
    this.enqueue(slot)
    return true
  }

  private finish(slot: number, rcode: number): void {
    this.count(AT.finished)
    this.count(AT.answered)
    this.count(rcodePlace(rcode))
    this.slots.release(slot, this.nowMs)
  }

  private count(place: number): void {
    this.counters[place] = (this.counters[place] as number) + 1
  }

  private flush(): void {
    const { writer, writeOut } = this.options
    const { text } = writer
    const taken = text.length === 0 ? 0 : writeOut(text.octets, text.length)
    if (taken > 0) {
      text.octets.copyWithin(0, taken, text.length)
      text.length -= taken
      this.outputOctets += taken
      this.counters[AT.output_octets] = this.outputOctets
    }
    this.flushedAtMs = this.nowMs
  }
}
