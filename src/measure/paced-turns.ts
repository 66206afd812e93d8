/**
 * Whose turn it is among those who are paced: caps on queries per second for each resolver, for the prefix that it lies in,
 * for its autonomous system, and for all together, each a token bucket with room for one.
 *
 * A resolver that is held back waits in the list of the bucket that holds it, those who wait longest in front; when a bucket has its
 * next token, the first of its list is looked at again. So a turn costs a few steps, however many wait.
 *
 * Invariant: no bucket lets more than its cap and one pass in any second: what the loop was late by is made up for, and the
 * interval is longer by what that may be. A resolver waits in at most one list.
 *
 * Sources: ITU-T I.371 (the generic cell rate algorithm).
 */
import { TimerWheel } from './bulk/timer-wheel.ts'

const NONE = -1
const TICK_MS = 1
const TICKS = 65_536
/** Late by less than this is made up for, in milliseconds. */
const LATENESS_MS = 10
const SECOND_MS = 1000
/** How far the place of somebody who comes from another list is looked for. */
const STEPS_MAX = 64

/** Queries per second, 0 for no cap. */
export interface TurnCaps {
  /** Of all together. */
  readonly rate: number
  /** For each resolver. */
  readonly perResolver: number
  /** For each resolver whether the caps hold for it (1) or not (0); without it they hold for all. */
  readonly isPaced?: Uint8Array
}

/** Caps for those who belong together, and who does. */
export interface GroupCaps {
  /** Number of the prefix of each resolver, from 0. */
  readonly prefixOf: Int32Array
  /** Queries per second for each prefix, 0 for no cap. */
  readonly perPrefix: number
  /** Number of the autonomous system of each resolver, from 0; −1 where it is not known: nothing holds for it. */
  readonly asOf: Int32Array
  /** Queries per second for each autonomous system, 0 for no cap. */
  readonly perAs: number
}

/** The turns of the resolvers 0 to `count` − 1. */
export class PacedTurns {
  /** The bucket of each resolver, level after level; −1 where it has none. */
  private readonly bucketOf: Int32Array
  private readonly levels: number
  private readonly count: number
  private readonly intervalMs: Float64Array
  private readonly nextAtMs: Float64Array
  private readonly heads: Int32Array
  private readonly tails: Int32Array
  /** Who waits behind a resolver. */
  private readonly behind: Int32Array
  /** Which wish of all it was that a resolver waits with. */
  private readonly wish: Float64Array
  private wishes = 0
  /** Buckets that somebody waits for until their time comes… */
  private readonly timers: TimerWheel
  /** … and those whose time has come, in that order. */
  private readonly due: Int32Array
  private readonly isDue: Uint8Array
  private dueHead = 0
  private dueCount = 0
  /** The bucket of those who have not been looked at; its token is always there. */
  private readonly gate: number

  /** @param groups - `undefined` for no caps of groups. */
  constructor(count: number, caps: TurnCaps, groups: GroupCaps | undefined, nowMs: number) {
    const columns = columnsOf(count, caps, groups)
    const sizes = columns.map(({ places }) => places.reduce((most, place) => Math.max(most, place + 1), 0))
    const buckets = sizes.reduce((sum, size) => sum + size, 0) + 1
    this.count = count
    this.levels = columns.length
    this.bucketOf = new Int32Array(count * columns.length)
    this.intervalMs = new Float64Array(buckets)
    this.gate = buckets - 1
    let from = 0
    for (const [level, { places, perSecond }] of columns.entries()) {
      const size = sizes[level] as number
      this.intervalMs.fill((SECOND_MS + LATENESS_MS) / perSecond, from, from + size)
      for (let i = 0; i < count; i++) {
        const place = places[i] as number
        this.bucketOf[level * count + i] = place < 0 || caps.isPaced?.[i] === 0 ? NONE : from + place
      }
      from += size
    }
    this.nextAtMs = new Float64Array(buckets).fill(nowMs)
    this.heads = new Int32Array(buckets).fill(NONE)
    this.tails = new Int32Array(buckets).fill(NONE)
    this.behind = new Int32Array(count)
    this.wish = new Float64Array(count)
    this.due = new Int32Array(buckets)
    this.isDue = new Uint8Array(buckets)
    this.timers = new TimerWheel(buckets, TICK_MS, TICKS, nowMs)
  }

  /** Puts a resolver that does not wait in line for its next turn. */
  want(resolver: number): void {
    this.wish[resolver] = this.wishes++
    this.insert(this.gate, resolver)
    if (this.isDue[this.gate] === 0) this.pushDue(this.gate)
  }

  /** Gives a turn and spends what it costs. @returns Whose it is; −1 when nobody has one now. */
  next(nowMs: number): number {
    for (let b = this.timers.expire(nowMs); b !== NONE; b = this.timers.expire(nowMs)) this.pushDue(b)
    while (this.dueCount > 0) {
      const bucket = this.due[this.dueHead] as number
      const isOpen = bucket === this.gate || (this.nextAtMs[bucket] as number) <= nowMs
      if (!isOpen || this.heads[bucket] === NONE) {
        this.shiftDue(bucket)
        continue
      }
      const resolver = this.takeFirst(bucket)
      const holding = this.holding(resolver, nowMs)
      if (holding === NONE) {
        this.spend(resolver, nowMs)
        return resolver
      }
      this.insert(holding, resolver)
      if (this.isDue[holding] === 0 && !this.timers.has(holding)) this.setTimer(holding)
    }
    return NONE
  }

  /** For how many milliseconds nobody has a turn, at least; infinity when nobody waits. */
  get idleMs(): number {
    if (this.dueCount > 0) return 0
    return this.timers.size > 0 ? TICK_MS : Number.POSITIVE_INFINITY
  }

  /** The first bucket that has no token for a resolver. */
  private holding(resolver: number, nowMs: number): number {
    for (let level = 0; level < this.levels; level++) {
      const bucket = this.bucketOf[level * this.count + resolver] as number
      if (bucket !== NONE && (this.nextAtMs[bucket] as number) > nowMs) return bucket
    }
    return NONE
  }

  private spend(resolver: number, nowMs: number): void {
    for (let level = 0; level < this.levels; level++) {
      const bucket = this.bucketOf[level * this.count + resolver] as number
      if (bucket === NONE) continue
      const fromMs = Math.max(this.nextAtMs[bucket] as number, nowMs - LATENESS_MS)
      this.nextAtMs[bucket] = fromMs + (this.intervalMs[bucket] as number)
    }
  }

  /** Who has waited longer, for another bucket, stands in front. */
  private insert(bucket: number, resolver: number): void {
    const tail = this.tails[bucket] as number
    const wish = this.wish[resolver] as number
    let before = NONE
    let after = NONE
    if (tail !== NONE && (this.wish[tail] as number) < wish) {
      before = tail
    } else {
      after = this.heads[bucket] as number
      for (let steps = 0; after !== NONE && steps < STEPS_MAX && (this.wish[after] as number) < wish; steps++) {
        before = after
        after = this.behind[after] as number
      }
    }
    this.behind[resolver] = after
    if (before === NONE) this.heads[bucket] = resolver
    else this.behind[before] = resolver
    if (after === NONE) this.tails[bucket] = resolver
  }

  private takeFirst(bucket: number): number {
    const resolver = this.heads[bucket] as number
    const next = this.behind[resolver] as number
    this.heads[bucket] = next
    if (next === NONE) this.tails[bucket] = NONE
    return resolver
  }

  private setTimer(bucket: number): void {
    this.timers.set(bucket, this.nextAtMs[bucket] as number)
  }

  private pushDue(bucket: number): void {
    this.isDue[bucket] = 1
    this.due[(this.dueHead + this.dueCount++) % this.due.length] = bucket
  }

  /** A bucket that has given what it has waits for its next token, if anybody waits for it. */
  private shiftDue(bucket: number): void {
    this.dueHead = (this.dueHead + 1) % this.due.length
    this.dueCount--
    this.isDue[bucket] = 0
    if (this.heads[bucket] !== NONE) this.setTimer(bucket)
  }
}

/** A level of buckets: which one each resolver has there, and what it lets pass. */
interface Level {
  readonly places: Int32Array
  readonly perSecond: number
}

/** Levels without a cap have no buckets. */
function columnsOf(count: number, { rate, perResolver }: TurnCaps, groups: GroupCaps | undefined): readonly Level[] {
  return [
    { places: Int32Array.from({ length: count }, (_, resolver) => resolver), perSecond: perResolver },
    ...(groups === undefined
      ? []
      : [
          { places: groups.prefixOf, perSecond: groups.perPrefix },
          { places: groups.asOf, perSecond: groups.perAs },
        ]),
    { places: new Int32Array(count), perSecond: rate },
  ].filter(({ perSecond }) => perSecond > 0)
}
