/**
 * When a second resolver is asked beside the first, and how often that may be: a budget that grows with the questions.
 *
 * Invariant: at any moment there were at most `share` hedges for each first question.
 *
 * Sources: J. Dean and L. A. Barroso, "The Tail at Scale", 2013 (hedged requests).
 */
import type { HedgePolicy } from './engine-policy.ts'

/** Round-trip times that are kept for each resolver. */
const KEPT = 32
/** A budget that nobody used must not make a storm later. */
const SAVED_MAX = 16

/** The hedges of one run. */
export class Hedges {
  private readonly policy: HedgePolicy
  private readonly tripsMs: Float32Array
  private readonly trips: Int32Array
  private budget = 0

  constructor(count: number, policy: HedgePolicy) {
    this.policy = policy
    this.tripsMs = new Float32Array(count * KEPT)
    this.trips = new Int32Array(count)
  }

  /** A question went out for the first time. */
  asked(): void {
    this.budget = Math.min(this.budget + this.policy.share, SAVED_MAX)
  }

  /** A resolver has answered after `tripMs`. */
  answered(resolver: number, tripMs: number): void {
    const trips = this.trips[resolver] as number
    this.tripsMs[resolver * KEPT + (trips % KEPT)] = tripMs
    this.trips[resolver] = trips + 1
  }

  /** How long a resolver is waited for before another one is asked as well, in milliseconds. */
  delayMs(resolver: number): number {
    const { quantile, minMs, maxMs } = this.policy
    const known = Math.min(this.trips[resolver] as number, KEPT)
    if (known === 0) return maxMs
    const sorted = this.tripsMs.slice(resolver * KEPT, resolver * KEPT + known).toSorted()
    const place = Math.min(known - 1, Math.floor(quantile * known))
    return Math.min(Math.max(sorted[place] as number, minMs), maxMs)
  }

  /** @returns Whether the budget has a hedge; it is spent then. */
  trySpend(): boolean {
    // Shares such as 0.1 do not sum up to whole numbers.
    if (this.budget < 1 - 1e-9) return false
    this.budget -= 1
    return true
  }
}
