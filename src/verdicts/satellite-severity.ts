/**
 * How grave a pair or a group is, for `--fail-on`.
 *
 * **Invariant**: pure. Only what is judged as interference is grave at all; what a whole group shows is graver than any pair.
 *
 * Rule: docs/detectors/satellite-judgement.md
 */
import type { SatelliteFinding, SatelliteJudgement, SatelliteRule } from '../model/satellite-finding.ts'

/** Mildest first. */
export const SATELLITE_SEVERITIES = ['low', 'medium', 'high', 'critical'] as const
/** One of them. */
export type SatelliteSeverity = (typeof SATELLITE_SEVERITIES)[number]

const OF_RULES: Partial<Readonly<Record<SatelliteRule, SatelliteSeverity>>> = {
  blockpage: 'high',
  'known-block-address': 'high',
  'injected-response': 'high',
  'answer-from-non-resolver': 'high',
  'as-of-many': 'medium',
  'bogon-answer': 'medium',
  'nxdomain-against-control': 'medium',
}

/** @returns `undefined` for a pair that is not judged as interference. */
export function tellSeverity(
  judgement: SatelliteJudgement,
  findings: readonly SatelliteFinding[],
): SatelliteSeverity | undefined {
  if (judgement !== 'interference') return undefined
  return graver(undefined, ...findings.map(({ rule }) => OF_RULES[rule])) ?? 'low'
}

/** The gravest of some. */
export function graver(...severities: readonly (SatelliteSeverity | undefined)[]): SatelliteSeverity | undefined {
  const place = severities.reduce(
    (worst, each) => Math.max(worst, each === undefined ? -1 : SATELLITE_SEVERITIES.indexOf(each)),
    -1,
  )
  return SATELLITE_SEVERITIES[place]
}
