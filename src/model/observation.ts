/**
 * What was seen: the record that `measure/` writes and `verdicts/` reads.
 *
 * Invariant: facts only. No word of judgement occurs in this file.
 *
 * Format: docs/formats/observation.md
 */
import type { Failure, Operation, Side } from './failure.ts'

/** One response message, as it came off the wire. */
export interface TimedResponse {
  /** The message, undecoded. */
  readonly octets: Uint8Array
  /** Time from sending the query to receiving this message, in milliseconds. */
  readonly elapsedMs: number
}

/** What else happened while waiting: counted, never taken for an answer. */
export interface Oddities {
  /** Datagrams from the right source with another message id. */
  readonly wrongId: number
  /** Datagrams from another address or port than the one asked. */
  readonly wrongSource: number
  /** Datagrams whose question is not, octet by octet, the one asked. */
  readonly wrongQuestion: number
  /** Datagrams that are not a DNS response at all (too short, QR = 0). */
  readonly malformed: number
}

/** The outcome of one query: every response that arrived, or the failure that prevented any. */
export type Exchange =
  | {
      readonly kind: 'responses'
      /** Earliest first. */
      readonly responses: readonly [TimedResponse, ...TimedResponse[]]
      readonly oddities: Oddities
    }
  | {
      readonly kind: 'failure'
      readonly operation: Operation
      readonly failure: Failure
      readonly side: Side
      /** Time from the start of the exchange to the failure, in milliseconds. */
      readonly elapsedMs: number
      readonly oddities: Oddities
    }
