/**
 * The queries in flight of one engine: 65,536 slots in typed arrays, each with a message id of its own from a shuffled ring.
 *
 * Ids are far apart and slots close together: as many slots are used as the rate of queries needs, and memory and caches see
 * only those, while an id that was seen says nothing about the next.
 *
 * A slot that was given back goes to the end of the ring, so that an id is used again as late as possible; one that was
 * never answered stays away for the late window first.
 *
 * Invariant: a query has no object of its own. The wire of a slot stays until the slot is used again: so a second answer is
 * told from a wrong one.
 */
import { randomInt, type Random } from '../../core/random.ts'

/** As many as there are message ids. */
export const SLOTS = 65_536
/** As many are used from the beginning. */
const SLOTS_START = 8_192
/** A slot rests for so long while there are unused ones. For longer, there would be more slots than the caches hold. */
const REST_MS = 40
/** How many earlier queries a slot remembers: so a second answer is known as one for some time after the rest, too. */
const OLD_MAX = 4
/** A cell of a query that is short, as most are: so as many as possible lie in few lines of the caches. */
export const WIRE_STRIDE_OCTETS = 64
/** Header 12, name 255, type and class 4, OPT 11, rounded up to a multiple of a cell. */
const LONG_STRIDE_OCTETS = 320
const LONG_AT = SLOTS * WIRE_STRIDE_OCTETS
const WIRE_OCTETS = LONG_AT + SLOTS * LONG_STRIDE_OCTETS
const HEADER_OCTETS = 12
/** Sixteen octets behind the header. */
const HASHED_END_OCTETS = 28
const HASH_START = 0x811c9dc5
const HASH_PRIME = 0x01000193
const TRAIT_FACTOR = 0x9e3779b1
/** How many resolvers a slot remembers to have asked. */
const ASKED_MAX = 8
/** No query lives here. */
export const SLOT_FREE = 0
/** The query waits for its resolver's turn. */
export const SLOT_QUEUED = 1
/** The query was sent and waits for its answer. */
export const SLOT_SENT = 2
/** The answer was truncated; TCP is being asked. */
export const SLOT_TCP = 3
/** Nobody answered; the id waits for late answers. */
export const SLOT_LATE = 4

/** The slots, by columns. */
export class BulkSlots {
  /** The queries, their ids in front: a cell for each slot, and behind those one for each that has a long name. */
  readonly wire: Uint8Array<ArrayBuffer> = new Uint8Array(WIRE_OCTETS)
  /** The same octets. */
  readonly view: DataView = new DataView(this.wire.buffer)
  /** Where the query of a slot begins. */
  readonly wireAt: Int32Array = new Int32Array(SLOTS)
  /** 1 when no octet of the name needs an escape. */
  readonly isPlain: Uint8Array = new Uint8Array(SLOTS)
  readonly wireOctets: Uint16Array = new Uint16Array(SLOTS)
  /** Where the question ends in the wire. */
  readonly questionEnd: Uint16Array = new Uint16Array(SLOTS)
  readonly state: Uint8Array = new Uint8Array(SLOTS)
  /** How often the query was sent. */
  readonly tries: Uint8Array = new Uint8Array(SLOTS)
  /** 1 when the query is for this resolver only. */
  readonly pinned: Uint8Array = new Uint8Array(SLOTS)
  /** The resolver that is asked now. */
  readonly resolver: Int32Array = new Int32Array(SLOTS)
  /** The resolvers whose tries are over, in their order, {@link ASKED_MAX} for each slot. */
  private readonly asked: Int32Array = new Int32Array(SLOTS * ASKED_MAX)
  readonly sentAtMs: Float64Array = new Float64Array(SLOTS)
  /** Which query of the input this is, from 0. */
  readonly index: Float64Array = new Float64Array(SLOTS)
  /** The next slot in the queue of a resolver. */
  readonly next: Int32Array = new Int32Array(SLOTS)
  /** Traits of the queries that had the slot before, {@link OLD_MAX} for each slot, in a round. */
  private readonly oldTraits: Int32Array = new Int32Array(SLOTS * OLD_MAX)
  private readonly oldTurn: Uint8Array = new Uint8Array(SLOTS)
  /** The slot of each message id. */
  readonly slotOf: Uint16Array = new Uint16Array(SLOTS)
  private readonly ring: Uint16Array = new Uint16Array(SLOTS)
  private readonly lateRing: Uint16Array = new Uint16Array(SLOTS)
  private readonly lateUntilMs: Float64Array = new Float64Array(SLOTS)
  private readonly restsUntilMs: Float64Array = new Float64Array(SLOTS)
  private readonly idOf: Uint16Array = new Uint16Array(SLOTS)
  private readonly random: Random
  private seen: Uint8Array = this.wire
  private seenView: DataView = this.view
  private head = 0
  private freeCount = 0
  private usedSlots = 0
  private lateHead = 0
  private lateCount = 0

  constructor(random: Random) {
    this.random = random
    for (let slot = 0; slot < SLOTS; slot++) {
      this.idOf[slot] = slot
      this.slotOf[slot] = slot
    }
    while (this.usedSlots < SLOTS_START) this.addSlot()
  }

  /** How many queries there are: queued, sent, or asked over TCP. */
  get inUse(): number {
    return this.usedSlots - this.freeCount - this.lateCount
  }

  /** The slot that the next query will get; −1 when all are taken. */
  peek(nowMs: number): number {
    const isRested = this.freeCount > 0 && (this.restsUntilMs[this.ring[this.head] as number] as number) <= nowMs
    if (!isRested && this.usedSlots < SLOTS) return this.addSlot()
    return this.freeCount === 0 ? -1 : (this.ring[this.head] as number)
  }

  /** Gives a slot its place for a query of so many octets, and the query its id. @returns Where it begins. */
  place(slot: number, sizeOctets: number): number {
    const at = sizeOctets <= WIRE_STRIDE_OCTETS ? slot * WIRE_STRIDE_OCTETS : LONG_AT + slot * LONG_STRIDE_OCTETS
    this.wireAt[slot] = at
    this.wireOctets[slot] = sizeOctets
    this.view.setUint16(at, this.idOf[slot] as number)
    return at
  }

  /** Takes the slot that {@link peek} showed. */
  take(): void {
    this.head = (this.head + 1) & (SLOTS - 1)
    this.freeCount--
  }

  /** Gives back the slot of a query that was answered. */
  release(slot: number, nowMs: number): void {
    this.remember(slot, 1)
    this.free(slot, nowMs + REST_MS)
  }

  private free(slot: number, restsUntilMs: number): void {
    this.restsUntilMs[slot] = restsUntilMs
    this.state[slot] = SLOT_FREE
    this.ring[(this.head + this.freeCount) & (SLOTS - 1)] = slot
    this.freeCount++
  }

  /** Gives back the slot of a query that nobody answered; it is used again after `untilMs`. Times must not decrease. */
  releaseLate(slot: number, untilMs: number): void {
    this.state[slot] = SLOT_LATE
    this.lateRing[(this.lateHead + this.lateCount) & (SLOTS - 1)] = slot
    this.lateUntilMs[slot] = untilMs
    this.lateCount++
  }

  /** Numbers of queries that have no record, ascending. */
  unfinished(): Float64Array {
    const unfinished = new Float64Array(SLOTS)
    let count = 0
    for (let slot = 0; slot < SLOTS; slot++) {
      const state = this.state[slot]
      if (state !== SLOT_FREE && state !== SLOT_LATE) unfinished[count++] = this.index[slot] as number
    }
    return unfinished.slice(0, count).toSorted()
  }

  /** Ends late windows that are over. */
  endLateWindows(nowMs: number): void {
    while (this.lateCount > 0) {
      const slot = this.lateRing[this.lateHead] as number
      if ((this.lateUntilMs[slot] as number) > nowMs) return
      this.lateHead = (this.lateHead + 1) & (SLOTS - 1)
      this.lateCount--
      this.remember(slot, 0)
      this.free(slot, nowMs)
    }
  }

  /** Notes whom a try asked that is over. */
  endTry(slot: number): void {
    const place = (this.tries[slot] as number) - 1
    if (place < ASKED_MAX) this.asked[slot * ASKED_MAX + place] = this.resolver[slot] as number
  }

  /** Whether a resolver is asked, or was by a try that is over. */
  hasAsked(slot: number, resolver: number): boolean {
    const tries = this.tries[slot] as number
    const isQueued = this.state[slot] === SLOT_QUEUED
    if (!isQueued && this.resolver[slot] === resolver) return tries > 0
    const over = Math.min(isQueued ? tries : tries - 1, ASKED_MAX)
    for (let k = 0; k < over; k++) if (this.asked[slot * ASKED_MAX + k] === resolver) return true
    return false
  }

  /**
   * Whether octets carry a question like one that the slot asked before the present one, of the same resolver.
   *
   * @returns 1 when that was answered, 0 when it was not, −1 when there was none.
   */
  oldOutcome(slot: number, octets: Uint8Array, at: number, sizeOctets: number, resolver: number): number {
    const trait = traitOf(hashQuestion(octets, at, sizeOctets), resolver)
    for (let place = slot * OLD_MAX; place < (slot + 1) * OLD_MAX; place++) {
      const old = this.oldTraits[place] as number
      if ((old | 1) === trait) return old & 1
    }
    return -1
  }

  /**
   * Whether octets carry, octet by octet, the question that a slot asks (or asked last). Backends hand over one array again
   * and again, so that a view of it is there already.
   */
  hasQuestion(slot: number, octets: Uint8Array, at: number, sizeOctets: number): boolean {
    const { view } = this
    const end = this.questionEnd[slot] as number
    if (sizeOctets < end || octets[at + 4] !== 0 || octets[at + 5] !== 1) return false
    if (octets !== this.seen) {
      this.seen = octets
      this.seenView = new DataView(octets.buffer, octets.byteOffset, octets.byteLength)
    }
    const { seenView } = this
    const base = this.wireAt[slot] as number
    // Four at a time; the last four are type and class.
    const last = end - 4
    for (let i = HEADER_OCTETS; i < last; i += 4) {
      if (seenView.getInt32(at + i) !== view.getInt32(base + i)) return false
    }
    return seenView.getInt32(at + last) === view.getInt32(base + last)
  }

  /** Adds a slot in front of the free ones, with an id drawn from those that are left. */
  private addSlot(): number {
    const { idOf, slotOf } = this
    const slot = this.usedSlots++
    const other = slot + randomInt(this.random, SLOTS - slot)
    const id = idOf[other] as number
    const given = idOf[slot] as number
    idOf[slot] = id
    slotOf[id] = slot
    idOf[other] = given
    slotOf[given] = other
    this.head = (this.head - 1) & (SLOTS - 1)
    this.ring[this.head] = slot
    this.freeCount++
    return slot
  }

  private remember(slot: number, wasAnswered: number): void {
    const { view } = this
    const at = this.wireAt[slot] as number
    const end = this.questionEnd[slot] as number
    const hash =
      end < HASHED_END_OCTETS
        ? hashOctets(this.wire, at, end)
        : hashWords(
            view.getInt32(at + 12, true),
            view.getInt32(at + 16, true),
            view.getInt32(at + 20, true),
            view.getInt32(at + 24, true),
          )
    const turn = this.oldTurn[slot] as number
    this.oldTurn[slot] = turn + 1
    const trait = traitOf(hash, this.resolver[slot] as number)
    this.oldTraits[slot * OLD_MAX + (turn & (OLD_MAX - 1))] = wasAnswered === 1 ? trait : trait - 1
  }
}

/** What is remembered of a query: odd when it was answered, and one less when it was not. */
function traitOf(hash: number, resolver: number): number {
  return (hash ^ Math.imul(resolver + 1, TRAIT_FACTOR)) | 1
}

/** A hash of the beginning of a question: enough to tell an old question from a wrong one in a count. */
function hashQuestion(octets: Uint8Array, at: number, sizeOctets: number): number {
  const end = questionEnd(octets, at, Math.min(sizeOctets, HASHED_END_OCTETS))
  if (end < HASHED_END_OCTETS) return hashOctets(octets, at, end)
  const view = new DataView(octets.buffer, octets.byteOffset + at + HEADER_OCTETS, HASHED_END_OCTETS - HEADER_OCTETS)
  return hashWords(view.getInt32(0, true), view.getInt32(4, true), view.getInt32(8, true), view.getInt32(12, true))
}

function hashWords(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(HASH_START ^ a, HASH_PRIME)
  hash = Math.imul(hash ^ b, HASH_PRIME)
  hash = Math.imul(hash ^ (hash >>> 15) ^ c, HASH_PRIME)
  return Math.imul(hash ^ d, HASH_PRIME)
}

function hashOctets(octets: Uint8Array, at: number, end: number): number {
  let hash = HASH_START
  for (let i = HEADER_OCTETS; i < end; i++) hash = Math.imul(hash ^ (octets[at + i] as number), HASH_PRIME)
  return hash
}

/** @returns Where the first question ends, at most `limit`: what follows differs between a query and its answer. */
function questionEnd(octets: Uint8Array, at: number, limit: number): number {
  let end = HEADER_OCTETS
  while (end < limit && octets[at + end] !== 0) end += (octets[at + end] as number) + 1
  return Math.min(end + 5, limit)
}
