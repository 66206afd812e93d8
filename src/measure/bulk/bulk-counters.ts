/**
 * What an engine counts, in memory that two threads share: the engine adds, the progress display reads.
 *
 * Invariant: only the engine's thread writes. A reader may see counters of two moments, which is good enough to show.
 */

/** The counters, in the order of their places. */
export const BULK_COUNTERS = [
  'queries',
  'first_sends',
  'retransmissions',
  'finished',
  'answered',
  'unanswered',
  'in_flight',
  'truncated',
  'wrong_id',
  'wrong_source',
  'wrong_question',
  'malformed',
  'late',
  'duplicate',
  'rests',
  'hedges',
  'malformed_lines',
  'input_octets',
  'output_octets',
  'noerror',
  'nxdomain',
  'servfail',
  'refused',
  'other_rcodes',
  'first_send_ended_ms',
  'finished_ms',
] as const

/** The name of a counter. */
export type BulkCounter = (typeof BULK_COUNTERS)[number]

/** Place of each counter. */
export const AT: Readonly<Record<BulkCounter, number>> = Object.fromEntries(
  BULK_COUNTERS.map((name, place) => [name, place]),
) as Readonly<Record<BulkCounter, number>>

/** Place of the counter of an RCODE. */
export function rcodePlace(rcode: number): number {
  switch (rcode) {
    case 0:
      return AT.noerror
    case 2:
      return AT.servfail
    case 3:
      return AT.nxdomain
    case 5:
      return AT.refused
    default:
      return AT.other_rcodes
  }
}

/** Reads all counters by name. */
export function readCounters(counters: Float64Array): Readonly<Record<BulkCounter, number>> {
  return Object.fromEntries(BULK_COUNTERS.map((name, place) => [name, counters[place] ?? 0])) as Readonly<
    Record<BulkCounter, number>
  >
}
