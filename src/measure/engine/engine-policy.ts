/**
 * How an engine asks, as data: how often and for how long, how fast, who rests, how much at once, when a second resolver is
 * asked beside the first, and when it all ends.
 *
 * What each rule is for: docs/design/0007-engine-policies.md
 */
import type { Failure } from '../../model/failure.ts'
import type { CooldownPolicy } from '../cooldown.ts'
import type { GroupCaps, TurnCaps } from '../paced-turns.ts'

/** What is done about a question that has no answer yet. */
export interface RetryPolicy {
  /** How often a question is put at most, hedges included; the TCP exchange after a truncated answer is not counted. */
  readonly attempts: number
  /** How long each attempt waits, in milliseconds; the last one holds for all further attempts. At least one. */
  readonly timeoutsMs: readonly [number, ...number[]]
  /**
   * How long is waited after a failure that came before the time-out, in milliseconds, twice as long after each further
   * attempt: who refuses at once would get all attempts at once.
   */
  readonly pauseMs: number
  /** Failures after which the question is put again; `all` of them, or these. */
  readonly failures: 'all' | readonly Failure[]
  /** RCODEs after which the question is put again; where none is better, the last such answer counts. */
  readonly rcodes: readonly number[]
  /** Whether a truncated answer is asked for over TCP, where the resolver can be asked so. */
  readonly truncatedOverTcp: boolean
}

/** How many questions one resolver has in flight: one more for each window that was answered, half as many after a loss. */
export interface WindowPolicy {
  /** At first. */
  readonly start: number
  /** At least; 1 or more. */
  readonly min: number
  /** At most. */
  readonly max: number
}

/** When a second resolver is asked while the first one still thinks. The first answer counts; the hedge is an attempt. */
export interface HedgePolicy {
  /** This quantile of the latest round-trip times of the first resolver is waited for, 0 to 1, … */
  readonly quantile: number
  /** … but at least so long, … */
  readonly minMs: number
  /** … and at most so long, in milliseconds; also where no time is known. */
  readonly maxMs: number
  /** Hedges for each first question at most, 0 to 1. */
  readonly share: number
}

/** Everything about how an engine asks. */
export interface EnginePolicy {
  readonly retry: RetryPolicy
  /** Queries per second; hedges and retries count. */
  readonly caps: TurnCaps & { readonly groups?: GroupCaps }
  /** `null` when nobody rests. */
  readonly cooldown: CooldownPolicy | null
  readonly window: WindowPolicy
  /** `null` for none. */
  readonly hedge: HedgePolicy | null
  /** Questions that were begun and are not taken by the reader yet, at most. */
  readonly tasksMax: number
  /** How long is listened after a first answer, in milliseconds. */
  readonly lateWindowMs: number
  /** After how long nothing new is begun, in milliseconds; `null` for no deadline. */
  readonly deadlineMs: number | null
  /** How long what is in flight may take when nothing new is begun any more, in milliseconds; then it is cut off. */
  readonly graceMs: number
}
