/**
 * What a rule of our own saw in one pair of a resolver and a name, with its evidence: beside the published booleans, never
 * instead of them.
 *
 * Format: docs/formats/satellite.md
 */

/** How much a finding speaks for each of three explanations; 0 to 1, independent of one another. */
export interface SatelliteWeights {
  /** Somebody interferes with the answer. */
  readonly interference: number
  /** Resolver or name is out of order. */
  readonly down: number
  /** The answer is genuine. */
  readonly ok: number
}

/** The rules. */
export type SatelliteRule =
  | 'answer-in-control'
  | 'certificate-in-control'
  | 'page-in-control'
  | 'answer-as-in-control'
  | 'bogon-answer'
  | 'nxdomain-against-control'
  | 'failure-against-control'

/** One finding. */
export interface SatelliteFinding {
  readonly rule: SatelliteRule
  /** Rises with each change of the rule. */
  readonly version: number
  /** Addresses, values and rates that it rests on. */
  readonly evidence: Readonly<Record<string, string | number | readonly (string | number)[]>>
  readonly weights: SatelliteWeights
}
