/**
 * Many timers over few lists: items are small integers, so that setting and clearing one makes no object.
 *
 * Invariant: an item is in at most one list. An item expires at the first `expire` after its time, at most one tick late.
 *
 * Sources: G. Varghese and T. Lauck, "Hashed and Hierarchical Timing Wheels", 1987 (scheme 6, one round).
 */
import { assert } from '../../core/assert.ts'

const NONE = -1

/** Timers for the items 0 to `capacity` − 1. */
export class TimerWheel {
  private readonly heads: Int32Array
  private readonly next: Int32Array
  private readonly previous: Int32Array
  /** The list that an item is in, or −1. */
  private readonly listOf: Int32Array
  private readonly tickMs: number
  private readonly mask: number
  /** The first tick that was not looked at. */
  private tick: number
  private count = 0

  /**
   * @param tickMs - Length of a tick in milliseconds; how late an item may expire.
   * @param ticks - How many ticks there are, a power of two: nothing can be set further ahead than that.
   */
  constructor(capacity: number, tickMs: number, ticks: number, nowMs: number) {
    assert((ticks & (ticks - 1)) === 0, 'the number of ticks is a power of two')
    this.heads = new Int32Array(ticks).fill(NONE)
    this.next = new Int32Array(capacity)
    this.previous = new Int32Array(capacity)
    this.listOf = new Int32Array(capacity).fill(NONE)
    this.tickMs = tickMs
    this.mask = ticks - 1
    this.tick = Math.floor(nowMs / tickMs)
  }

  /** How many items wait. */
  get size(): number {
    return this.count
  }

  /** Whether an item waits. */
  has(item: number): boolean {
    return this.listOf[item] !== NONE
  }

  /** Lets an item that does not wait expire at `atMs`. */
  set(item: number, atMs: number): void {
    const wanted = Math.ceil(atMs / this.tickMs)
    const bounded = Math.min(Math.max(wanted, this.tick), this.tick + this.mask)
    const list = bounded & this.mask
    const head = this.heads[list] as number
    this.next[item] = head
    this.previous[item] = NONE
    if (head !== NONE) this.previous[head] = item
    this.heads[list] = item
    this.listOf[item] = list
    this.count++
  }

  /** Forgets an item; does nothing when it does not wait. */
  clear(item: number): void {
    const list = this.listOf[item] as number
    if (list === NONE) return
    const next = this.next[item] as number
    const previous = this.previous[item] as number
    if (previous === NONE) this.heads[list] = next
    else this.next[previous] = next
    if (next !== NONE) this.previous[next] = previous
    this.listOf[item] = NONE
    this.count--
  }

  /** Takes an item whose time has come. @returns The item, −1 when there is none (any more). */
  expire(nowMs: number): number {
    const now = Math.floor(nowMs / this.tickMs)
    if (this.count === 0) {
      this.tick = Math.max(this.tick, now)
      return NONE
    }
    // One round sees every list; a machine that slept for longer needs no more.
    if (now - this.tick > this.mask) this.tick = now - this.mask
    for (; this.tick <= now; this.tick++) {
      const item = this.heads[this.tick & this.mask] as number
      if (item !== NONE) {
        this.clear(item)
        return item
      }
    }
    return NONE
  }
}
