/**
 * How many questions each resolver has in flight: additive increase, halving on loss.
 *
 * Invariant: a window stays between its bounds. What was sent before a window was halved does not halve it again: one loss
 * event, one halving.
 *
 * Sources: RFC 5681 section 3.1 (congestion avoidance).
 */
import type { WindowPolicy } from './engine-policy.ts'

/** What became of a question. */
export type WindowOutcome = 'answered' | 'lost' | 'neither'

/** The windows of the resolvers 0 to `count` − 1. */
export class ResolverWindows {
  private readonly policy: WindowPolicy
  private readonly sizes: Float64Array
  private readonly inFlight: Int32Array
  private readonly halvedAtMs: Float64Array

  constructor(count: number, policy: WindowPolicy) {
    this.policy = policy
    this.sizes = new Float64Array(count).fill(policy.start)
    this.inFlight = new Int32Array(count)
    this.halvedAtMs = new Float64Array(count).fill(Number.NEGATIVE_INFINITY)
  }

  /** How many questions a resolver may have in flight. */
  size(resolver: number): number {
    return Math.floor(this.sizes[resolver] as number)
  }

  /** Whether a further question fits. */
  hasRoom(resolver: number): boolean {
    return (this.inFlight[resolver] as number) < this.size(resolver)
  }

  /** A question goes out. */
  begin(resolver: number): void {
    this.inFlight[resolver] = (this.inFlight[resolver] as number) + 1
  }

  /** A question that went out at `sentAtMs` has ended. */
  end(resolver: number, outcome: WindowOutcome, sentAtMs: number, nowMs: number): void {
    this.inFlight[resolver] = (this.inFlight[resolver] as number) - 1
    const size = this.sizes[resolver] as number
    if (outcome === 'answered') this.sizes[resolver] = Math.min(size + 1 / size, this.policy.max)
    if (outcome !== 'lost' || sentAtMs < (this.halvedAtMs[resolver] as number)) return
    this.sizes[resolver] = Math.max(size / 2, this.policy.min)
    this.halvedAtMs[resolver] = nowMs
  }
}
