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
  | 'tls-valid-for-domain'
  | 'injected-response'
  | 'answer-from-non-resolver'
  | 'bogon-answer'
  | 'nxdomain-against-control'
  | 'failure-against-control'
  | 'known-block-address'
  | 'blockpage'
  | 'as-of-many'
  | 'cdn-by-as-number'
  | 'cdn-by-certificate'
  | 'resolver-unreliable'

/** What the findings of a pair amount to; `no_vote`: the resolver is not reliable enough to be asked. */
export type SatelliteJudgement = 'interference' | 'down' | 'ok' | 'unconfirmed' | 'no_vote'

/** What people are told first about a pair, in the order in which it is looked for. */
export type SatelliteOutcome =
  | 'error'
  | 'rcode'
  | 'no_answer'
  | 'bogus_address'
  | 'control_address'
  | 'valid_certificate'
  | 'untrusted_certificate'
  | 'wrong_certificate'
  | 'block_page'
  | 'control_as'
  | 'tls_failure'
  | 'unconfirmed'

/** One finding. */
export interface SatelliteFinding {
  readonly rule: SatelliteRule
  /** Rises with each change of the rule. */
  readonly version: number
  /** Addresses, values and rates that it rests on. */
  readonly evidence: Readonly<Record<string, string | number | readonly (string | number)[]>>
  readonly weights: SatelliteWeights
}
