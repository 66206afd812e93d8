/** What goes into an engine and what comes out of it: the ports between it and whoever makes questions and asks them. */
import type { Exchange, TimedResponse } from '../../model/observation.ts'

/** One question of a plan. */
export interface EngineTask<T> {
  /** What makes this question differ from others; the engine does not look at it. */
  readonly content: T
  /** Number in the plan, from 0: with the seed it decides who is asked. */
  readonly number: number
  /** The only resolver that is asked; `undefined` for any. */
  readonly resolver: number | undefined
  /** Whether it goes before others that wait for the same resolver: it belongs to something that was begun. */
  readonly isUrgent?: boolean
}

/** How one attempt is made. */
export interface AskRequest {
  readonly timeoutMs: number
  readonly lateWindowMs: number
  /** Whether the answer over UDP was truncated, and TCP is wanted. */
  readonly isOverTcp: boolean
  /** Ends the attempt. */
  readonly signal: AbortSignal
}

/** A resolver as the engine knows it; its place in the list is its number. */
export interface EngineResolver<T> {
  /** Whether a truncated answer can be asked for over TCP. */
  readonly hasTcp: boolean
  /** Puts a question once. @returns Always, soon after the time-out or the signal; rejects only on a bug. */
  ask(task: EngineTask<T>, request: AskRequest): Promise<Exchange>
}

/** Why an attempt was made. */
export type AttemptReason = 'first' | 'retry' | 'hedge' | 'truncated'

/** One attempt. */
export interface EngineAttempt {
  readonly resolver: number
  readonly reason: AttemptReason
  /** Readings of the clock. */
  readonly startedAtMs: number
  readonly endedAtMs: number
  /** What came of it; that of a hedge which came second ends as `interrupted`. */
  readonly exchange: Exchange
}

/** The answer that counts. */
export interface EngineAnswer {
  readonly attempt: EngineAttempt
  readonly response: TimedResponse
}

/** What came of a question. */
export interface EngineResult<T> {
  readonly task: EngineTask<T>
  /** At least one, in the order of ending. */
  readonly attempts: readonly EngineAttempt[]
  /** `undefined` when none came. */
  readonly answer: EngineAnswer | undefined
  /** Whether it was cut off before its attempts were used up. */
  readonly isCut: boolean
}
