/**
 * Whose turn it is: a queue of slots for each resolver, and when the next query may go there.
 *
 * A paced resolver gets a query when its schedule says so, and all paced ones together keep to the rate of the whole. An
 * unpaced one has credits: a query takes one, an answer gives one back and now and then a further one, so that a server
 * gets what it can take. Credits of lost queries come back when the resolver was silent for a while.
 *
 * Invariant: a resolver with something in its queue waits in a ring, or has a timer, and never both.
 */
import type { BulkSlots } from './bulk-slots.ts'
import { TimerWheel } from './timer-wheel.ts'

/** A burst of 256 into knot's default buffer lost 1.2 %; of 16, nothing. */
const CREDITS_START = 16
/** A fresh socket of Linux holds some 270 small datagrams (`net.core.rmem_default`). */
const CREDITS_MAX = 128
/** How long an unpaced resolver is silent before what it has not answered counts as lost, in milliseconds. */
const SILENCE_MS = 5
const TICK_MS = 1
const TICKS = 65_536
const NONE = -1
/** Doubles what a resolver gets within some hundred answers. */
const ANSWERS_PER_CREDIT = 8

/** How fast queries may go out. */
export interface BulkPace {
  /** Queries per second in all; 0 for as fast as it goes. */
  readonly rate: number
  /** Queries per second for each resolver; 0 for as fast as it goes. */
  readonly perResolver: number
}

/** The queues. */
export class ResolverQueues {
  private readonly slots: BulkSlots
  private readonly isPaced: Uint8Array
  private readonly heads: Int32Array
  private readonly tails: Int32Array
  private readonly credits: Int32Array
  private readonly creditsMax: Int32Array
  private readonly heardAtMs: Float64Array
  private readonly nextAtMs: Float64Array
  private readonly inRing: Uint8Array
  private readonly free: Ring
  private readonly paced: Ring
  private readonly timers: TimerWheel
  private readonly perResolverMs: number
  private readonly allMs: number
  private allNextAtMs: number
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
    this.heardAtMs = new Float64Array(count)
    this.nextAtMs = new Float64Array(count)
    this.inRing = new Uint8Array(count)
    this.free = new Ring(count)
    this.paced = new Ring(count)
    this.timers = new TimerWheel(count, TICK_MS, TICKS, nowMs)
    this.perResolverMs = pace.perResolver > 0 ? 1000 / pace.perResolver : 0
    this.allMs = pace.rate > 0 ? 1000 / pace.rate : 0
    this.allNextAtMs = nowMs
  }

  /** Puts a slot at the end of the queue of its resolver. */
  push(slot: number, resolver: number): void {
    const tail = this.tails[resolver] as number
    this.slots.next[slot] = NONE
    this.tails[resolver] = slot
    if (tail === NONE) {
      this.heads[resolver] = slot
      if (!this.timers.has(resolver)) this.enter(resolver)
    } else {
      this.slots.next[tail] = slot
    }
  }

  /** Ends waits that are over. */
  wake(nowMs: number): void {
    for (let resolver = this.timers.expire(nowMs); resolver !== NONE; resolver = this.timers.expire(nowMs)) {
      if (this.isPaced[resolver] === 0 && nowMs - (this.heardAtMs[resolver] as number) >= SILENCE_MS) {
        this.credits[resolver] = this.creditsMax[resolver] as number
      }
      if (this.heads[resolver] !== NONE) this.enter(resolver)
    }
  }

  /** A resolver has answered. */
  heard(resolver: number, atMs: number): void {
    if (this.isPaced[resolver] === 1) return
    this.heardAtMs[resolver] = atMs
    let max = this.creditsMax[resolver] as number
    let credits = (this.credits[resolver] as number) + 1
    if (max < CREDITS_MAX && ++this.answers % ANSWERS_PER_CREDIT === 0) {
      this.creditsMax[resolver] = ++max
      credits++
    }
    this.credits[resolver] = Math.min(credits, max)
    if (this.inRing[resolver] === 0 && this.heads[resolver] !== NONE) {
      this.timers.clear(resolver)
      this.enter(resolver)
    }
  }

  /** A resolver has left a query unanswered: bursts get shorter. */
  missed(resolver: number): void {
    const max = this.creditsMax[resolver] as number
    if (max > CREDITS_START) this.creditsMax[resolver] = max - 1
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
      const resolver = this.leave(this.free)
      const allowed = Math.min(this.credits[resolver] as number, into.length - taken)
      const after = this.drain(resolver, allowed, into, taken)
      this.credits[resolver] = (this.credits[resolver] as number) - (after - taken)
      taken = after
      if (this.heads[resolver] === NONE) continue
      if (this.credits[resolver] > 0) this.enter(resolver)
      else this.timers.set(resolver, nowMs + SILENCE_MS)
    }
    while (this.paced.size > 0 && taken < into.length && this.allNextAtMs <= nowMs) {
      const resolver = this.leave(this.paced)
      const nextAtMs = this.nextAtMs[resolver] as number
      if (nextAtMs <= nowMs) {
        taken = this.drain(resolver, 1, into, taken)
        // What was missed by less than a tick of the loop is made up for; more is not.
        this.nextAtMs[resolver] = Math.max(nextAtMs, nowMs - 10) + this.perResolverMs
        this.allNextAtMs = Math.max(this.allNextAtMs, nowMs - 10) + this.allMs
      }
      if (this.heads[resolver] === NONE) continue
      if ((this.nextAtMs[resolver] as number) <= nowMs) this.enter(resolver)
      else this.timers.set(resolver, this.nextAtMs[resolver] as number)
    }
    return taken
  }

  /** For how many milliseconds no turn comes; 0 when there is one, or room for one was missing. */
  idleMs(nowMs: number): number {
    if (this.free.size > 0) return 0
    if (this.paced.size > 0) return Math.max(0, this.allNextAtMs - nowMs)
    return this.timers.size > 0 ? TICK_MS : Number.POSITIVE_INFINITY
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
    const ring = this.isPaced[resolver] === 1 ? this.paced : this.free
    ring.push(resolver)
  }

  private leave(ring: Ring): number {
    const resolver = ring.shift()
    this.inRing[resolver] = 0
    return resolver
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
