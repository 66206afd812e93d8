/**
 * Whose turn it is: a queue of slots for each resolver, and when the next query may go there.
 *
 * A paced resolver gets a query when no cap on it, its prefix, its autonomous system and the whole holds it back. An unpaced
 * one has credits: a query takes one, an answer or a time-out gives one back, and an answer now and then a further
 * one while answers do not slow down: so a server gets what it can take, and no more waits before it. A resolver that was
 * silent for some round-trip times gets a burst, so that what waits for a dead one goes on to others.
 *
 * Invariant: a resolver with something in its queue waits for its turn, or has a timer, and never both.
 */
import { PacedTurns, type GroupCaps, type TurnCaps } from '../paced-turns.ts'
import type { BulkSlots } from './bulk-slots.ts'
import { TimerWheel } from './timer-wheel.ts'

/** A burst of 256 into knot's default buffer lost 1.2 %; of 16, nothing. */
const CREDITS_START = 16
/** A fresh socket of Linux holds some 270 small datagrams (`net.core.rmem_default`). */
const CREDITS_MAX = 128
/** More queries in flight make nothing faster, and caches forget them before they are answered. */
const CREDITS_OF_ALL = 4_096
/** How long an unpaced resolver is silent at least before it gets a further burst, in milliseconds. */
const SILENCE_MS = 5
/** … and how long when nobody else answers either: then it is this machine or its network that stands still. */
const STILL_MS = 32
const SILENCE_MS_MAX = 250
/** In round-trip times. */
const SILENCE_TRIPS = 4
/** Answers that took twice as long as the fastest, and this much more, waited for others. */
const SLOWER_MS = 2
/** Part of a new round-trip time in the smoothed one (RFC 6298). */
const SMOOTHING = 0.125
const TICK_MS = 1
const TICKS = 65_536
const NONE = -1
/** Doubles what a resolver gets within some hundred answers. */
const ANSWERS_PER_CREDIT = 8

/** How fast queries to paced resolvers may go out. */
export interface BulkPace extends TurnCaps {
  /** Without them prefixes and autonomous systems have no caps. */
  readonly groups?: GroupCaps
}

/** The queues. */
export class ResolverQueues {
  private readonly slots: BulkSlots
  private readonly isPaced: Uint8Array
  private readonly heads: Int32Array
  private readonly tails: Int32Array
  private readonly credits: Int32Array
  private readonly creditsMax: Int32Array
  /** What `creditsMax` may become. */
  private readonly creditsBound: number
  private readonly heardAtMs: Float64Array
  private readonly fastestMs: Float32Array
  private readonly smoothedMs: Float32Array
  private anyHeardAtMs = Number.NEGATIVE_INFINITY
  private readonly inRing: Uint8Array
  private readonly free: Ring
  private readonly paced: PacedTurns
  /** Of those who are not paced. */
  private readonly timers: TimerWheel
  private answers = 0

  /** @param isPaced - For each resolver, whether it is paced (1) or gets what it can take (0). */
  constructor(slots: BulkSlots, isPaced: Uint8Array, pace: BulkPace, nowMs: number) {
    const count = isPaced.length
    this.slots = slots
    this.isPaced = isPaced
    this.heads = new Int32Array(count).fill(NONE)
    this.tails = new Int32Array(count).fill(NONE)
    this.credits = new Int32Array(count).fill(CREDITS_START)
    this.creditsMax = new Int32Array(count).fill(CREDITS_START)
    this.creditsBound = Math.max(CREDITS_START, Math.min(CREDITS_MAX, Math.floor(CREDITS_OF_ALL / count)))
    this.heardAtMs = new Float64Array(count)
    this.fastestMs = new Float32Array(count).fill(Number.POSITIVE_INFINITY)
    this.smoothedMs = new Float32Array(count)
    this.inRing = new Uint8Array(count)
    this.free = new Ring(count)
    this.paced = new PacedTurns(count, pace, pace.groups, nowMs)
    this.timers = new TimerWheel(count, TICK_MS, TICKS, nowMs)
  }

  /** Puts a slot at the end of the queue of its resolver. */
  push(slot: number, resolver: number): void {
    const tail = this.tails[resolver] as number
    this.slots.next[slot] = NONE
    this.tails[resolver] = slot
    if (tail === NONE) {
      this.heads[resolver] = slot
      if (this.inRing[resolver] === 0 && !this.timers.has(resolver)) this.enter(resolver)
    } else {
      this.slots.next[tail] = slot
    }
  }

  /** Ends waits that are over. */
  wake(nowMs: number): void {
    for (let resolver = this.timers.expire(nowMs); resolver !== NONE; resolver = this.timers.expire(nowMs)) {
      const isSilent = nowMs - (this.heardAtMs[resolver] as number) >= this.silenceMs(resolver, nowMs)
      if (this.isPaced[resolver] === 0 && isSilent) this.credits[resolver] = CREDITS_START
      if (this.heads[resolver] !== NONE) this.enter(resolver)
    }
  }

  /** A resolver has answered, `tripMs` after it was asked. */
  heard(resolver: number, atMs: number, tripMs: number): void {
    if (this.isPaced[resolver] === 1) return
    this.heardAtMs[resolver] = atMs
    this.anyHeardAtMs = atMs
    const fastest = Math.min(this.fastestMs[resolver] as number, tripMs)
    const smoothed = this.smoothedMs[resolver] as number
    this.fastestMs[resolver] = fastest
    this.smoothedMs[resolver] = smoothed + (tripMs - smoothed) * SMOOTHING
    if (++this.answers % ANSWERS_PER_CREDIT === 0) this.adapt(resolver, tripMs <= fastest * 2 + SLOWER_MS)
    this.giveBack(resolver)
  }

  /** A resolver has left a query unanswered: bursts get shorter. */
  missed(resolver: number): void {
    if (this.isPaced[resolver] === 1) return
    const max = this.creditsMax[resolver] as number
    if (max > CREDITS_START) this.creditsMax[resolver] = max - 1
    // What was far away may be dead: silence is noticed sooner from now on.
    this.smoothedMs[resolver] = (this.smoothedMs[resolver] as number) * (1 - SMOOTHING)
    this.giveBack(resolver)
  }

  /**
   * Takes queries whose turn it is, those of one resolver one after the other.
   *
   * @param into - Where slots are written, from `count` on.
   * @returns How many slots there are then; `into` may be full.
   */
  take(into: Int32Array, count: number, nowMs: number): number {
    let taken = count
    for (let rounds = this.free.size; rounds > 0 && taken < into.length; rounds--) {
      const resolver = this.free.shift()
      this.inRing[resolver] = 0
      const allowed = Math.min(this.credits[resolver] as number, into.length - taken)
      const after = this.drain(resolver, allowed, into, taken)
      this.credits[resolver] = (this.credits[resolver] as number) - (after - taken)
      taken = after
      if (this.heads[resolver] === NONE) continue
      if (this.credits[resolver] > 0) this.enter(resolver)
      else this.timers.set(resolver, nowMs + this.silenceMs(resolver, nowMs))
    }
    while (taken < into.length) {
      const resolver = this.paced.next(nowMs)
      if (resolver === NONE) break
      this.inRing[resolver] = 0
      taken = this.drain(resolver, 1, into, taken)
      if (this.heads[resolver] !== NONE) this.enter(resolver)
    }
    return taken
  }

  /** Empties the queue of a resolver. @returns The first slot that was in it, −1 for none; `next` leads to the others. */
  clear(resolver: number): number {
    const first = this.heads[resolver] as number
    this.heads[resolver] = NONE
    this.tails[resolver] = NONE
    return first
  }

  /** For how many milliseconds no turn comes; 0 when there is one, or room for one was missing. */
  idleMs(): number {
    if (this.free.size > 0) return 0
    return this.timers.size > 0 ? Math.min(TICK_MS, this.paced.idleMs) : this.paced.idleMs
  }

  /** How long a resolver is silent before it gets a further burst. */
  private silenceMs(resolver: number, nowMs: number): number {
    const leastMs = nowMs - this.anyHeardAtMs >= SILENCE_MS ? STILL_MS : SILENCE_MS
    return Math.min(Math.max(leastMs, (this.smoothedMs[resolver] as number) * SILENCE_TRIPS), SILENCE_MS_MAX)
  }

  private adapt(resolver: number, isFast: boolean): void {
    const max = this.creditsMax[resolver] as number
    if (!isFast) {
      if (max > CREDITS_START) this.creditsMax[resolver] = max - 1
      return
    }
    if (max === this.creditsBound) return
    this.creditsMax[resolver] = max + 1
    this.credits[resolver] = (this.credits[resolver] as number) + 1
  }

  private giveBack(resolver: number): void {
    const credits = (this.credits[resolver] as number) + 1
    this.credits[resolver] = Math.min(credits, this.creditsMax[resolver] as number)
    if (this.inRing[resolver] === 1 || this.heads[resolver] === NONE) return
    this.timers.clear(resolver)
    this.enter(resolver)
  }

  private drain(resolver: number, allowed: number, into: Int32Array, from: number): number {
    let taken = from
    let slot = this.heads[resolver] as number
    for (let left = allowed; left > 0 && slot !== NONE; left--) {
      into[taken++] = slot
      slot = this.slots.next[slot] as number
    }
    this.heads[resolver] = slot
    if (slot === NONE) this.tails[resolver] = NONE
    return taken
  }

  private enter(resolver: number): void {
    this.inRing[resolver] = 1
    if (this.isPaced[resolver] === 1) this.paced.want(resolver)
    else this.free.push(resolver)
  }
}

/** A queue of resolvers, each at most once. */
class Ring {
  size = 0
  private readonly items: Int32Array
  private head = 0

  constructor(capacity: number) {
    this.items = new Int32Array(capacity)
  }

  push(item: number): void {
    this.items[(this.head + this.size++) % this.items.length] = item
  }

  shift(): number {
    const item = this.items[this.head] as number
    this.head = (this.head + 1) % this.items.length
    this.size--
    return item
  }
}
